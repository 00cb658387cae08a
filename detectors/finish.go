package detectors

import (
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

const namesQuery = `SELECT metadata_tenant_uid AS tenant, actor_user_uid AS uid, argMax(actor_user_name, (time, actor_user_name)) AS name
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
  AND actor_user_uid IN {uids:Array(String)} AND actor_user_name != ''
GROUP BY tenant, uid`

// finish gives the drafts' entities their names, and writes messages and evidence
// queries.
func (r *Runner) finish(ctx context.Context, rule Rule, drafts []draft) ([]schema.Finding, error) {
	names, err := r.names(ctx, drafts)
	if err != nil {
		return nil, fmt.Errorf("resolve names for rule %s: %w", rule.ID, err)
	}
	now := r.options.Clock().UTC()
	findings := make([]schema.Finding, 0, len(drafts))
	for _, d := range drafts {
		f := d.finding
		f.DetectedAt = now
		if f.Entity == "" {
			f.Entity = names[entityKey{f.TenantUID, f.EntityUID}]
		}
		if f.Entity == "" {
			f.Entity = f.EntityUID
		}
		values := maps.Clone(d.values)
		values["entity"], values["severity"] = f.Entity, f.Severity.String()
		f.Message = strings.Join(strings.Fields(fillMessage(rule.Message, values)), " ")
		f.EvidenceSQL = evidenceSQL(f)
		findings = append(findings, f)
	}
	sortFindings(findings)
	return findings, nil
}

type entityKey struct{ tenant, uid string }

// names finds the names of the entities whose rows carried none, in one query.
func (r *Runner) names(ctx context.Context, drafts []draft) (map[entityKey]string, error) {
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
		if start := f.FirstSeen.Add(-nameReach); from.IsZero() || start.Before(from) {
			from = start
		}
		if end := f.WindowTo; end.After(to) {
			to = end
		}
	}
	names := map[entityKey]string{}
	if len(uids) == 0 {
		return names, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(len(uids) * 1000)
	settings["final"] = 0
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, namesQuery,
		clickhouse.DateNamed("from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("to", to, clickhouse.MilliSeconds),
		schema.Named("uids", uids))
	if err != nil {
		return nil, err
	}
	for _, row := range records {
		names[entityKey{textOf(row["tenant"]), textOf(row["uid"])}] = textOf(row["name"])
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
