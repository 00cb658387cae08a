package alerting

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	// maxEvidence is how many rows a person is shown.
	maxEvidence = 10
	// maxCell is how much of one value is shown, in characters.
	maxCell = 40
)

// evidenceColumns are what a row is shown as, each where one of the rows has it. What is
// in text for people is left out: it may be long, and says what the columns say.
var evidenceColumns = []struct{ head, sql string }{
	{"ACTOR", "coalesce(nullIf(actor_user_name, ''), nullIf(actor_user_email_addr, ''), nullIf(actor_user_uid, ''), nullIf(user_name, ''), actor_app_name)"},
	{"ACTIVITY", "coalesce(nullIf(api_operation, ''), nullIf(metadata_event_code, ''), nullIf(http_request_http_method, ''), metadata_log_name)"},
	{"RESULT", "coalesce(nullIf(status_code, ''), if(http_response_code = 0, NULL, toString(http_response_code)), multiIf(status_id = 1, 'success', status_id = 2, 'failure', ''))"},
	{"FROM", "src_endpoint_ip"},
	{"APP", "coalesce(nullIf(actor_app_name, ''), x_actor_client_name)"},
	{"TYPE", "resources_type"},
	{"RESOURCE", "coalesce(nullIf(resources_name, ''), resources_uid)"},
	{"PATH", "http_request_url_path"},
	{"ROWS", "if(x_rows_processed = 0, '', toString(x_rows_processed))"},
	{"QUERY", "query_info_query_string"},
}

// EvidenceText is a table of up to ten rows of an alert's evidence in the order of time,
// some of each of its findings, the weightiest first. It is made harmless; it can be as
// wide as its values.
func EvidenceText(ctx context.Context, store schema.Store, alert schema.UID) (string, error) {
	alerts, err := alertsByUID(ctx, store, []schema.UID{alert})
	if err != nil {
		return "", err
	}
	if len(alerts) == 0 {
		return "There is no such alert any more.", nil
	}
	chosen, all := chooseEvidence(alerts[0].Findings)
	if len(chosen) == 0 {
		return "The findings of this alert name no rows. All about it: crmwatch alerts show " + alert.String(), nil
	}
	rows, err := readEvidence(ctx, store, alerts[0], chosen)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "The rows are not stored any more.", nil
	}
	var text strings.Builder
	if err := writeEvidence(&text, rows); err != nil {
		return "", err
	}
	switch {
	case all > len(chosen):
		fmt.Fprintf(&text, "%d of %s of evidence; all about it: crmwatch alerts show %s\n", len(rows), sayCount(uint64(all), "row"), alert)
	case len(rows) < len(chosen):
		fmt.Fprintf(&text, "%s not stored any more\n", sayCount(uint64(len(chosen)-len(rows)), "row"))
	}
	return text.String(), nil
}

// chooseEvidence picks rows of all findings in turn, and says how many there are.
func chooseEvidence(findings []schema.Finding) (chosen []schema.UID, all int) {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, func(a, b schema.Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Count, a.Count))
	})
	known := map[schema.UID]bool{}
	for i := 0; ; i++ {
		more := false
		for _, f := range findings {
			if i >= len(f.Evidence) {
				continue
			}
			more = true
			if uid := f.Evidence[i]; !known[uid] {
				known[uid] = true
				if len(chosen) < maxEvidence {
					chosen = append(chosen, uid)
				}
			}
		}
		if !more {
			return chosen, len(known)
		}
	}
}

type evidenceRow struct {
	at     time.Time
	values []string
}

// readEvidence reads events by uid. The table is sorted by time, so the findings' times
// say where to look; windows have room for what a rule looks back at.
func readEvidence(ctx context.Context, store schema.Store, a schema.Alert, uids []schema.UID) ([]evidenceRow, error) {
	from, to := a.FirstSeen, a.LastSeen
	for _, f := range a.Findings {
		from = earlier(from, f.WindowFrom)
		if f.WindowTo.After(to) {
			to = f.WindowTo
		}
	}
	columns := make([]string, len(evidenceColumns))
	for i, c := range evidenceColumns {
		columns[i] = "toString(" + c.sql + ")"
	}
	rows, err := store.Query(ctx, `SELECT time, [`+strings.Join(columns, ", ")+`] FROM events FINAL
		WHERE toUnixTimestamp64Milli(time) >= {from:Int64} AND toUnixTimestamp64Milli(time) <= {to:Int64} AND event_uid IN {uids:Array(UUID)} ORDER BY time, event_uid`,
		schema.Named("from", storedTime(from.Add(-lookBack)).UnixMilli()), schema.Named("to", storedTime(to).UnixMilli()), schema.Named("uids", writeUIDs(uids)))
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	defer rows.Close()
	var found []evidenceRow
	for rows.Next() {
		var r evidenceRow
		if err := rows.Scan(&r.at, &r.values); err != nil {
			return nil, fmt.Errorf("read evidence: %w", err)
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	return found, nil
}

// lookBack is how long before its window a finding's evidence may lie.
const lookBack = 14 * 24 * time.Hour

func writeEvidence(text *strings.Builder, rows []evidenceRow) error {
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	filled := func(column int) bool {
		return slices.ContainsFunc(rows, func(r evidenceRow) bool { return r.values[column] != "" })
	}
	line := []string{"TIME (UTC)"}
	for i, c := range evidenceColumns {
		if filled(i) {
			line = append(line, c.head)
		}
	}
	fmt.Fprintln(table, strings.Join(line, "\t"))
	for _, r := range rows {
		line = append(line[:0], sayWhen(r.at))
		for i, value := range r.values {
			if filled(i) {
				line = append(line, shown(value, maxCell))
			}
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}
