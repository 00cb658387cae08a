package simulate

import (
	"bufio"
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// event is one record of the logs as the tests see it.
type event struct {
	log    string
	when   time.Time
	fields map[string]string
	raw    string
}

// events reads all exports, hourly only, in the order of time.
func events(t *testing.T, dir string, m Manifest) []event {
	t.Helper()
	var all []event
	for _, f := range m.Files {
		if f.Product != Salesforce || f.Sequence == 0 {
			continue
		}
		header, records := readExport(t, dir, f)
		for _, r := range records {
			e := event{log: f.Log, fields: map[string]string{}, raw: strings.Join(r, "\x00")}
			for i, name := range header {
				e.fields[name] = r[i]
			}
			e.when, _ = time.Parse("2006-01-02T15:04:05.000Z", e.fields["TIMESTAMP_DERIVED"])
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return a.when.Compare(b.when) })
	return all
}

func (e event) address() string {
	if e.log == "Login" {
		return e.fields["SOURCE_IP"]
	}
	return e.fields["CLIENT_IP"]
}

func TestIncidentsAreInTheLogs(t *testing.T) {
	dir, m := eventfulOnce().read(t)
	all := events(t, dir, m)
	gateway, err := os.ReadFile(filepath.Join(dir, "kong/file.log"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, l := range m.Incidents {
		known[l.Kind] = true
		if l.Product == Kong {
			if n := bytes.Count(gateway, []byte(`"client_ip":"`+strings.TrimSuffix(l.Networks[0], "0/24"))); n != 45 {
				t.Errorf("%s: %d calls from the attacker's network", l.Kind, n)
			}
			if !bytes.Contains(gateway, []byte(l.EntityUID)) {
				t.Errorf("%s: %s is not in the gateway's log", l.Kind, l.EntityUID)
			}
			continue
		}
		checkLabel(t, l, all)
	}
	for _, name := range eventful().Incidents {
		if !known[name] {
			t.Errorf("no label for %s", name)
		}
	}
	for _, who := range m.Innocents {
		for _, l := range m.Incidents {
			if who.EntityUID == l.EntityUID {
				t.Errorf("%s is innocent and the entity of %s", who.Entity, l.Kind)
			}
		}
	}
}

// checkLabel counts what the incident left, and that its edges are its first
// and last record wherever the attacker has a network of its own.
func checkLabel(t *testing.T, l Label, all []event) {
	t.Helper()
	var first, last time.Time
	failures, successes, calls, own, failedVictim := 0, 0, 0, 0, 0
	sources := map[string]bool{}
	for _, e := range all {
		inLabel := !e.when.Before(l.From) && e.when.Before(l.To)
		address, _ := netip.ParseAddr(e.address())
		attacker := len(l.Networks) > 0 && netip.MustParsePrefix(l.Networks[0]).Contains(address)
		if attacker {
			if first.IsZero() {
				first = e.when
			}
			last = e.when
			own++
			sources[e.fields["USER_NAME"]] = true
		}
		victim := e.fields["USER_ID_DERIVED"] == l.EntityUID
		if e.log == "Login" && (attacker || victim) && inLabel {
			if e.fields["LOGIN_STATUS"] == loginSuccess {
				successes++
			} else {
				failures++
				if victim {
					failedVictim++
				}
			}
		}
		if e.log == "RestApi" && victim && inLabel {
			calls++
		}
	}
	if len(l.Networks) > 0 && (l.Kind != "token-theft" && !first.Equal(l.From) || last.Add(time.Millisecond) != l.To) {
		t.Errorf("%s: records from %s to %s, label from %s to %s", l.Kind, first, last, l.From, l.To)
	}
	bad := false
	switch l.Kind {
	case "token-theft":
		bad = own < 15 || failures > 0
	case "password-spray":
		bad = len(sources) < 20 || failures < 20 || successes > 0
	case "password-spray-success":
		bad = len(sources) < 20 || failures < 20 || successes != 1
	case "brute-force":
		bad = failedVictim != 40 || successes != 1
	case "credential-sharing":
		bad = own != 60 || calls <= 30 // each call is counted once more
	case "traffic-spike":
		bad = calls < 2400
	case "secret-hunting":
		bad = calls < 6
	}
	if bad {
		t.Errorf("%s: %d own records, %d users, %d failures (%d of the victim), %d successes, %d calls", l.Kind, own, len(sources), failures, failedVictim, successes, calls)
	}
}

// Without incidents nothing of an attacker is there, and with them nothing else
// has changed: every quiet record is in the eventful logs too.
func TestIncidentsOnlyAdd(t *testing.T) {
	o := eventful()
	o.Days, o.Daily = 4, false
	noisy, noisyManifest := written(t, o)
	o.Incidents = nil
	quiet, quietManifest := written(t, o)
	if len(quietManifest.Incidents) != 0 {
		t.Errorf("labels without incidents: %v", quietManifest.Incidents)
	}
	traces := []string{"203.0.113.", "198.51.100.", "192.0.2.", clientVerify, "aiohttp", clientBulk, "AKIA", "curl/8.9.1"}
	for i := 3; i < 67; i++ {
		traces = append(traces, string(attackerNetwork(i)))
	}
	present := map[string]bool{}
	for line := range logLines(t, noisy, noisyManifest) {
		present[line] = true
	}
	missing := 0
	for line := range logLines(t, quiet, quietManifest) {
		if !present[line] {
			missing++
		}
		for _, trace := range traces {
			if strings.Contains(line, trace) {
				t.Fatalf("%q without incidents: %s", trace, line)
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d records changed because of the incidents", missing)
	}
}

func logLines(t *testing.T, dir string, m Manifest) map[string]bool {
	t.Helper()
	lines := map[string]bool{}
	for _, e := range events(t, dir, m) {
		lines[e.raw] = true
	}
	for _, f := range m.Files {
		if f.Product == Salesforce {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(bytes.NewReader(content)); s.Scan(); {
			lines[s.Text()] = true
		}
	}
	return lines
}
