package schema_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func TestMigrateIsAppliedOnce(t *testing.T) {
	conn := enginetest.Open(t)
	steps, err := schema.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, step := range steps {
		want = append(want, step.Name)
	}
	first, err := schema.Migrate(context.Background(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("applied steps (-want +got):\n%s", diff)
	}
	second, err := schema.Migrate(context.Background(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if len(second) != 0 {
		t.Errorf("a second migration applied %v, want nothing", second)
	}
}

// A column that exists only in Go is lost at every insert, and one that exists
// only in SQL is always empty.
func TestEventsTableHasTheEventsColumns(t *testing.T) {
	conn := enginetest.Open(t)
	ctx := context.Background()
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, `SELECT name, type FROM system.columns
		WHERE database = currentDatabase() AND table = {table:String} AND default_kind = ''`,
		schema.Named("table", schema.EventsTable))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		got[name] = kind
	}
	want := map[string]string{
		"time": "DateTime64(3, 'UTC')", "event_uid": "UUID", "unmapped": "Map(LowCardinality(String), String)",
	}
	for i := range schema.TextCount {
		text := schema.Text(i)
		want[text.Column()] = text.Type()
	}
	for i := range schema.NumberCount {
		number := schema.Number(i)
		want[number.Column()] = number.Type()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-Go +SQL):\n%s", diff)
	}
}

// Batch and table must agree on every column, with the values in place.
func TestBatchIsStoredAsAppended(t *testing.T) {
	conn := enginetest.Open(t)
	ctx := context.Background()
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	batch := schema.NewBatch()
	var e schema.Event
	for row := range 3 {
		e.Reset()
		e.Time = 1754300000123 + int64(row)
		e.UID = schema.HashUID("row", fmt.Sprint(row))
		for i := range e.Text {
			e.Text[i] = fmt.Sprintf("%s %d", schema.Text(i).Column(), row)
		}
		for i := range e.Number {
			e.Number[i] = uint64(row + i)
		}
		e.AddUnmapped("EXTRA", fmt.Sprint("value ", row))
		batch.Append(&e)
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	insertBlock(t, conn, block)
	var uid, extra string
	if err := conn.QueryRow(ctx, `SELECT toString(event_uid), unmapped['EXTRA'] FROM events
		WHERE time = fromUnixTimestamp64Milli(1754300000124, 'UTC')`).Scan(&uid, &extra); err != nil {
		t.Fatal(err)
	}
	if uid != schema.HashUID("row", "1").String() || extra != "value 1" {
		t.Errorf("row 1 is stored with event_uid %s and EXTRA %q, want %s and %q", uid, extra, schema.HashUID("row", "1"), "value 1")
	}
	for i := range schema.TextCount {
		column := schema.Text(i).Column()
		var got string
		if err := conn.QueryRow(ctx, "SELECT "+column+" FROM events ORDER BY time DESC LIMIT 1").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := column + " 2"; got != want {
			t.Errorf("%s of row 2 is %q, want %q", column, got, want)
		}
	}
	for i := range schema.NumberCount {
		column := schema.Number(i).Column()
		var got uint64
		if err := conn.QueryRow(ctx, "SELECT toUInt64("+column+") FROM events ORDER BY time DESC LIMIT 1").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := uint64(2 + i); got != want {
			t.Errorf("%s of row 2 is %d, want %d", column, got, want)
		}
	}
}

// A block with only the columns that are used must get the same defaults.
func TestEmptyColumnsAreLeftOutAndFilledIn(t *testing.T) {
	conn := enginetest.Open(t)
	ctx := context.Background()
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	batch := schema.NewBatch()
	e := schema.Event{Time: 1754300000123, UID: schema.HashUID("only")}
	e.Text[schema.ActorUserName] = "svc-sync@acme.example"
	batch.Append(&e)
	block, err := batch.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	insertBlock(t, conn, block)
	var name, app, version string
	var code uint16
	if err := conn.QueryRow(ctx, "SELECT actor_user_name, actor_app_name, metadata_version, http_response_code FROM events").
		Scan(&name, &app, &version, &code); err != nil {
		t.Fatal(err)
	}
	if name != "svc-sync@acme.example" || app != "" || version != "1.8.0" || code != 0 {
		t.Errorf("stored (%q, %q, %q, %d)", name, app, version, code)
	}
}
