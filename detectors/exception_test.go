package detectors

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

func networks(ranges ...string) (list []KnownNetwork) {
	for _, r := range ranges {
		list = append(list, KnownNetwork{Prefix: netip.MustParsePrefix(r)})
	}
	return list
}

func names(patterns ...string) (list []KnownName) {
	for _, p := range patterns {
		list = append(list, KnownName{Pattern: p})
	}
	return list
}

func TestExceptionCovers(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	user := schema.Finding{EntityType: "user", EntityUID: "005A", Entity: "Svc-Sync@acme.example", FirstSeen: at, LastSeen: at.Add(time.Hour)}
	spray := schema.Finding{EntityType: "network", EntityUID: "203.0.113.9", FirstSeen: at, LastSeen: at.Add(time.Hour)}
	from := func(addresses ...string) trace { return trace{addresses: addresses} }
	cases := map[string]struct {
		exception Exception
		finding   schema.Finding
		trace     trace
		want      bool
	}{
		"an address in the network":              {Exception{Networks: networks("203.0.113.0/24")}, user, from("203.0.113.9", "203.0.113.10"), true},
		"one address outside":                    {Exception{Networks: networks("203.0.113.0/24")}, user, from("203.0.113.9", "198.51.100.1"), false},
		"two networks":                           {Exception{Networks: networks("203.0.113.0/24", "198.51.100.0/24")}, user, from("203.0.113.9", "198.51.100.1"), true},
		"no address at all":                      {Exception{Networks: networks("0.0.0.0/1")}, user, from(), false},
		"what is no address":                     {Exception{Networks: networks("203.0.113.0/24")}, user, from("203.0.113.9", "more"), false},
		"IPv6":                                   {Exception{Networks: networks("2001:db8:7::/48")}, user, from("2001:db8:7:1::5"), true},
		"IPv6 beside it":                         {Exception{Networks: networks("2001:db8:7::/48")}, user, from("2001:db8:8::5"), false},
		"IPv4 written as IPv6":                   {Exception{Networks: networks("203.0.113.0/24")}, user, from("::ffff:203.0.113.9"), true},
		"a finding about the address itself":     {Exception{Networks: networks("203.0.113.0/24")}, spray, from(), true},
		"a finding about a wider network":        {Exception{Networks: networks("203.0.113.0/28")}, schema.Finding{EntityType: "network", EntityUID: "203.0.113.0/24"}, from("203.0.113.1"), false},
		"the user by name, in another case":      {Exception{Users: names("svc-*@acme.example")}, user, trace{}, true},
		"the user by id":                         {Exception{Users: names("005a")}, user, trace{}, true},
		"another user":                           {Exception{Users: names("svc-bi@acme.example")}, user, trace{}, false},
		"every event names a known user":         {Exception{Users: names("ana", "b-1")}, spray, trace{users: [][]string{{"", "Ana"}, {"B-1", ""}}}, true},
		"one event names another":                {Exception{Users: names("ana")}, spray, trace{users: [][]string{{"", "Ana"}, {"B-1", ""}}}, false},
		"an event that names nobody":             {Exception{Users: names("*a*")}, spray, trace{users: [][]string{{"", "Ana"}, {"", ""}}}, false},
		"a user is no app":                       {Exception{Apps: names("svc-*")}, user, trace{}, false},
		"the events' app":                        {Exception{Apps: names("acme *")}, user, trace{apps: [][]string{{"0H4", "Acme Sync"}}}, true},
		"the network and the user":               {Exception{Users: names("svc-*"), Networks: networks("203.0.113.0/24")}, user, from("203.0.113.9"), true},
		"the user from elsewhere":                {Exception{Users: names("svc-*"), Networks: networks("203.0.113.0/24")}, user, from("198.51.100.1"), false},
		"it ends after the last event":           {Exception{Users: names("svc-*"), Until: at.Add(time.Hour + time.Millisecond)}, user, trace{}, true},
		"it ends with the last event":            {Exception{Users: names("svc-*"), Until: at.Add(time.Hour)}, user, trace{}, false},
		"it begins with the first event":         {Exception{Users: names("svc-*"), From: at}, user, trace{}, true},
		"it begins later":                        {Exception{Users: names("svc-*"), From: at.Add(time.Second)}, user, trace{}, false},
		"an entry that is not known any more":    {Exception{Users: []KnownName{{"svc-*", at}}}, user, trace{}, false},
		"a network that is not known any longer": {Exception{Networks: []KnownNetwork{{netip.MustParsePrefix("203.0.113.0/24"), at}}}, user, from("203.0.113.9"), false},
	}
	for name, c := range cases {
		if got := c.exception.covers(c.finding, c.trace); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMatchesPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "a", true}, {"a*a", "a", false}, {"a*b*c", "axbxc", true}, {"a*b*c", "acb", false},
		{"*b*", "abc", true}, {"*ab", "aab", true}, {"a*bc*c", "abc", false}, {"", "", true}, {"", "a", false}, {"*", "", true},
	} {
		if got := MatchesPattern(c.pattern, c.name); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.name, got)
		}
	}
}

// What an exception suppresses is stored and counted, and comes back as a finding when
// the exception is gone; a note stays a finding.
func TestExceptionsAreCountedAndTakenBack(t *testing.T) {
	rule := oneRule(t, "password-spray")
	store := openStore(t)
	insertEvents(t, store, firing(t, []Rule{rule}))
	runner := NewRunner(store, []Rule{rule}, Options{Clock: later})
	plain, err := runner.Scan(t.Context())
	if err != nil || len(plain) == 0 {
		t.Fatalf("%d findings, %v", len(plain), err)
	}
	from := plain[0].EntityUID
	if address, err := netip.ParseAddr(from); err == nil {
		from = netip.PrefixFrom(address, address.BitLen()).String()
	}
	wake := func(exceptions ...Exception) (handed []schema.Finding) {
		t.Helper()
		changed := rule
		changed.Exceptions = exceptions
		// The rule looks at everything anew, as it does when something has arrived.
		if err := store.Exec(t.Context(), "TRUNCATE TABLE watermarks"); err != nil {
			t.Fatal(err)
		}
		runner := NewRunner(store, []Rule{changed}, Options{Clock: later, OnFindings: func(_ context.Context, f []schema.Finding) error {
			handed = append(handed, f...)
			return nil
		}})
		if err := runner.Wake(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		return handed
	}
	stored := func() (findings, suppressed uint64, reasons []string) {
		t.Helper()
		err := store.QueryRow(t.Context(), "SELECT (SELECT count() FROM findings FINAL), count(), groupUniqArray(reason) FROM suppressed_findings FINAL").Scan(&findings, &suppressed, &reasons)
		if err != nil {
			t.Fatal(err)
		}
		return findings, suppressed, reasons
	}
	all := uint64(len(plain))
	if handed := wake(); len(handed) != len(plain) {
		t.Fatalf("%d findings are handed on, want %d", len(handed), len(plain))
	}
	expected := Exception{Networks: networks(from), Reason: "the yearly penetration test"}
	if handed := wake(expected); len(handed) != len(plain)-1 {
		t.Errorf("%d findings are handed on, want one less than %d", len(handed), len(plain))
	}
	if findings, suppressed, reasons := stored(); findings != all-1 || suppressed != 1 || reasons[0] != expected.Reason {
		t.Errorf("%d findings and %d suppressed ones are stored, for %q", findings, suppressed, reasons)
	}
	var told []schema.Finding
	excepted := rule
	excepted.Exceptions = []Exception{expected}
	found, err := NewRunner(store, []Rule{excepted}, Options{OnSuppressed: func(f []schema.Finding) { told = append(told, f...) }}).Scan(t.Context())
	if err != nil || len(found) != len(plain)-1 || len(told) != 1 || told[0].Suppressed != expected.Reason {
		t.Errorf("a scan finds %d and is told of %d, %v", len(found), len(told), err)
	}

	expected.Note = true
	handed := wake(expected)
	if len(handed) != len(plain) {
		t.Fatalf("%d findings are handed on, want %d", len(handed), len(plain))
	}
	if f := handed[0]; f.Severity != schema.SeverityInformational || f.Attributes[ExceptionAttribute] != expected.Reason || f.Attributes[SeverityBefore] != plain[0].Severity.String() {
		t.Errorf("the note is %+v", f)
	}
	if findings, suppressed, _ := stored(); findings != all || suppressed != 0 {
		t.Errorf("%d findings and %d suppressed ones are stored, want %d and none", findings, suppressed, all)
	}
	uses, err := ExceptionUses(t.Context(), store, Window{time.UnixMilli(0), endOfTime})
	if err != nil || len(uses) != 1 || uses[0].Rule != rule.ID || uses[0].Noted != 1 || uses[0].Suppressed != 0 || uses[0].Reason != expected.Reason {
		t.Errorf("uses %+v, %v", uses, err)
	}
	var suppressed, noted uint64
	if err := store.QueryRow(t.Context(), "SELECT sum(suppressed), sum(noted) FROM rule_runs").Scan(&suppressed, &noted); err != nil || suppressed != 1 || noted != 1 {
		t.Errorf("the runs count %d suppressed and %d noted findings, %v", suppressed, noted, err)
	}
}

// The evidence of a finding shows 50 of its events. What came from elsewhere among the
// others must keep an exception from covering it.
func TestAnExceptionSeesBeyondTheEvidence(t *testing.T) {
	rule := oneRule(t, "brute-force")
	rule.Params, rule.Query, rule.Screen, rule.Reads, rule.Message = nil, refusalsQuery, "", "", "{{entity_uid}} was refused."
	rule.Exceptions = []Exception{{Networks: networks("203.0.113.0/24"), Reason: "the office"}}
	for elsewhere, want := range map[bool]int{false: 0, true: 1} {
		store := openStore(t)
		var events []schema.Event
		for i := range 80 {
			address := "203.0.113.9"
			if elsewhere && i == 79 {
				address = "198.51.100.1"
			}
			events = append(events, refusal(i, address))
		}
		insertEvents(t, store, events)
		found, err := NewRunner(store, []Rule{rule}, Options{}).Scan(t.Context())
		if err != nil || len(found) != want {
			t.Errorf("one of 80 events from elsewhere %v: %d findings, %v", elsewhere, len(found), err)
		}
	}
}

func refusal(i int, address string) schema.Event {
	var event schema.Event
	var hash schema.UIDHasher
	hash.Part("refusal")
	hash.Number(uint64(i))
	event.UID = hash.Sum()
	event.Time = testBase.Add(time.Duration(i) * time.Second).UnixMilli()
	event.Text[schema.MetadataTenantUID], event.Text[schema.ActorUserName], event.Text[schema.SrcEndpointIP] = "acme", "crm-sync", address
	event.Number[schema.HTTPResponseCode], event.Number[schema.ClassUID] = 401, 6003
	return event
}

const refusalsQuery = `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_name AS entity_uid,
    min(time) AS first_seen, max(time) AS last_seen, count() AS count, arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND http_response_code = 401
GROUP BY tenant, product, entity_uid`
