package agent

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLoad loads an EventLogFile of about 130 MB: read and parsed only, and
// into the engine.
func BenchmarkLoad(b *testing.B) {
	const rows = 400_000
	path := filepath.Join(b.TempDir(), "api.csv")
	var content strings.Builder
	content.WriteString(apiHeader)
	for n := range rows {
		content.WriteString(apiRow(n, fmt.Sprintf("SELECT Id, Email, Phone FROM Contact WHERE CreatedDate > 2026-03-01 AND Region = %d AND Name LIKE A%% ORDER BY CreatedDate LIMIT %d", n%7, n%2000)))
	}
	if err := os.WriteFile(path, []byte(content.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, ship func(context.Context, Sealed) error) {
		b.SetBytes(int64(content.Len()))
		for b.Loop() {
			report, err := Load(b.Context(), LoadOptions{Paths: []string{path}, Ship: ship, Redactor: testRedactor()})
			if err != nil || report.Totals.Stored != rows {
				b.Fatalf("%+v %v", report.Totals, err)
			}
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("parse", func(b *testing.B) {
		run(b, func(context.Context, Sealed) error { return nil })
	})
	b.Run("insert", func(b *testing.B) {
		conn := database(b)
		run(b, inserting(conn, io.Discard))
	})
}
