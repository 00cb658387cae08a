package alerting

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	// maxOverviewAlerts, maxOverviewLogs and maxBlind bound an overview.
	maxOverviewAlerts = 8
	maxOverviewLogs   = 6
	maxBlind          = 20
)

// Watch is what an overview says beside what is stored.
type Watch struct {
	Now time.Time
	// Behind names the sources that are not read to the end, each with how much is left.
	Behind []string
	// Blind are the rules that no log lets look; BlindKnown is false where nobody has
	// checked yet.
	Blind      []string
	BlindKnown bool
}

// OverviewText says how things stand: what is open, by severity; what is open first of
// all; how long ago each log came last; which rules are blind. It is made harmless.
func OverviewText(ctx context.Context, store schema.Store, w Watch) (string, error) {
	var text strings.Builder
	if err := overviewCounts(ctx, store, &text); err != nil {
		return "", err
	}
	open, err := readAlerts(ctx, store, `status IN ('open', 'acknowledged') AND severity_id > {informational:UInt8}
		ORDER BY status = 'open' DESC, severity_id DESC, last_seen DESC, alert_uid LIMIT {limit:UInt32}`,
		schema.Named("informational", uint8(schema.SeverityInformational)), schema.Named("limit", uint32(maxOverviewAlerts)))
	if err != nil {
		return "", err
	}
	if len(open) > 0 {
		text.WriteString("\n")
		alerts := make([]schema.Alert, len(open))
		for i, a := range open {
			alerts[i] = a.Alert
		}
		if err := writeShort(&text, alerts); err != nil {
			return "", err
		}
	}
	if err := overviewLogs(ctx, store, &text, w); err != nil {
		return "", err
	}
	switch {
	case !w.BlindKnown:
		text.WriteString("\nWhich rules are blind is not known to this instance yet.\n")
	case len(w.Blind) == 0:
		text.WriteString("\nNo rule is blind: each has a log to look at.\n")
	default:
		fmt.Fprintf(&text, "\nBlind for want of logs: %s\n", listed(w.Blind, maxBlind))
	}
	return text.String(), nil
}

// listed names the first of a list, and how many more there are.
func listed(names []string, limit int) string {
	var safe []string
	for _, name := range names[:min(len(names), limit)] {
		safe = append(safe, shown(name, maxName))
	}
	if more := len(names) - limit; more > 0 {
		safe = append(safe, fmt.Sprintf("%d more", more))
	}
	return strings.Join(safe, ", ")
}

// overviewCounts counts the alerts that somebody has yet to do something about.
func overviewCounts(ctx context.Context, store schema.Store, text *strings.Builder) error {
	rows, err := store.Query(ctx, `SELECT status, severity_id, count() FROM alerts FINAL
		WHERE status IN ('open', 'acknowledged', 'snoozed') AND severity_id > {informational:UInt8} GROUP BY status, severity_id`,
		schema.Named("informational", uint8(schema.SeverityInformational)))
	if err != nil {
		return fmt.Errorf("count alerts: %w", err)
	}
	defer rows.Close()
	counts := map[schema.AlertStatus]map[schema.Severity]uint64{}
	for rows.Next() {
		var status string
		var severity uint8
		var n uint64
		if err := rows.Scan(&status, &severity, &n); err != nil {
			return fmt.Errorf("count alerts: %w", err)
		}
		of := counts[schema.AlertStatus(status)]
		if of == nil {
			of = map[schema.Severity]uint64{}
			counts[schema.AlertStatus(status)] = of
		}
		of[schema.Severity(severity)] += n
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count alerts: %w", err)
	}
	for _, status := range []schema.AlertStatus{schema.AlertOpen, schema.AlertAcknowledged, schema.AlertSnoozed} {
		var parts []string
		for severity := schema.SeverityCritical; severity > schema.SeverityInformational; severity-- {
			if n := counts[status][severity]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, severity))
			}
		}
		if len(parts) == 0 {
			parts = []string{"none"}
		}
		fmt.Fprintf(text, "%-14s%s\n", sentence(status.String())+":", strings.Join(parts, ", "))
	}
	return nil
}

// writeShort writes alerts one a line, narrow enough for a message.
func writeShort(text *strings.Builder, alerts []schema.Alert) error {
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ALERT\tSEVERITY\tSTATUS\tLAST SEEN (UTC)\tTITLE")
	for _, a := range alerts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.UID.String()[:shortUID], a.Severity, a.Status, a.LastSeen.UTC().Format(listTime), shown(a.Title, 80))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

// overviewLogs says how long ago each log came last, as the hourly check found it: the
// longest ago first.
func overviewLogs(ctx context.Context, store schema.Store, text *strings.Builder, w Watch) error {
	rows, err := store.Query(ctx, `SELECT metadata_log_name, metadata_product_name, metadata_tenant_uid, max(last_arrival) AS came, max(lateness_p95_s)
		FROM source_lateness WHERE checked_at = (SELECT max(checked_at) FROM source_lateness)
		GROUP BY metadata_log_name, metadata_product_name, metadata_tenant_uid ORDER BY came LIMIT {limit:UInt32}`, schema.Named("limit", uint32(maxOverviewLogs)))
	if err != nil {
		return fmt.Errorf("read lateness of logs: %w", err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var name, product, tenant string
		var came time.Time
		var seconds uint32
		if err := rows.Scan(&name, &product, &tenant, &came, &seconds); err != nil {
			return fmt.Errorf("read lateness of logs: %w", err)
		}
		of := strings.Join(without("", shown(product, maxCell), shown(tenant, maxCell)), ", ")
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s ago\t%s", shown(name, maxCell), of, sayLong(w.Now.Sub(came)), sayLong(time.Duration(seconds)*time.Second)))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read lateness of logs: %w", err)
	}
	if len(lines) == 0 {
		text.WriteString("\nNo log has been checked for its lateness yet.\n")
	} else {
		text.WriteString("\nLogs, the longest silent first, as the last hourly check found them:\n")
		table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "LOG\tOF\tCAME LAST\tUSUALLY WITHIN")
		for _, line := range lines {
			fmt.Fprintln(table, line)
		}
		if err := table.Flush(); err != nil {
			return fmt.Errorf("write lateness of logs: %w", err)
		}
	}
	if len(w.Behind) > 0 {
		fmt.Fprintf(text, "Not read to the end: %s\n", listed(w.Behind, maxOverviewLogs))
	}
	return nil
}

// maxShown is how many alerts ShowText lists.
const maxShown = 20

// ShowText tells the alert whose uid begins with what, or the alerts about an entity
// whose name holds it: one as its story, several as a list. It is made harmless.
func ShowText(ctx context.Context, store schema.Store, what string, style Style) (string, error) {
	var alerts []schema.Alert
	var err error
	if isUIDPrefix(what) {
		if alerts, err = Alerts(ctx, store, AlertFilter{UID: strings.ToLower(what), Merged: true, Limit: maxShown}); err != nil {
			return "", err
		}
	}
	if len(alerts) == 0 {
		if alerts, err = Alerts(ctx, store, AlertFilter{Entity: what, Limit: maxShown}); err != nil {
			return "", err
		}
	}
	var text strings.Builder
	switch len(alerts) {
	case 0:
		return "There is no such alert.", nil
	case 1:
		err = WriteText(&text, alerts, style)
	default:
		if err = writeShort(&text, alerts); err == nil && len(alerts) == maxShown {
			fmt.Fprintf(&text, "There may be more than these %d.\n", maxShown)
		}
	}
	return text.String(), err
}

// isUIDPrefix says whether text can be the beginning of an alert's uid.
func isUIDPrefix(text string) bool {
	return len(text) >= 4 && len(text) <= 36 && !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF-", r) })
}
