package simulate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var crowdedOnce = sync.OnceValue(func() simulation { return simulated("crowded", crowded()) })

// Every kind has a label within the window, of a name that the logs of its time hold.
func TestEveryKindIsInTheLogs(t *testing.T) {
	dir, m := crowdedOnce().read(t)
	kinds := map[string]Label{}
	for _, l := range m.Incidents {
		kinds[l.Kind] = l
		if !l.From.Before(l.To) || l.From.Before(m.From) || l.To.After(m.To) {
			t.Errorf("%s from %s to %s is outside the window", l.Kind, l.From, l.To)
		}
		if l.EntityUID == "" || len(l.Rules) == 0 {
			t.Errorf("%s names nobody or no rule: %+v", l.Kind, l)
		}
	}
	var everything []byte
	for _, f := range m.Files {
		content, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		everything = append(everything, content...)
	}
	for _, name := range IncidentNames() {
		l, is := kinds[name]
		if !is {
			t.Errorf("no label for %s", name)
			continue
		}
		named := false
		for _, n := range append([]string{strings.TrimSuffix(l.EntityUID, "0/24"), l.Entity}, l.Aliases...) {
			named = named || bytes.Contains(everything, []byte(n))
		}
		if !named && l.EntityType != "source" {
			t.Errorf("%s: the logs do not know %s", name, l.EntityUID)
		}
	}
	if len(kinds) < 20 {
		t.Errorf("%d kinds, want 20 at least", len(kinds))
	}
}

// A type of log that falls silent holds nothing in that time, and a stopped program nothing
// of its own.
func TestSilences(t *testing.T) {
	dir, m := crowdedOnce().read(t)
	all := events(t, dir, m)
	for _, l := range m.Incidents {
		if l.Kind != "source-silent" && l.Kind != "integration-stopped" {
			continue
		}
		for _, e := range all {
			inside := !e.when.Before(l.From) && e.when.Before(l.To)
			if inside && (l.Kind == "source-silent" && "Salesforce "+e.log == l.EntityUID || l.Kind == "integration-stopped" && e.fields["USER_ID_DERIVED"] == l.EntityUID) {
				t.Fatalf("%s of %s: %s at %s", l.Kind, l.EntityUID, e.log, e.when)
			}
		}
	}
}

// What the middleware carries has its correlation id in both logs; a bypass has none.
func TestMiddlewareKnowsWhatItCarries(t *testing.T) {
	dir, m := crowdedOnce().read(t)
	content, err := os.ReadFile(filepath.Join(dir, "mulesoft/mule-app.json"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range bytes.Lines(content) {
		var l muleLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		known[l.Correlation] = true
	}
	var bypass Label
	for _, l := range m.Incidents {
		if l.Kind == "middleware-bypass" {
			bypass = l
		}
	}
	carried, past := 0, 0
	for _, e := range events(t, dir, m) {
		if e.log != "RestApi" || e.fields["USER_ID_DERIVED"] != bypass.EntityUID {
			continue
		}
		if known[e.fields["REQUEST_ID"]] {
			carried++
		} else if past++; e.when.Before(bypass.From) || !e.when.Before(bypass.To) {
			t.Errorf("a call at %s did not come through the middleware", e.when.Format(time.DateTime))
		}
	}
	if carried < 500 || past != 24 {
		t.Errorf("%d calls carried, %d past the middleware, want 24", carried, past)
	}
}

// Dynamics and Entra are read as their exports are, and know the same people.
func TestDirectoryAndDynamicsAgree(t *testing.T) {
	dir, m := crowdedOnce().read(t)
	signedIn, at := map[string]bool{}, map[string]string{}
	for _, name := range []string{"entra/sign-ins.json", "dynamics/audit.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			if name[0] == 'e' {
				var r signInRecord
				if err := json.Unmarshal(line, &r); err != nil {
					t.Fatal(err)
				}
				signedIn[r.Inside.User], at["tenant"] = true, r.Tenant
				continue
			}
			var r deedRecord
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			if r.UserType == 0 && !signedIn[r.UserID] {
				t.Fatalf("%s works in Dynamics at %s and never signed in", r.UserID, r.Created)
			}
			if r.Organization != at["tenant"] {
				t.Fatalf("Dynamics is of %s, the sign-ins of %s", r.Organization, at["tenant"])
			}
		}
	}
	if len(signedIn) < 30 || m.Events < 100_000 {
		t.Errorf("%d people signed in, %d events", len(signedIn), m.Events)
	}
}
