package alerting_test

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

const hookSecret = "T0ACME0001/B0HOOK0001/inventedSecretOfTheHook"

// incoming makes the office tell people through an incoming webhook alone.
func (o *office) incoming() {
	o.t.Helper()
	server := httptest.NewServer(o.server)
	o.t.Cleanup(server.Close)
	hook, err := alerting.NewIncomingWebhook(alerting.IncomingWebhookOptions{Name: "hook", URL: server.URL + "/services/" + hookSecret})
	if err != nil {
		o.t.Fatal(err)
	}
	o.desk = alerting.NewDesk(o.store, []alerting.Notifier{hook}, alerting.Options{
		Fallback: alerting.NewConsole(&o.console, alerting.Style{}), Clock: o.clock.Now,
		Log: slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

// An incoming webhook can only post: what happens to an alert is a message of its own
// that names it, and more of the same is none.
func TestIncomingWebhook(t *testing.T) {
	o := openOffice(t)
	o.incoming()
	f := finding("recon", at(1))
	o.mustFind(f)
	o.clock.Advance(2 * time.Minute)
	f.Count += 7
	o.mustFind(f)
	o.flush(time.Hour)
	if len(o.messages()) != 1 || !strings.Contains(o.theMessage().Render(), "MEDIUM") {
		t.Fatalf("messages: %q", o.texts())
	}
	o.request(o.ask(schema.ActionAcknowledge, "<!channel>", time.Time{}))
	o.flush(time.Hour)
	texts := o.texts()
	if len(texts) != 2 || !strings.HasPrefix(texts[1], "MEDIUM  ") || !strings.HasSuffix(texts[1], "\nAcknowledged by Mira (U0MIRA): &lt;!channel&gt;") {
		t.Errorf("messages: %q", texts)
	}
	for _, m := range o.messages() {
		if live := m.Live(); len(live) > 0 {
			t.Errorf("live markup %q", live)
		}
	}
}

// E1-E3 and E5 for an incoming webhook: held by a limit, one labelled repeat where the
// answer was lost, and the console where it takes nothing. Its address is never shown.
func TestIncomingWebhookFaults(t *testing.T) {
	cases := map[string]struct {
		faults []fakeslack.Fault
		states []string
		posted int
	}{
		"rate limited":      {[]fakeslack.Fault{fakeslack.RateLimited(30 * time.Second)}, []string{"hook sent"}, 1},
		"taken, then cut":   {[]fakeslack.Fault{fakeslack.AcceptThenDrop()}, []string{"hook sent lost"}, 2},
		"taken, then 500":   {[]fakeslack.Fault{fakeslack.AcceptThenStatus(500)}, []string{"hook sent lost"}, 2},
		"cut":               {[]fakeslack.Fault{fakeslack.Drop()}, []string{"hook sent lost"}, 1},
		"500, 500 for good": {[]fakeslack.Fault{fakeslack.Status(500), fakeslack.Status(500)}, []string{"console sent", "hook failed lost answer_lost_twice"}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t)
			o.incoming()
			o.server.Script("incoming webhook", c.faults...)
			o.mustFind(finding("recon", at(1)))
			o.flush(time.Hour)
			if diff := cmp.Diff(c.states, o.states()); diff != "" {
				t.Error(diff)
			}
			if len(o.messages()) != c.posted {
				t.Errorf("messages: %q", o.texts())
			}
			if strings.Contains(o.log.String()+o.console.String(), "inventedSecret") {
				t.Errorf("the address is shown:\n%s", &o.log)
			}
		})
	}
	t.Run("no such channel any more", func(t *testing.T) {
		o := openOffice(t)
		o.incoming()
		gone := fakeslack.DefaultChannel
		gone.Archived = true
		o.server.SetChannel(gone)
		o.mustFind(finding("recon", at(1)))
		if !strings.Contains(o.console.String(), "recon") && o.console.Len() == 0 {
			t.Error("the console was not told")
		}
		if log := o.log.String(); !strings.Contains(log, "channel_is_archived") || strings.Contains(log, "inventedSecret") {
			t.Errorf("log:\n%s", log)
		}
	})
}
