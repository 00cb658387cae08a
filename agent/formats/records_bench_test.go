package formats

import (
	"bytes"
	"os"
	"testing"
)

// BenchmarkRecords reports the CPU time for one record of the samples.
func BenchmarkRecords(b *testing.B) {
	for _, c := range []struct {
		format Format
		file   string
	}{
		{otlp, "testdata/otlp/collector.jsonl"}, {gelf, "testdata/gelf/middleware.json"}, {logfmt, "testdata/logfmt/sync.log"},
		{jsonLines, "testdata/json-lines/zap.json"}, {jsonLines, "testdata/json-lines/ecs.json"}, {genericCSV, "testdata/csv/audit.csv"},
	} {
		b.Run(c.file, func(b *testing.B) {
			data, err := os.ReadFile(c.file)
			if err != nil {
				b.Fatal(err)
			}
			data = bytes.Repeat(data, 100)
			var seen countingSink
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			d := c.format.New(Options{Tenant: "acme"})
			before := accessLogCPU(b)
			for b.Loop() {
				d.Decode(data, false, &seen)
			}
			b.ReportMetric(float64(accessLogCPU(b)-before)/float64(seen.events), "cpu-ns/record")
		})
	}
}
