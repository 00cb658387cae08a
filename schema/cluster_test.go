package schema_test

import (
	"context"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// crm is a place as an administrator would name it.
var crm = schema.Place{Database: "crmwatch", Cluster: "crm"}

func script(t *testing.T, place schema.Place) []string {
	t.Helper()
	names, err := schema.MigrationNames()
	if err != nil {
		t.Fatal(err)
	}
	statements, err := schema.Script(place, names)
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

// TestClusterScriptIsSQL has the engine parse every statement, and compares all of them
// with what was reviewed.
func TestClusterScriptIsSQL(t *testing.T) {
	conn := enginetest.Open(t)
	statements := script(t, crm)
	for _, s := range statements {
		if err := conn.Exec(context.Background(), "EXPLAIN AST "+s); err != nil {
			t.Errorf("%v\n%s", err, s)
		}
	}
	const file = "testdata/cluster.sql"
	got := strings.Join(statements, ";\n\n") + ";\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -update rewrites it):\n%s", file, diff)
	}
}

// A person who hands the script to a server gets what Migrate makes, and Migrate then
// finds nothing to do.
func TestServerScriptIsWhatMigrateDoes(t *testing.T) {
	ctx := context.Background()
	conn, name := enginetest.OpenDatabase(t)
	for _, s := range script(t, schema.Place{Database: name}) {
		if err := conn.Exec(ctx, s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
	applied, err := schema.Migrate(ctx, conn)
	if err != nil || len(applied) != 0 {
		t.Errorf("after the script, Migrate applied %v, %v", applied, err)
	}
	part, err := schema.Script(schema.Place{Database: name}, []string{"0007_deliveries"})
	if err != nil || !strings.Contains(strings.Join(part, "\n"), "EXISTS deliveries") || strings.Contains(strings.Join(part, "\n"), "EXISTS events") {
		t.Errorf("the script of one migration is %v, %v", part, err)
	}
}

// TestEveryTableOfAClusterIsReplicated looks for tables that would live on one server,
// and for names that each server would look up in a database of its own choice.
func TestEveryTableOfAClusterIsReplicated(t *testing.T) {
	for _, s := range script(t, crm) {
		switch {
		case strings.HasPrefix(s, "INSERT INTO `crmwatch`.schema_migrations "), s == "CREATE DATABASE IF NOT EXISTS `crmwatch` ON CLUSTER `crm`":
		case strings.HasPrefix(s, "ALTER TABLE `crmwatch`.") && strings.Contains(s, " ON CLUSTER `crm` "):
		case strings.HasPrefix(s, "CREATE VIEW IF NOT EXISTS `crmwatch`.") && strings.Contains(s, " ON CLUSTER `crm`") && !bareTable.MatchString(s):
		case !strings.HasPrefix(s, "CREATE TABLE IF NOT EXISTS `crmwatch`."),
			!strings.Contains(s, " ON CLUSTER `crm`"),
			!strings.Contains(s, "ENGINE = Replicated") && !strings.Contains(s, "ENGINE = Distributed('crm', 'crmwatch', "),
			strings.Contains(s, " AS ") && strings.Contains(s, "Distributed") && !strings.Contains(s, " AS `crmwatch`."),
			strings.Contains(s, "non_replicated"):
			t.Errorf("not for a cluster:\n%s", s)
		}
	}
}

// Rows that one server would make one must come to one shard: the sharding key of a
// Distributed table may use only what its local table is sorted by.
func TestShardingKeyIsOfTheSortingKey(t *testing.T) {
	ctx := context.Background()
	conn := enginetest.OpenCluster(t, enginetest.OneShard)
	rows, err := conn.Query(ctx, `SELECT d.name, any(l.sorting_key), groupArrayIf(c.name, match(d.engine_full, concat('\\b', c.name, '\\b')))
		FROM system.tables AS d
		INNER JOIN system.tables AS l ON l.database = d.database AND l.name = concat(d.name, '_local')
		INNER JOIN system.columns AS c ON c.database = d.database AND c.table = d.name
		WHERE d.database = currentDatabase() AND d.engine = 'Distributed' GROUP BY d.name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := 0
	for rows.Next() {
		var table, sorting string
		var columns []string
		if err := rows.Scan(&table, &sorting, &columns); err != nil {
			t.Fatal(err)
		}
		tables++
		sorted := regexp.MustCompile(`\w+`).FindAllString(sorting, -1)
		for _, column := range columns {
			if !slices.Contains(sorted, column) {
				t.Errorf("%s is sharded by %s, and sorted by (%s)", table, column, sorting)
			}
		}
		if len(columns) == 0 {
			t.Errorf("%s is sharded by no column", table)
		}
	}
	if err := rows.Err(); err != nil || tables != 2 {
		t.Errorf("%d tables are sharded, want events and quarantine (%v)", tables, err)
	}
}

func TestRenderForACluster(t *testing.T) {
	const local, whole = "ALTER TABLE `crmwatch`.events_local ON CLUSTER `crm` ", "ALTER TABLE `crmwatch`.events ON CLUSTER `crm` "
	for _, c := range []struct {
		statement string
		want      []string
	}{
		{"ALTER TABLE events ADD COLUMN IF NOT EXISTS x UInt8", []string{local + "ADD COLUMN IF NOT EXISTS x UInt8", whole + "ADD COLUMN IF NOT EXISTS x UInt8"}},
		{"ALTER TABLE alerts ADD COLUMN x UInt8", []string{"ALTER TABLE `crmwatch`.alerts ON CLUSTER `crm` ADD COLUMN x UInt8"}},
		{"ALTER TABLE events ADD INDEX i x TYPE minmax", []string{local + "ADD INDEX i x TYPE minmax"}},
		{"ALTER TABLE events MODIFY TTL time + INTERVAL 1 YEAR", []string{local + "MODIFY TTL time + INTERVAL 1 YEAR"}},
		{"OPTIMIZE TABLE events", nil},
		{"CREATE TABLE IF NOT EXISTS odd\n(\n a Int8\n)\nENGINE = Log\n", nil},
	} {
		got, err := schema.Render(c.statement, crm)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.statement, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.statement, diff)
		}
	}
}

func TestNamesThatAreNoNamesAreRefused(t *testing.T) {
	for _, name := range []string{"a`b", "x; DROP TABLE events", "a'b", "-a", "a b", strings.Repeat("a", 65)} {
		for _, place := range []schema.Place{{Database: name}, {Database: "crmwatch", Cluster: name}, {Database: name, Cluster: "crm"}} {
			if _, err := schema.Render("ALTER TABLE alerts ADD COLUMN x UInt8", place); err == nil {
				t.Errorf("%+v is taken by Render", place)
			}
			if _, err := schema.Script(place, nil); err == nil {
				t.Errorf("%+v is taken by Script", place)
			}
			if _, err := schema.CreateDatabase(context.Background(), nil, place); err == nil {
				t.Errorf("%+v is taken by CreateDatabase", place)
			}
		}
	}
	if _, err := schema.MigrateCluster(context.Background(), nil, ""); err == nil {
		t.Error("a cluster without a name is migrated")
	}
}

// TestOneDatabaseIsOneKind refuses to make a cluster's tables beside a server's.
func TestOneDatabaseIsOneKind(t *testing.T) {
	ctx, conn := context.Background(), enginetest.Open(t)
	pending, err := schema.Pending(ctx, conn)
	if err != nil || len(pending) < 7 {
		t.Fatalf("%d steps are pending, %v", len(pending), err)
	}
	if _, err := schema.Migrate(ctx, conn); err != nil {
		t.Fatal(err)
	}
	if pending, err = schema.Pending(ctx, conn); err != nil || len(pending) != 0 {
		t.Fatalf("%v are pending, %v", pending, err)
	}
	if err := conn.Exec(ctx, "TRUNCATE TABLE schema_migrations"); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.MigrateCluster(ctx, conn, "crm"); err == nil || !strings.Contains(err.Error(), "a database of their own") {
		t.Errorf("a cluster's tables beside a server's: %v", err)
	}
	// As on a cluster: the shard's part of the table has another name.
	if err := conn.Exec(ctx, "RENAME TABLE events TO events_local"); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Migrate(ctx, conn); err == nil || !strings.Contains(err.Error(), "crmwatch migrate --cluster") {
		t.Errorf("a cluster is migrated as one server: %v", err)
	}
}

// bareTable finds a table that each server of a cluster would look up in a database of
// its own choice.
var bareTable = regexp.MustCompile(`\b(FROM|JOIN) [^(` + "`" + `]`)
