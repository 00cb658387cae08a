package schema_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// oddTenant is a name that would do harm if it were not quoted.
const oddTenant = `acme' OR 1=1 --\`

// TestRoleScriptIsSQL has the engine parse every statement, and compares all of them
// with what was reviewed.
func TestRoleScriptIsSQL(t *testing.T) {
	conn := enginetest.Open(t)
	for file, place := range map[string]schema.Place{"testdata/roles.sql": {Database: "crmwatch"}, "testdata/roles_cluster.sql": crm} {
		statements, err := schema.RoleScript(place, []string{"acme", oddTenant})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if err := conn.Exec(context.Background(), "EXPLAIN AST "+s); err != nil {
				t.Errorf("%v\n%s", err, s)
			}
			if place.Cluster != "" && !strings.Contains(s, " ON CLUSTER `crm`") {
				t.Errorf("only one server of the cluster would get this:\n%s", s)
			}
		}
		got := strings.Join(statements, ";\n") + ";\n"
		if *update {
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
	for _, tenants := range [][]string{{""}, {"acme", "acme"}, {"a-b", "a.b"}} {
		if _, err := schema.RoleScript(crm, tenants); err == nil {
			t.Errorf("the tenants %q are taken", tenants)
		}
	}
}

// Codes of ClickHouse's refusals.
const (
	readonly   = 164
	denied     = 497
	constraint = 452
	// nothing: of the tables that merge() may read, none has the name.
	nothing = 636
)

// forbidden says for each role which statements it may run (0) and with which code others
// are refused.
var forbidden = map[string][]struct {
	code int32
	sql  string
}{
	schema.RoleIngest: {
		{0, "INSERT INTO events (time, event_uid, metadata_tenant_uid) VALUES ('2026-03-01 00:00:01', generateUUIDv4(), 'other')"},
		{0, "INSERT INTO quarantine (quarantine_uid, reason) VALUES (generateUUIDv4(), 'x')"},
		{0, "INSERT INTO deliveries (agent_uid, sequence) VALUES ('a', 1)"},
		{0, "SELECT count() FROM deliveries"},
		{0, "SELECT count() FROM schema_migrations"},
		{denied, "SELECT count() FROM events"},
		{denied, "SELECT content FROM quarantine"},
		{denied, "INSERT INTO findings (rule) VALUES ('x')"},
		{denied, "INSERT INTO alerts (title) VALUES ('x')"},
		{denied, "INSERT INTO silences (author) VALUES ('x')"},
		{denied, "ALTER TABLE events DELETE WHERE 1"},
		{denied, "ALTER TABLE events MODIFY TTL toDateTime(time)"},
		{denied, "TRUNCATE TABLE events"},
		{denied, "DROP TABLE events"},
		{denied, "SELECT * FROM file('/etc/passwd', LineAsString)"},
		{constraint, "INSERT INTO deliveries (agent_uid, sequence) SETTINGS async_insert = 1 VALUES ('a', 1)"},
	},
	schema.RoleDetect: {
		{0, "SELECT count() FROM events"},
		{0, "INSERT INTO findings (rule) VALUES ('x')"},
		{0, "DELETE FROM findings WHERE rule = 'x'"},
		{0, "INSERT INTO alert_transitions (action) VALUES ('open')"},
		{0, "CREATE DATABASE default_self_test"},
		{0, "CREATE TABLE default_self_test.t (a UInt8) ENGINE = MergeTree ORDER BY a"},
		{0, "DROP DATABASE default_self_test SYNC"},
		{0, "ALTER TABLE events MODIFY SETTING merge_with_ttl_timeout = 86400"},
		{denied, "DELETE FROM alert_transitions WHERE 1"},
		{denied, "DELETE FROM evidence_chain WHERE 1"},
		{denied, "ALTER TABLE summaries UPDATE content = '' WHERE 1"},
		{denied, "DELETE FROM events WHERE 1"},
		{denied, "ALTER TABLE alerts DELETE WHERE 1"},
		{denied, "TRUNCATE TABLE findings"},
		{denied, "DROP TABLE findings"},
		{denied, "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a"},
		{denied, "CREATE DATABASE other"},
		{denied, "CREATE ROLE x"},
		{denied, "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')"},
	},
	schema.RoleAnalyst: {
		{0, "SELECT count() FROM events"},
		{0, "SELECT count() FROM calls"},
		{0, "SELECT count() FROM logins(from = '2026-01-01', to = '2026-02-01')"},
		{0, "SELECT count() FROM alert_times"},
		{0, "SELECT count() FROM rule_health"},
		{0, "SELECT count() FROM acts"},
		{0, "SELECT reason, line FROM quarantine"},
		{0, "SELECT name, comment FROM system.columns WHERE table = 'calls'"},
		{0, "SELECT 1 SETTINGS max_execution_time = 300"},
		{denied, "SELECT content FROM quarantine"},
		{denied, "SELECT * FROM quarantine"},
		{denied, "SELECT count() FROM alert_requests"},
		{denied, "SELECT count() FROM deliveries"},
		{denied, "SELECT count() FROM rule_steps"},
		{denied, "INSERT INTO silences (author) VALUES ('x')"},
		{denied, "DELETE FROM findings WHERE 1"},
		{denied, "ALTER TABLE events DELETE WHERE 1"},
		{denied, "DROP VIEW calls"},
		{denied, "SELECT * FROM file('/etc/passwd', LineAsString)"},
		{denied, "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')"},
		{denied, "SELECT * FROM remote('127.0.0.1', default.alert_requests)"},
		{nothing, "SELECT * FROM merge('default', '^alert_requests$')"},
		{denied, "GRANT SELECT ON default.alert_requests TO default"},
		{readonly, "SELECT 1 SETTINGS readonly = 0"},
		{constraint, "SELECT 1 SETTINGS max_execution_time = 100000"},
		{constraint, "SELECT 1 SETTINGS max_memory_usage = 0"},
	},
	schema.RoleCompliance: {
		{0, "SELECT count() FROM events"},
		{0, "SELECT content FROM quarantine"},
		{0, "SELECT count() FROM alert_requests"},
		{0, "SELECT count() FROM rule_health"},
		{0, "INSERT INTO evidence_chain (sequence) VALUES (0)"},
		{0, "INSERT INTO summaries (version) VALUES (0)"},
		{denied, "DELETE FROM evidence_chain WHERE 1"},
		{denied, "ALTER TABLE summaries DELETE WHERE 1"},
		{denied, "INSERT INTO legal_holds (reason) VALUES ('x')"},
		{denied, "ALTER TABLE events MODIFY TTL toDateTime(time)"},
		{denied, "INSERT INTO alerts (title) VALUES ('x')"},
		{denied, "INSERT INTO alert_transitions (action) VALUES ('x')"},
		{denied, "DELETE FROM alert_transitions WHERE 1"},
		{denied, "ALTER TABLE events DELETE WHERE 1"},
		{denied, "TRUNCATE TABLE alert_transitions"},
		{denied, "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a"},
		{denied, "SELECT * FROM file('/etc/passwd', LineAsString)"},
	},
	schema.RoleMigrate: {
		{0, "CREATE TABLE IF NOT EXISTS x (a UInt8) ENGINE = MergeTree ORDER BY a"},
		{0, "ALTER TABLE x ADD COLUMN b UInt8"},
		{0, "ALTER TABLE x MODIFY TTL toDateTime(a) + INTERVAL 1 YEAR"},
		{0, "ALTER TABLE x DELETE WHERE 1"},
		{0, "DROP TABLE x SYNC"},
		{0, "INSERT INTO schema_migrations (name) VALUES ('x')"},
		{denied, "CREATE ROLE x"},
		{denied, "CREATE USER x"},
		{denied, "GRANT SELECT ON default.* TO default"},
		{denied, "CREATE TABLE other.x (a UInt8) ENGINE = MergeTree ORDER BY a"},
		{denied, "CREATE FUNCTION f AS x -> x"},
		{denied, "SYSTEM SHUTDOWN"},
		{denied, "SELECT * FROM file('/etc/passwd', LineAsString)"},
	},
	"crm_analyst_acme": {
		{0, "SELECT throwIf(count() != 1 OR any(metadata_tenant_uid) != 'acme') FROM events"},
		{0, "SELECT throwIf(count() != 0) FROM calls"},
		{0, "SELECT throwIf(count() != 1) FROM logins(from = '2026-01-01', to = '2026-04-01')"},
		{0, "SELECT throwIf(count() != 0) FROM acts"},
		{0, "SELECT throwIf(count() != 1) FROM findings"},
		{0, "SELECT throwIf(count() != 1) FROM event_hours"},
		{0, "SELECT throwIf(count() != 1) FROM events AS e INNER JOIN findings AS f ON 1 = 1"},
		{denied, "SELECT count() FROM quarantine"},
		{denied, "SELECT count() FROM alert_transitions"},
		{denied, "SELECT count() FROM rule_runs"},
		{denied, "SELECT count() FROM silences"},
		{denied, "INSERT INTO findings (rule) VALUES ('x')"},
	},
}

// TestRoles gives the engine each role's grants, limits and policies in its configuration,
// because an embedded engine takes no CREATE ROLE, and tries what the role may and may not.
func TestRoles(t *testing.T) {
	dir := t.TempDir()
	asAdmin(t, dir, "", func(conn clickhouse.Conn) {
		if _, err := schema.Migrate(context.Background(), conn); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			`INSERT INTO events (time, event_uid, metadata_tenant_uid, metadata_product_name, class_uid, activity_id, actor_user_name) VALUES
				('2026-03-01', generateUUIDv4(), 'acme', 'Salesforce', 3002, 1, 'a'), ('2026-03-01', generateUUIDv4(), 'globex', 'Salesforce', 3002, 1, 'b'), ('2026-03-01', generateUUIDv4(), 'acme''', 'Salesforce', 6003, 1, 'b'),
				('2026-03-01', generateUUIDv4(), '', 'crmwatch', 3004, 1, 'alice@host')`,
			"INSERT INTO findings (finding_uid, metadata_tenant_uid) VALUES (generateUUIDv4(), 'acme'), (generateUUIDv4(), 'globex')",
			"INSERT INTO event_hours (tenant, hour) VALUES ('acme', '2026-03-01 00:00:00'), ('globex', '2026-03-01 00:00:00')",
		} {
			if err := conn.Exec(context.Background(), sql); err != nil {
				t.Fatal(err)
			}
		}
	})
	script, err := schema.RoleScript(schema.Place{Database: "default"}, []string{"acme", oddTenant})
	if err != nil {
		t.Fatal(err)
	}
	for role, cases := range forbidden {
		asAdmin(t, dir, usersOf(t, script, role), func(conn clickhouse.Conn) {
			for _, c := range cases {
				err := conn.Exec(context.Background(), c.sql)
				var refusal *clickhouse.Exception
				switch {
				case c.code == 0 && err != nil:
					t.Errorf("%s may not: %s\n%v", role, c.sql, err)
				case c.code != 0 && !errors.As(err, &refusal):
					t.Errorf("%s: %s: want code %d, got %v", role, c.sql, c.code, err)
				case c.code != 0 && refusal.Code != c.code:
					t.Errorf("%s: %s: want code %d, got %v", role, c.sql, c.code, err)
				}
			}
		})
	}
	if len(forbidden) < schema.RoleCount+1 {
		t.Errorf("%d roles are tried", len(forbidden))
	}
}

// asAdmin starts an engine whose administrator is what users says, and stops it.
func asAdmin(t *testing.T, dir, users string, do func(clickhouse.Conn)) {
	t.Helper()
	folder := filepath.Join(dir, "config", "users.d")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "roles.xml"), []byte("<clickhouse>"+users+"</clickhouse>"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	do(conn)
}

var (
	createRole    = regexp.MustCompile(`^CREATE ROLE IF NOT EXISTS (\w+) SETTINGS PROFILE '(\w+)'$`)
	createProfile = regexp.MustCompile(`^CREATE SETTINGS PROFILE IF NOT EXISTS (\w+) SETTINGS (.*)$`)
	createPolicy  = regexp.MustCompile(`(?s)^CREATE ROW POLICY IF NOT EXISTS \w+ ON .(\w+).\.(\w+) USING (.*) TO (\w+)$`)
	oneSetting    = regexp.MustCompile(`^(\w+) = (\w+)(?: MIN (\d+) MAX (\d+))?( CONST)?$`)
)

// usersOf says in the engine's configuration what the script's statements say of a role.
func usersOf(t *testing.T, script []string, role string) string {
	t.Helper()
	escape := func(text string) string {
		var out strings.Builder
		if err := xml.EscapeText(&out, []byte(text)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	var grants, settings, constraints, policies strings.Builder
	profile := ""
	for _, s := range script {
		if m := createRole.FindStringSubmatch(s); m != nil && m[1] == role {
			profile = m[2]
		}
		if grant, found := strings.CutSuffix(s, " TO "+role); found && strings.HasPrefix(s, "GRANT ") {
			fmt.Fprintf(&grants, "<query>%s</query>", escape(grant))
		}
		if m := createPolicy.FindStringSubmatch(s); m != nil && m[4] == role {
			fmt.Fprintf(&policies, "<%s><filter>%s</filter></%s>", m[2], escape(m[3]), m[2])
		}
	}
	for _, s := range script {
		m := createProfile.FindStringSubmatch(s)
		if m == nil || m[1] != profile {
			continue
		}
		for _, setting := range strings.Split(m[2], ", ") {
			parts := oneSetting.FindStringSubmatch(setting)
			if parts == nil {
				t.Fatalf("what does %q say?", setting)
			}
			fmt.Fprintf(&settings, "<%s>%s</%s>", parts[1], parts[2], parts[1])
			switch {
			case parts[5] != "":
				fmt.Fprintf(&constraints, "<%s><const/></%s>", parts[1], parts[1])
			case parts[3] != "":
				fmt.Fprintf(&constraints, "<%s><min>%s</min><max>%s</max></%s>", parts[1], parts[3], parts[4], parts[1])
			}
		}
	}
	if grants.Len() == 0 || settings.Len() == 0 {
		t.Fatalf("the script has no grants, or no limits, for %s", role)
	}
	return fmt.Sprintf(`<profiles><default>%s<constraints>%s</constraints></default></profiles>
<roles><crmwatch replace="1"><grants>%s</grants></crmwatch><reader replace="1"><grants><query>GRANT SELECT ON system.one</query></grants></reader></roles>
<users><default><databases><default>%s</default></databases></default></users>`, settings.String(), constraints.String(), grants.String(), policies.String())
}
