package agent

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwinFilesAreStoredOnce loads a day of API calls as its 24 hourly files, as
// the daily file, and as a re-export with other columns order, quotes and line
// ends, in which fifty rows are truly identical.
func TestTwinFilesAreStoredOnce(t *testing.T) {
	const rows = 12_000
	var day []string
	for n := range rows {
		day = append(day, apiRow(n, "SELECT Id FROM Contact"))
		if n == 7000 {
			for range 49 {
				day = append(day, apiRow(n, "SELECT Id FROM Contact"))
			}
		}
	}
	files := map[string]string{
		"daily/api.csv":       apiHeader + strings.Join(day, ""),
		"reexport/api.csv.gz": gzipped(t, reordered(apiHeader+strings.Join(day, ""))),
	}
	hours := map[string]*strings.Builder{}
	for _, row := range day {
		hour := strings.Split(row, `","`)[1][:10]
		if hours[hour] == nil {
			hours[hour] = &strings.Builder{}
			hours[hour].WriteString(apiHeader)
		}
		hours[hour].WriteString(row)
	}
	for hour, content := range hours {
		files[fmt.Sprintf("hourly/api-%s.csv", hour)] = content.String()
	}
	dir := writeFiles(t, files)

	alone := database(t)
	load(t, nil, LoadOptions{Paths: []string{filepath.Join(dir, "daily")}, Ship: inserting(alone, testWriter{t})})
	together := database(t)
	report := load(t, nil, LoadOptions{Paths: []string{dir}, Ship: inserting(together, testWriter{t})})
	if want := int64(3 * len(day)); report.Totals.Stored != want || report.Totals.Quarantined != 0 {
		t.Errorf("stored %d, want %d: %+v", report.Totals.Stored, want, report.Problems())
	}
	for name, query := range map[string]string{
		"events":     "SELECT count() FROM events FINAL",
		"identities": "SELECT uniqExact(event_uid) FROM events",
		"ordinals":   "SELECT toUInt64(max(x_ordinal)) + 1 FROM events",
	} {
		want := count(t, alone, query)
		got := count(t, together, query)
		if got != want {
			t.Errorf("%s: %d together, %d for the day alone", name, got, want)
		}
	}
	if n := count(t, alone, "SELECT count() FROM events FINAL"); n != uint64(len(day)) {
		t.Errorf("%d events for %d rows", n, len(day))
	}
}

// reordered writes the columns the other way round, unquoted, with CRLF and a byte
// order mark.
func reordered(csv string) string {
	var b strings.Builder
	b.WriteString("\ufeff")
	for record := range strings.Lines(csv) {
		fields := strings.Split(strings.Trim(record, "\"\n"), `","`)
		for i := len(fields) - 1; i >= 0; i-- {
			b.WriteString(fields[i])
			if i > 0 {
				b.WriteByte(',')
			}
		}
		b.WriteString("\r\n")
	}
	return b.String()
}
