package detectors

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Names that are looked for in the digest are those that the events of the 30 days say: of
// ids that change their names at random, also within the day and after the finding.
func TestNamesOfTheDigestAreThoseOfTheEvents(t *testing.T) {
	store := openStore(t)
	empty(t, store, "")
	random := rand.New(rand.NewPCG(uint64(*screenSeed), 3))
	var rows [][]any
	for i := range 900 {
		// Some moments are one, and half of them lie in the last hours.
		minutes := random.IntN(40*24*12) * 5
		if i%2 == 0 {
			minutes = random.IntN(2*24*12) * 5
		}
		class, name := uint16(6003), ""
		if i%3 > 0 {
			class, name = 3002, fmt.Sprint("name-", random.IntN(4))
		}
		var uid schema.UID
		uid[0], uid[1] = byte(i), byte(i>>8)
		rows = append(rows, []any{testBase.Add(-time.Duration(minutes) * time.Minute), testBase, uid.String(), "acme", "Salesforce", class, fmt.Sprint("005", random.IntN(12)), name})
	}
	if err := insertRows(t.Context(), store, "INSERT INTO events (time, ingested_at, event_uid, metadata_tenant_uid, metadata_product_name, class_uid, actor_user_uid, actor_user_name)", rows); err != nil {
		t.Fatal(err)
	}
	for window, back := range map[time.Duration]time.Duration{time.Hour: 8 * time.Hour, day: 2 * day} {
		rule := Rule{ID: "called", Title: "Call", Kind: KindQuery, EntityType: "user", Window: window, Query: callersQuery, Message: "{{entity}} called."}
		find := func(rules ...Rule) []schema.Finding {
			found, err := NewRunner(store, rules, Options{Clock: func() time.Time { return testBase }}).Evaluate(t.Context(), rule, testBase.Add(-back), testBase)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		want, got := find(rule), find(rule, oneRule(t, "traffic-spike"))
		if len(want) < 12 || len(got) != len(want) {
			t.Fatalf("%d and %d findings", len(got), len(want))
		}
		named := 0
		for i, f := range want {
			if got[i].Entity != f.Entity || got[i].UID != f.UID {
				t.Errorf("window %s from %s: %s is called %s, want %s", window, f.WindowFrom, f.EntityUID, got[i].Entity, f.Entity)
			}
			if strings.HasPrefix(f.Entity, "name-") {
				named++
			}
		}
		if named == 0 {
			t.Error("nobody has a name")
		}
	}
}

const callersQuery = `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_uid AS entity_uid,
    min(time) AS first_seen, max(time) AS last_seen, count() AS count, arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND class_uid = 6003
GROUP BY tenant, product, entity_uid`

func TestLastShownName(t *testing.T) {
	at := func(hour float64) time.Time { return testBase.Add(time.Duration(hour * float64(time.Hour))) }
	for _, test := range []struct {
		what   string
		shown  []shownName
		name   string
		unsure bool
	}{
		{"nobody", nil, "", false},
		{"the last", []shownName{{at(1), at(2), "a"}, {at(0), at(3), "b"}}, "b", false},
		{"of one moment the greatest", []shownName{{at(1), at(2), "b"}, {at(1), at(2), "a"}}, "b", false},
		{"after the window", []shownName{{at(-30), at(-29), "a"}, {at(6), at(7), "b"}}, "a", false},
		{"too long ago", []shownName{{at(-49), at(-48.5), "a"}}, "", false},
		{"the day goes on under one name", []shownName{{at(-30), at(-29), "a"}, {at(1), at(9), "b"}}, "b", false},
		{"the day goes on under two", []shownName{{at(1), at(9), "a"}, {at(2), at(3), "b"}}, "", true},
	} {
		name, unsure := lastShown(test.shown, at(-48), at(6))
		if unsure != test.unsure || !unsure && name != test.name {
			t.Errorf("%s: %q, unsure %v", test.what, name, unsure)
		}
	}
}
