package interaction_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/interaction"
)

func TestCommands(t *testing.T) {
	for _, way := range []string{bySocket, byRequest} {
		t.Run(way, func(t *testing.T) {
			c := open(t, way, func(o *interaction.Options, _ *fakeslack.Options) {
				o.Status = func(context.Context) (string, error) { return "1 critical " + attack, nil }
				o.Show = func(_ context.Context, what string) (string, error) {
					if what == "fail" {
						return "", errors.New("table alerts is not there")
					}
					return "shown: " + what, nil
				}
				o.Silence = func(_ context.Context, actor, text string) (string, error) {
					if text == "" {
						return "", errors.New("name what to silence")
					}
					return actor + " silences " + text, nil
				}
			})
			c.run()
			for text, want := range map[string]string{
				"":                            "/crmwatch status",
				"help":                        "/crmwatch silence",
				"  STATUS  ":                  "1 critical <!channel>",
				"show":                        "Say what to show",
				"show " + attack:              "shown: <!channel>",
				"show fail":                   "try again in a minute",
				"silence rule=brute-force 2h": "Mira Novak (U0MIRA00001) silences rule=brute-force 2h",
				"silence":                     "name what to silence",
				attack:                        "There is no /crmwatch <!channel>",
				strings.Repeat("x", 100_000):  "There is no /crmwatch xxx",
			} {
				if m := c.command(text, mira); m.User != mira || !strings.Contains(m.Render(), want) || strings.Contains(m.Render(), "table alerts") {
					t.Errorf("/crmwatch %.100s: no %q in\n%s", text, want, m.Render())
				}
			}
			none(t, c.requests)
		})
	}
}

// A command works also where the app is not: the answer goes to Slack's address for it.
func TestCommandElsewhere(t *testing.T) {
	c := open(t, bySocket, nil)
	c.server.SetChannel(fakeslack.Channel{ID: "C0ELSEWHERE", Name: "elsewhere", NotMember: true})
	c.run()
	if err := c.server.Command("/crmwatch", "help", "C0ELSEWHERE", mira); err != nil {
		t.Fatal(err)
	}
	if m := await(t, c.told); m.Channel != "C0ELSEWHERE" || m.User != mira {
		t.Errorf("%+v", m)
	}
	// What is not built in says so.
	if m := c.command("status", mira); !strings.Contains(m.Render(), "There is no /crmwatch status") {
		t.Errorf("%s", m.Render())
	}
}

// Answers go to Slack, and nowhere else: an address in a payload is not followed.
func TestAnswersGoToSlack(t *testing.T) {
	c := open(t, byRequest, nil)
	c.run()
	for _, address := range []string{"http%3A%2F%2F127.0.0.1%3A1%2F", "https%3A%2F%2Fevil.example%2F", "https%3A%2F%2Fhooks.slack.com%40evil.example%2F", "", "%3A"} {
		body := "command=%2Fcrmwatch&text=help&team_id=" + fakeslack.TeamID + "&channel_id=" + fakeslack.DefaultChannel.ID + "&user_id=" + mira + "&trigger_id=t" + address + "&response_url=" + address
		if got := c.send(c.signed(interaction.CommandPath, c.clock.Now(), body)); got != 200 {
			t.Fatalf("%s: HTTP %d", address, got)
		}
		// chat.postEphemeral instead
		if m := await(t, c.told); m.User != mira {
			t.Errorf("%+v", m)
		}
	}
	if n := len(c.server.Calls("response_url")); n != 0 {
		t.Errorf("%d answers to an address of a payload", n)
	}
}
