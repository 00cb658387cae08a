package schema_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestClusterStatementsAreSQL has the engine parse every statement, and compares all
// of them with what was reviewed.
func TestClusterStatementsAreSQL(t *testing.T) {
	conn := enginetest.Open(t)
	for _, cluster := range []string{"", "crm"} {
		statements, err := schema.Statements(cluster)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if err := conn.Exec(context.Background(), "EXPLAIN AST "+s); err != nil {
				t.Errorf("%v\n%s", err, s)
			}
		}
		if cluster == "" {
			continue
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
}

// TestEveryTableOfAClusterIsReplicated looks for tables that would live on one server.
func TestEveryTableOfAClusterIsReplicated(t *testing.T) {
	statements, err := schema.Statements("crm")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if !strings.Contains(s, "ON CLUSTER `crm`") || !strings.Contains(s, "ENGINE = Replicated") && !strings.Contains(s, "ENGINE = Distributed(") || strings.Contains(s, "non_replicated") {
			t.Errorf("not for a cluster:\n%s", s)
		}
	}
}

func TestForCluster(t *testing.T) {
	for _, c := range []struct {
		statement string
		want      []string
	}{
		{"ALTER TABLE events ADD COLUMN IF NOT EXISTS x UInt8", []string{
			"ALTER TABLE events_local ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS x UInt8",
			"ALTER TABLE events ON CLUSTER `crm` ADD COLUMN IF NOT EXISTS x UInt8"}},
		{"ALTER TABLE alerts ADD COLUMN x UInt8", []string{"ALTER TABLE alerts ON CLUSTER `crm` ADD COLUMN x UInt8"}},
		{"ALTER TABLE events ADD INDEX i x TYPE minmax", []string{"ALTER TABLE events_local ON CLUSTER `crm` ADD INDEX i x TYPE minmax"}},
		{"ALTER TABLE events MODIFY TTL time + INTERVAL 1 YEAR", []string{"ALTER TABLE events_local ON CLUSTER `crm` MODIFY TTL time + INTERVAL 1 YEAR"}},
		{"OPTIMIZE TABLE events", nil},
		{"CREATE TABLE IF NOT EXISTS odd\n(\n a Int8\n)\nENGINE = Log\n", nil},
	} {
		got, err := schema.ForCluster(c.statement, "crm")
		if (err != nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.statement, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.statement, diff)
		}
	}
	for _, name := range []string{"", "a`b", "x; DROP TABLE events", "a'b", "-a"} {
		if _, err := schema.ForCluster("ALTER TABLE alerts ADD COLUMN x UInt8", name); err == nil {
			t.Errorf("the cluster name %q is taken", name)
		}
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
