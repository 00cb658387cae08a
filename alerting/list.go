package alerting

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/crmwatch/crmwatch/schema"
)

// listTime is how lists write times, in UTC.
const listTime = "2006-01-02 15:04"

// WriteList writes one line an alert, made harmless for a terminal as WriteText
// makes it. Notes come after the table, as WriteNotes writes them.
func WriteList(w io.Writer, all []schema.Alert) error {
	alerts, notes := SplitNotes(all)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ALERT\tSEVERITY\tSTATUS\tFIRST SEEN (UTC)\tLAST SEEN (UTC)\tFINDINGS\tTITLE")
	for _, a := range alerts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", a.UID, a.Severity, a.Status,
			a.FirstSeen.UTC().Format(listTime), a.LastSeen.UTC().Format(listTime), len(a.FindingUIDs), plainLine(a.Title))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write list of alerts: %w", err)
	}
	if len(notes) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return fmt.Errorf("write list of alerts: %w", err)
	}
	return WriteNotes(w, notes, Style{})
}
