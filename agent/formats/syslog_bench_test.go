package formats

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkCarriers reports the CPU time for one record, by what the lines hold.
func BenchmarkCarriers(b *testing.B) {
	stamp := func(i int) string { return fmt.Sprintf("2026-03-02T09:%02d:%02d.118Z", i/60%60, i%60) }
	for _, c := range []struct {
		name   string
		format Format
		line   func(i int) string
	}{
		{"text", syslog, func(i int) string {
			return fmt.Sprintf("<30>Mar  2 09:%02d:%02d gw1 crm-sync[%d]: synchronised %d contacts in batch %d, next in 30 s", i/60%60, i%60, i%500, i, i)
		}},
		{"login", syslog, func(i int) string {
			return fmt.Sprintf("<38>Mar  2 09:%02d:%02d gw1 sshd[%d]: Failed password for invalid user u%d from 198.51.100.%d port %d ssh2", i/60%60, i%60, i%500, i%90, i%200, 1024+i)
		}},
		{"structured data", syslog, func(i int) string {
			return fmt.Sprintf(`<134>1 %s gw1 crmgw 2211 QUERY [meta@32473 user="svc-%d" ip="198.51.100.%d" rows="%d" duration_ms="%d"] query of Contact`, stamp(i), i%7, i%200, i, i%900)
		}},
		{"pairs", syslog, func(i int) string {
			return fmt.Sprintf(`<134>1 %s mw1 crm-sync 77 - - level=info msg="query done" user=svc-%d src=198.51.100.%d action=query object=Contact rows=%d dur=%dms`, stamp(i), i%7, i%200, i, i%900)
		}},
		{"nginx", syslog, func(i int) string {
			return fmt.Sprintf(`<190>1 %s gw1 nginx - - - 198.51.100.%d - svc-%d [02/Mar/2026:09:%02d:%02d +0000] "GET /services/data/v60.0/query?q=%d HTTP/1.1" 200 %d "-" "python-requests/2.32"`, stamp(i), i%200, i%7, i/60%60, i%60, i, 1000+i)
		}},
		{"JSON", syslog, func(i int) string {
			return fmt.Sprintf(`<134>1 %s mw1 crm-sync 77 - - {"time":"%s","level":"info","msg":"query done","user":"svc-%d","client_ip":"198.51.100.%d","rows":%d}`, stamp(i), stamp(i), i%7, i%200, i)
		}},
		{"cef", cef, func(i int) string {
			return fmt.Sprintf(`CEF:0|Acme|CRM Gateway|2.1|http-200|Request served|2|rt=17724427%05d src=198.51.100.%d suser=svc-%d request=/services/data/v60.0/query?q\=%d requestMethod=GET in=%d out=412 cn1=200 cn1Label=HTTP Status outcome=success`, i, i%200, i%7, i, 1000+i)
		}},
		{"leef", leef, func(i int) string {
			return fmt.Sprintf("LEEF:1.0|Acme|CRMGateway|2.1|query|devTime=17724427%05d\tsrc=198.51.100.%d\tusrName=svc-%d\turl=/services/data/v60.0/query?q=%d\tmethod=GET\tstatus=200\tsrcBytes=412\tdstBytes=%d\tsev=1", i, i%200, i%7, i, 1000+i)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var text strings.Builder
			for i := range rowsPerBlock {
				text.WriteString(c.line(i) + "\n")
			}
			data := []byte(text.String())
			decoder := c.format.New(Options{Tenant: "acme", Reference: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)})
			counter := &eventCounter{}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			before := accessLogCPU(b)
			for b.Loop() {
				decoder.Decode(data, true, counter)
			}
			if counter.rejected > 0 {
				b.Fatalf("%d of %d records rejected", counter.rejected, counter.events)
			}
			b.ReportMetric(float64(accessLogCPU(b)-before)/float64(counter.events), "cpu-ns/record")
		})
	}
}
