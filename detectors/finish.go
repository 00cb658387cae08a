package detectors

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// nameReach is how far before the findings a name is looked for.
const nameReach = 30 * day

const namesQuery = `SELECT metadata_tenant_uid AS tenant, actor_user_uid AS uid, toInt64(floor(toUnixTimestamp64Milli(time) / {size:Int64})) AS w,
    argMax(actor_user_name, (time, actor_user_name)) AS name
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
  AND actor_user_uid IN {uids:Array(String)} AND actor_user_name != ''
GROUP BY tenant, uid, w
ORDER BY w`

// finish gives the drafts' entities their names, writes messages and evidence queries,
// and marks what the rule's exceptions cover.
func (r *Runner) finish(ctx context.Context, rule Rule, drafts []draft) ([]schema.Finding, error) {
	names, err := r.names(ctx, rule, drafts)
	if err != nil {
		return nil, fmt.Errorf("resolve names for rule %s: %w", rule.ID, err)
	}
	now := r.options.Clock().UTC()
	findings := make([]schema.Finding, 0, len(drafts))
	for _, d := range drafts {
		f := d.finding
		f.DetectedAt, f.Controls = now, append([]string{}, rule.Controls...)
		if f.Entity == "" {
			f.Entity = names.of(rule, f)
		}
		if f.Entity == "" {
			f.Entity = f.EntityUID
		}
		values := maps.Clone(d.values)
		values["entity"], values["severity"] = f.Entity, f.Severity.String()
		f.Message = strings.Join(strings.Fields(fillMessage(cmp.Or(d.message, rule.Message), values)), " ")
		f.EvidenceSQL = evidenceSQL(f)
		findings = append(findings, f)
	}
	if err := r.applyExceptions(ctx, rule, findings); err != nil {
		return nil, err
	}
	sortFindings(findings)
	return findings, nil
}

type entityKey struct{ tenant, uid string }

// knownName is the last name of an entity in one grid window.
type knownName struct {
	window int64
	name   string
}

// entityNames are the names of entities, in the order of the windows.
type entityNames map[entityKey][]knownName

// of is the name that an entity had at the end of the finding's window: whichever
// windows are evaluated together, and what it is called by now, is not to change what a
// finding says. A name may come from a log that the rule does not read, and later than
// the finding; then the finding is named when its window is evaluated again.
func (n entityNames) of(rule Rule, f schema.Finding) (name string) {
	first := gridIndex(f.FirstSeen.Add(-nameReach), rule.Window)
	last := gridIndex(f.WindowTo.Add(-time.Millisecond), rule.Window)
	for _, known := range n[entityKey{f.TenantUID, f.EntityUID}] {
		if known.window >= first && known.window <= last {
			name = known.name
		}
	}
	return name
}

// names finds the names of the entities whose rows carried none, in one query.
func (r *Runner) names(ctx context.Context, rule Rule, drafts []draft) (entityNames, error) {
	var uids []string
	var from, to time.Time
	seen := map[string]bool{}
	for _, d := range drafts {
		f := d.finding
		if f.Entity != "" || f.EntityUID == "" || f.EntityType == "network" {
			continue
		}
		if !seen[f.EntityUID] {
			seen[f.EntityUID] = true
			uids = append(uids, f.EntityUID)
		}
		if start := gridWindow(gridIndex(f.FirstSeen.Add(-nameReach), rule.Window), rule.Window).From; from.IsZero() || start.Before(from) {
			from = start
		}
		if end := gridWindow(gridIndex(f.WindowTo.Add(-time.Millisecond), rule.Window), rule.Window).To; end.After(to) {
			to = end
		}
	}
	names := entityNames{}
	if len(uids) == 0 {
		return names, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(len(uids) * 1000)
	settings["final"] = 0
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, namesQuery,
		clickhouse.DateNamed("from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("to", to, clickhouse.MilliSeconds),
		schema.Named("uids", uids), schema.Named("size", rule.Window.Milliseconds()))
	if err != nil {
		return nil, err
	}
	for _, row := range records {
		key := entityKey{textOf(row["tenant"]), textOf(row["uid"])}
		window, _ := row["w"].(int64)
		names[key] = append(names[key], knownName{window, textOf(row["name"])})
	}
	return names, nil
}

// evidenceSQL is a query, ready to paste, that shows the events of a finding that
// has been saved.
func evidenceSQL(f schema.Finding) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString("SELECT time, metadata_log_name, actor_user_name, actor_user_uid, src_endpoint_ip, http_request_http_method,\n" +
		"    http_request_url_path, resources_name, x_rows_processed, status_code, http_request_user_agent, event_uid\nFROM events FINAL\nWHERE metadata_tenant_uid = ")
	out.WriteString(quoteSQL(f.TenantUID))
	out.WriteString("\n    AND time BETWEEN " + timeSQL(f.FirstSeen) + " AND " + timeSQL(f.LastSeen) +
		"\n    AND event_uid IN (SELECT arrayJoin(evidence) FROM findings FINAL WHERE finding_uid = '" + f.UID.String() + "')\nORDER BY time")
	return out.String()
}

func timeSQL(at time.Time) string {
	return "toDateTime64('" + at.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}

var sqlEscapes = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x00", `\0`)

// quoteSQL writes a string literal. Only text that is shown uses it; statements
// that run here carry parameters.
func quoteSQL(text string) string { return "'" + sqlEscapes.Replace(text) + "'" }
