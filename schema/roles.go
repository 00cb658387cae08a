package schema

import (
	"fmt"
	"slices"
	"strings"
)

// The roles on a ClickHouse server. Each may do what its part of crmwatch does, and no
// more; a user is given one of them.
const (
	// RoleIngest is for agents and collectors.
	RoleIngest = "crm_ingest"
	// RoleDetect is for `crmwatch run`.
	RoleDetect = "crm_detect"
	// RoleAnalyst is for people who ask questions.
	RoleAnalyst = "crm_analyst"
	// RoleCompliance is for people who report: it reads everything, and keeps summaries.
	RoleCompliance = "crm_compliance"
	// RoleMigrate is for administrators: tables, holds, erasure.
	RoleMigrate = "crm_migrate"
)

// grant is a privilege on some tables of the database; without tables, on all of them.
type grant struct {
	privileges string
	tables     []string
}

// role is what a role may do, and the profile with the limits of its queries.
type role struct {
	name    string
	profile string
	grants  []grant
}

// quarantined are the columns of the table quarantine without the record itself, which
// nobody could redact by field.
const quarantined = "SELECT(quarantine_uid, ingested_at, x_source_name, x_source_file, metadata_log_format, line, column, x_source_offset, length, reason, detail)"

// analysed are the tables and views that an analyst reads.
var analysed = []string{
	"events", "findings", "suppressed_findings", "alerts", "alert_transitions", "silences", "notifications", "rule_runs", "rule_coverage", "source_lateness",
	"self_tests", "watermarks", "event_hours", "event_days", "event_services", "event_facets", "event_partners", "posture_results",
	"logins", "calls", "identities", "exports", "changes", "acts", "sources", "alert_times", "rule_health",
}

var roles = []role{
	{RoleIngest, "crm_writing", []grant{
		{"INSERT", []string{"events", "quarantine", "deliveries"}},
		{"SELECT", []string{"deliveries", "schema_migrations"}},
	}},
	{RoleDetect, "crm_working", []grant{
		{"SELECT, INSERT", nil},
		// A finding that its window does not give any more is taken back.
		{"ALTER DELETE", []string{"findings", "suppressed_findings"}},
		// The configuration's retention, which the tables' own TTL carries out.
		{"ALTER TTL, ALTER MATERIALIZE TTL, ALTER SETTINGS", nil},
	}},
	{RoleAnalyst, "crm_reading", []grant{
		{"SELECT", analysed},
		{quarantined, []string{"quarantine"}},
	}},
	{RoleCompliance, "crm_reporting", []grant{
		{"SELECT", nil},
		// Summaries by hand, their entries in the chain, and the record that they were made.
		{"INSERT", []string{"summaries", "evidence_chain", "posture_results", "events"}},
	}},
	{RoleMigrate, "crm_working", []grant{
		{"SELECT, INSERT, ALTER, CREATE TABLE, CREATE VIEW, CREATE DATABASE, DROP TABLE, DROP VIEW, OPTIMIZE, SYSTEM MERGES, TRUNCATE", nil},
	}},
}

// RoleCount is how many roles there are without those of tenants.
const RoleCount = 5

// profiles are the limits of the roles' queries.
var profiles = []struct{ name, settings string }{
	// clickhouse-go and Grafana send settings of their own, which readonly = 2 lets them.
	{"crm_reading", "readonly = 2, final = 1, max_execution_time = 60 MIN 1 MAX 600, max_memory_usage = 4000000000 MIN 1 MAX 16000000000, max_result_rows = 1000000 MIN 1 MAX 10000000, allow_introspection_functions = 0 CONST"},
	{"crm_reporting", "final = 1, allow_ddl = 0 CONST, max_execution_time = 600 MIN 1 MAX 3600, max_memory_usage = 8000000000 MIN 1 MAX 32000000000, allow_introspection_functions = 0 CONST"},
	{"crm_writing", "allow_ddl = 0 CONST, async_insert = 0 CONST, max_execution_time = 300, max_memory_usage = 8000000000"},
	{"crm_working", "async_insert = 0 CONST, allow_introspection_functions = 0 CONST"},
}

// tenantColumns are the tables that a tenant's analyst reads, and how a row of the tenant
// is known; {tenant} stands for its name. What has no tenant is not for them.
var tenantColumns = []struct{ table, condition string }{
	{"events", "metadata_tenant_uid = {tenant}"},
	{"findings", "metadata_tenant_uid = {tenant}"},
	{"suppressed_findings", "metadata_tenant_uid = {tenant}"},
	{"alerts", "metadata_tenant_uid = {tenant}"},
	{"rule_coverage", "metadata_tenant_uid = {tenant}"},
	{"source_lateness", "metadata_tenant_uid = {tenant}"},
	{"event_hours", "tenant = {tenant}"},
	{"event_days", "tenant = {tenant}"},
	{"event_services", "tenant = {tenant}"},
	{"event_facets", "tenant = {tenant}"},
	{"event_partners", "tenant = {tenant}"},
}

// tenantViews are the views over nothing but those tables.
var tenantViews = []string{"logins", "calls", "identities", "exports", "changes", "acts", "sources"}

// RoleScript are the statements that make the roles, their limits and quotas on a server
// or a cluster, and for each tenant a role crm_analyst_TENANT that sees no other's rows.
// Whoever runs them needs ACCESS MANAGEMENT. All can be repeated. It is an error where a
// tenant's name is empty or given twice.
func RoleScript(place Place, tenants []string) ([]string, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	on := place.onCluster()
	var script []string
	say := func(format string, args ...any) { script = append(script, fmt.Sprintf(format, args...)) }
	for _, p := range profiles {
		say("CREATE SETTINGS PROFILE IF NOT EXISTS %s%s SETTINGS %s", p.name, on, p.settings)
	}
	all := slices.Clone(roles)
	policies := map[string][]string{}
	for _, tenant := range tenants {
		if tenant == "" {
			return nil, fmt.Errorf("a tenant's name is empty: name it as events have it in metadata_tenant_uid")
		}
		r := tenantRole(tenant)
		if slices.ContainsFunc(all, func(other role) bool { return other.name == r.name }) {
			return nil, fmt.Errorf("the tenant %q is named twice, or another becomes the role %s as well: give each once", tenant, r.name)
		}
		all = append(all, r)
		for _, t := range tenantColumns {
			for _, table := range place.parts(t.table) {
				policies[table] = append(policies[table], fmt.Sprintf("CREATE ROW POLICY IF NOT EXISTS %s%s ON %s USING %s TO %s", r.name, on,
					place.whole(table), strings.ReplaceAll(t.condition, "{tenant}", quoted(tenant)), r.name))
			}
		}
	}
	for _, r := range all {
		say("CREATE ROLE IF NOT EXISTS %s%s SETTINGS PROFILE %s", r.name, on, quoted(r.profile))
		for _, g := range r.grants {
			script = append(script, place.grant(r.name, g)...)
		}
	}
	say("GRANT%s CREATE DATABASE, DROP DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER, SELECT, INSERT, TRUNCATE ON `%s_self_test`.* TO %s", on, place.Database, RoleDetect)
	if place.Cluster != "" {
		say("GRANT%s CLUSTER ON *.* TO %s", on, RoleMigrate)
		say("GRANT%s REMOTE ON *.* TO %s", on, strings.Join([]string{RoleIngest, RoleDetect, RoleAnalyst, RoleCompliance, RoleMigrate}, ", "))
	}
	say("CREATE QUOTA IF NOT EXISTS crm_analyst%s KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 3600, errors = 1000, read_rows = 100000000000, execution_time = 3600 TO %s",
		on, strings.Join(namesOf(all, RoleAnalyst), ", "))
	// Where a table has a policy, who has none could see nothing, or all, as the server is set.
	for _, t := range tenantColumns {
		for _, table := range place.parts(t.table) {
			if len(policies[table]) > 0 {
				say("CREATE ROW POLICY IF NOT EXISTS crm_all%s ON %s USING 1 TO %s", on, place.whole(table),
					strings.Join([]string{RoleIngest, RoleDetect, RoleAnalyst, RoleCompliance, RoleMigrate}, ", "))
				script = append(script, policies[table]...)
			}
		}
	}
	return script, nil
}

func tenantRole(tenant string) role {
	r := role{name: RoleAnalyst + "_" + notInName.ReplaceAllString(tenant, "_"), profile: "crm_reading"}
	tables := slices.Clone(tenantViews)
	for _, t := range tenantColumns {
		tables = append(tables, t.table)
	}
	r.grants = []grant{{"SELECT", tables}}
	return r
}

// parts are the tables that hold a table's rows: on a cluster also a shard's part.
func (p Place) parts(table string) []string {
	if p.Cluster != "" && shardedBy[table] != "" {
		return []string{table, table + "_local"}
	}
	return []string{table}
}

// whole is a table's name with its database.
func (p Place) whole(table string) string { return "`" + p.Database + "`." + table }

func (p Place) grant(to string, g grant) (statements []string) {
	on := p.onCluster()
	if g.tables == nil {
		return []string{fmt.Sprintf("GRANT%s %s ON `%s`.* TO %s", on, g.privileges, p.Database, to)}
	}
	for _, name := range g.tables {
		for _, table := range p.parts(name) {
			statements = append(statements, fmt.Sprintf("GRANT%s %s ON %s TO %s", on, g.privileges, p.whole(table), to))
		}
	}
	return statements
}

func namesOf(all []role, prefix string) (names []string) {
	for _, r := range all {
		if strings.HasPrefix(r.name, prefix) {
			names = append(names, r.name)
		}
	}
	return names
}

// quoted is a string literal of ClickHouse's.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
