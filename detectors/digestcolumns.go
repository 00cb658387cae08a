package detectors

import (
	"slices"
	"strings"
)

// sums are the tables that hold sums over events.
var sums = []string{"event_hours", "event_services", "event_days", "event_changes", "event_peaks", "event_reads"}

// summedFrom are the columns of events that the sums of event_hours, and of what is made
// of it, are made from.
var summedFrom = map[string]string{
	"bytes_in": "traffic_bytes_in", "bytes_out": "traffic_bytes_out", "with_bytes": "traffic_bytes_in traffic_bytes_out", "object_bytes": "traffic_bytes_in resources_name",
	"records": "x_rows_processed", "with_records": "x_rows_processed", "object_records": "x_rows_processed resources_name", "most": "x_rows_processed",
	"bytes_by_hour": "traffic_bytes_in traffic_bytes_out", "with_bytes_by_hour": "traffic_bytes_in traffic_bytes_out",
	"records_by_hour": "x_rows_processed", "with_records_by_hour": "x_rows_processed",
	"timed": "duration", "slow": "duration", "calls_by_slot": "http_response_code", "errors_by_slot": "http_response_code",
	"limited": "x_is_rate_limited http_response_code status_code", "failed": "status_id", "service": "api_service_name", "host": "dst_endpoint_hostname",
}

// SQL is all SQL of a rule: query, condition and screen, and what its digests are made of.
func (r Rule) SQL() string {
	text := strings.Join([]string{r.Query, r.Reads, r.Screen}, "\n")
	var of strings.Builder
	if strings.Contains(text, "event_facets") {
		for _, f := range facets {
			if strings.Contains(text, "'"+f.kind+"'") {
				of.WriteString("\n" + f.uid + "\n" + f.value + "\n" + f.each)
			}
		}
	}
	if slices.ContainsFunc(sums, func(table string) bool { return strings.Contains(text, table) }) {
		for column, from := range summedFrom {
			if hasWord(text, column) {
				of.WriteString("\n" + from)
			}
		}
	}
	return text + of.String()
}

func hasWord(text, word string) bool {
	_, _, found := findWord(text, word)
	return found
}
