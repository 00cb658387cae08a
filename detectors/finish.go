package detectors

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

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
			f.Entity = names[nameKey(rule, f)]
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
