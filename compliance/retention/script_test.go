package retention

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestTheStatementsAreReviewed has the engine parse every statement, and compares all of
// them with what was reviewed: for a server, and for a cluster.
func TestTheStatementsAreReviewed(t *testing.T) {
	conn := enginetest.Open(t)
	policy := NewPolicy(
		Rule{What: Events, Keep: 400 * day}, Rule{What: Events, Class: 6003, Keep: 90 * day}, Rule{What: Events, Class: 4002, Keep: 30 * day},
		Rule{What: Events, Tenant: "acme", Keep: 180 * day}, Rule{What: Events, Tenant: wicked[0], Class: 4002, Keep: 14 * day},
		Rule{What: Audit, Keep: 730 * day}, Rule{What: Quarantine, Keep: 30 * day}, Rule{What: Findings, Keep: 730 * day}, Rule{What: Alerts, Keep: 730 * day},
	)
	holds := []hold.Hold{{Tenant: "acme", Users: []string{"alice@acme.example"}, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for file, place := range map[string]schema.Place{"server": {Database: "crmwatch"}, "cluster": {Database: "crmwatch", Cluster: "crm"}} {
		statements := Script(place, policy, builtIn(t), holds)
		for _, s := range statements {
			if err := conn.Exec(context.Background(), "EXPLAIN AST "+s); err != nil {
				t.Errorf("%v\n%s", err, s)
			}
			if place.Cluster != "" && (!strings.Contains(s, " ON CLUSTER `crm` ") || !strings.Contains(s, "TABLE `crmwatch`.")) {
				t.Errorf("not for a cluster: %s", s)
			}
		}
		path := "testdata/" + file + ".sql"
		got := strings.Join(statements, ";\n\n") + ";\n"
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got, -update rewrites it):\n%s", path, diff)
		}
	}
	for _, start := range []bool{false, true} {
		if err := conn.Exec(context.Background(), "EXPLAIN AST "+(schema.Place{Database: "crmwatch", Cluster: "crm"}).TTLMerges("events", start)); err != nil {
			t.Error(err)
		}
	}
}

// On the tables of a cluster, the shard's own are changed, and not the Distributed ones.
func TestTheTablesOfAClusterAreFound(t *testing.T) {
	conn := enginetest.OpenCluster(t, enginetest.OneShard)
	place, err := schema.FindPlace(context.Background(), conn)
	if err != nil || place.Cluster != enginetest.OneShard {
		t.Fatalf("found %v, %v", place, err)
	}
	changes, err := Plan(context.Background(), conn, NewPolicy(Rule{What: Events, Keep: day}, Rule{What: Findings, Keep: day}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, c := range changes {
		all += strings.Join(c.Statements, "\n") + "\n"
	}
	for _, want := range []string{".events_local ON CLUSTER `one_shard` MODIFY TTL ", ".findings ON CLUSTER `one_shard` MODIFY TTL ", ".event_hours ON CLUSTER"} {
		if !strings.Contains(all, want) {
			t.Errorf("missing %q in:\n%s", want, all)
		}
	}
}

func TestKeepIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{"36h": 36 * time.Hour, "400d": 400 * day, "26w": 182 * day, "2y": 730 * day, "forever": Forever, "25y": most} {
		got, err := ParseKeep(text)
		if err != nil || got != want {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
		if back, err := ParseKeep(KeepText(got)); err != nil || back != want {
			t.Errorf("%s is written as %s", text, KeepText(got))
		}
	}
	for _, text := range []string{"", "0d", "30m", "26y", "1.5y", "-3d", "400", "d", "9999999d", "never"} {
		if got, err := ParseKeep(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestTheMoreSpecificRuleCounts(t *testing.T) {
	p := NewPolicy(Rule{What: Events, Keep: 400 * day}, Rule{What: Events, Class: 6003, Keep: 90 * day}, Rule{What: Events, Tenant: "acme", Keep: 180 * day}, Rule{What: Events, Tenant: "acme", Class: 4002, Keep: Forever})
	for _, c := range []struct {
		tenant string
		class  uint16
		want   time.Duration
	}{{"", 3002, 400 * day}, {"globex", 6003, 90 * day}, {"acme", 6003, 180 * day}, {"acme", 4002, Forever}, {"acme", 3002, 180 * day}} {
		if got := p.Keep(Events, c.tenant, c.class); got != c.want {
			t.Errorf("%s %d is kept %s, want %s", c.tenant, c.class, KeepText(got), KeepText(c.want))
		}
	}
	if got := p.Shortest("globex", nil); got != 90*day {
		t.Errorf("any class is kept %s", KeepText(got))
	}
	if got := p.Keep(Findings, "", 0); got != Forever {
		t.Errorf("what is not told is kept %s", KeepText(got))
	}
}

// What is made of events may not outlive them because a table was forgotten.
func TestEveryTableMadeOfEventsIsKept(t *testing.T) {
	var made []string
	err := enginetest.OpenStore(t).QueryRow(t.Context(), `SELECT arraySort(groupArray(name)) FROM system.tables
		WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree') AND (startsWith(name, 'event_') OR name IN ('rule_seen', 'rule_steps', 'rule_activity'))`).Scan(&made)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, table := range tables {
		if table.what == Digests {
			kept = append(kept, table.name)
		}
	}
	slices.Sort(kept)
	if diff := cmp.Diff(made, kept); diff != "" {
		t.Errorf("tables that are made of events (-there, +kept):\n%s", diff)
	}
}
