package hold

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wicked are names that would be statements, parameters or patterns, were they not quoted.
var wicked = []string{`a' OR 1=1`, `a\`, `\' OR 1=1 --`, `{x:String}`, `?`, `$1`, `@p`, `a%_*`, `) OR (1=1`, "ä ' ß", `*/ DROP TABLE events --`}

func TestAHoldCoversWhatItNamesAndNothingElse(t *testing.T) {
	ctx := context.Background()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		`INSERT INTO events (time, event_uid, metadata_tenant_uid, metadata_product_name, class_uid, actor_user_name, user_name, actor_app_name)
SELECT toDateTime64('2026-03-01 12:00:00', 3, 'UTC') + number, generateUUIDv4(), ['acme', 'globex'][number % 2 + 1], ['Salesforce', 'HubSpot'][intDiv(number, 2) % 2 + 1],
    [3002, 6003][intDiv(number, 4) % 2 + 1], ['Alice@acme.example', 'bob'][intDiv(number, 8) % 2 + 1], ['', 'alice@ACME.example'][intDiv(number, 16) % 2 + 1], ['crm-sync', ''][intDiv(number, 32) % 2 + 1]
FROM numbers(64)`,
		`INSERT INTO findings (finding_uid, metadata_tenant_uid, metadata_product_name, entity, first_seen, last_seen)
SELECT generateUUIDv4(), ['acme', 'globex'][number % 2 + 1], 'Salesforce', 'alice@acme.example', toDateTime64('2026-03-01 12:00:00', 3, 'UTC'), toDateTime64('2026-03-01 12:01:00', 3, 'UTC') FROM numbers(4)`,
		`INSERT INTO quarantine (quarantine_uid, ingested_at, content) VALUES (generateUUIDv4(), '2026-03-02 00:00:00', 'login of ALICE@acme.example'), (generateUUIDv4(), '2026-02-01 00:00:00', 'bob')`,
	} {
		if err := conn.Exec(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name                         string
		hold                         Hold
		events, findings, quarantine uint64
	}{
		{"tenant", Hold{Tenant: "acme"}, 32, 2, 2},
		{"another tenant", Hold{Tenant: "acme2"}, 0, 0, 2},
		{"user, in any column and case", Hold{Users: []string{"ALICE@acme.example"}}, 48, 4, 1},
		{"one of two users", Hold{Users: []string{"bob", "carol"}}, 32, 0, 1},
		{"entity", Hold{Entities: []string{"crm-sync"}}, 32, 0, 0},
		{"tenant and user", Hold{Tenant: "globex", Users: []string{"bob"}}, 16, 0, 1},
		{"product", Hold{Product: "HubSpot"}, 32, 0, 2},
		{"class; findings have none", Hold{Class: 3002, Tenant: "acme"}, 16, 2, 2},
		{"from the very second", Hold{From: noon.Add(60 * time.Second)}, 4, 4, 1},
		{"to the very second", Hold{To: noon.Add(4 * time.Second)}, 4, 4, 2},
		{"from after the findings", Hold{From: noon.Add(61 * time.Second)}, 3, 0, 1},
		{"released", Hold{Tenant: "acme", ReleasedAt: noon}, 0, 0, 0},
	} {
		for table, want := range map[string]uint64{"events": c.events, "findings": c.findings, "quarantine": c.quarantine} {
			var got uint64
			if err := conn.QueryRow(ctx, countHeld(table, Condition(table, []Hold{c.hold}), "1")).Scan(&got); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if got != want {
				t.Errorf("%s covers %d of %s, want %d", c.name, got, table, want)
			}
		}
	}
	for _, table := range Tables() {
		for _, name := range wicked {
			h := Hold{UID: schema.HashUID(name), Reason: "x", Tenant: name, Users: []string{name}, Entities: []string{name}, Product: name}
			if err := h.Check(); err != nil {
				t.Fatal(err)
			}
			var got uint64
			if err := conn.QueryRow(ctx, countHeld(table, Condition(table, []Hold{h}), "1")).Scan(&got); err != nil || got != 0 {
				t.Errorf("a hold on %q covers %d rows of %s, %v", name, got, table, err)
			}
		}
	}
}

func TestHoldsAreKept(t *testing.T) {
	ctx := context.Background()
	conn := enginetest.Open(t)
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	made := Hold{UID: schema.HashUID("one"), CreatedAt: noon, CreatedBy: "carol@desk", Reason: "matter 17", Tenant: wicked[0], Users: []string{"alice", wicked[2]}, Class: 3002, From: noon}
	if err := Save(ctx, conn, made, noon); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(ctx, "INSERT INTO findings (finding_uid, metadata_tenant_uid, entity, last_seen) SELECT generateUUIDv4(), {t:String}, 'Alice', '2026-03-02 00:00:00' FROM numbers(3)", schema.Named("t", wicked[0])); err != nil {
		t.Fatal(err)
	}
	found, err := One(ctx, conn, made.UID.String()[:8])
	if err != nil || found.String() != made.String() || !found.Stands() || found.Reason != made.Reason {
		t.Fatalf("found %v, %v", found, err)
	}
	covering, err := Covering(ctx, conn, "findings", "entity = {e:String}", schema.Named("e", "Alice"))
	if err != nil || len(covering) != 1 || covering[0].Rows != 3 {
		t.Errorf("covering: %v, %v", covering, err)
	}
	found.ReleasedAt, found.ReleasedBy, found.ReleaseReason = noon.Add(time.Hour), "dave@desk", "settled"
	if err := Save(ctx, conn, found, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if active, err := Active(ctx, conn); err != nil || len(active) != 0 {
		t.Errorf("active: %v, %v", active, err)
	}
	all, err := All(ctx, conn)
	if err != nil || len(all) != 1 || all[0].ReleaseReason != "settled" || all[0].Stands() {
		t.Errorf("all: %v, %v", all, err)
	}
	if _, err := One(ctx, conn, made.UID.String()[:8]); err == nil || !strings.Contains(err.Error(), "no hold that stands") {
		t.Errorf("a released hold: %v", err)
	}
	for _, bad := range []Hold{{Tenant: "acme"}, {Reason: "x"}, {Reason: "x", Users: []string{" "}}, {Reason: "x", Tenant: "a\x00b"}, {Reason: "x", Tenant: strings.Repeat("a", 300)},
		{Reason: "x", From: noon, To: noon}, {Reason: "x", Users: []string{"a\u200bb"}}, {Reason: "x", Product: "a\xffb"}} {
		if err := Save(ctx, conn, bad, noon); err == nil {
			t.Errorf("saved %v", bad)
		}
	}
}
