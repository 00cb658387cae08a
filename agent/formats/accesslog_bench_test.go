package formats

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

// rowsPerBlock is how many records a benchmark reads at once.
const rowsPerBlock = 5000

// benchCombined and benchJSON are a line of an access log each.
const (
	benchCombined = `198.51.100.%d - crm-sync-%d [02/Mar/2026:09:%02d:%02d +0000] "GET /services/data/v60.0/sobjects/Contact/0035g00000%05dAAA?fields=Id,Name,Email&limit=200 HTTP/1.1" %d %d "-" "Mozilla/5.0 (X11; Linux x86_64) python-requests/2.32.4"` + "\n"
	benchJSON     = `{"time_iso8601":"2026-03-02T09:%02d:%02d+00:00","msec":"17724427%02d.118","remote_addr":"198.51.100.%d","remote_user":"crm-sync-%d","request_method":"GET","request_uri":"/services/data/v60.0/sobjects/Contact/0035g00000%05dAAA?fields=Id,Name,Email&limit=200","server_protocol":"HTTP/1.1","status":"200","body_bytes_sent":"%d","bytes_sent":"%d","request_length":"812","request_time":"0.815","http_host":"api.acme.example","http_referer":"https://app.acme.example/integrations/contacts/list?page=7","http_user_agent":"Mozilla/5.0 (X11; Linux x86_64) python-requests/2.32.4","http_x_forwarded_for":"198.51.100.%d, 10.0.0.7","request_id":"c0ffee00c0ffee00c0ffee00%08d","ssl_protocol":"TLSv1.3","ssl_cipher":"TLS_AES_256_GCM_SHA384","upstream_addr":"10.0.0.5:8443","upstream_status":"200","upstream_response_time":"0.811","upstream_connect_time":"0.002","upstream_header_time":"0.640","server_name":"api.acme.example","server_port":"443","connection":"188231","connection_requests":"12","pipe":".","gzip_ratio":"3.21","scheme":"https","env":"production","cluster":"gw-eu-central-1","node":"gw7.acme.example"}` + "\n"
)

// BenchmarkAccessLogs reports the CPU time for one record: 1000 ns are 1 s of CPU for a
// million.
func BenchmarkAccessLogs(b *testing.B) {
	var combined, flat, gateway, mesh, meshJSON, aws strings.Builder
	for i := range rowsPerBlock {
		fmt.Fprintf(&combined, benchCombined,
			i%200, i%7, i/60%60, i%60, i, 200+i%3, 1000+i)
		fmt.Fprintf(&flat, benchJSON,
			i/60%60, i%60, i%60, i%200, i%7, i, 1000+i, 1400+i, i%200, i)
		fmt.Fprintf(&gateway, `{"started_at":17724427%05d,"client_ip":"198.51.100.%d","request":{"id":"b0c1%08d","method":"GET","uri":"\/crm\/contacts?limit=200&after=%d","url":"https:\/\/api.acme.example:443\/crm\/contacts?limit=200","querystring":{"limit":"200"},"headers":{"host":"api.acme.example","user-agent":"python-requests\/2.32","authorization":"REDACTED","accept":"application\/json","x-forwarded-for":"198.51.100.23"},"size":412,"tls":{"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","client_verify":"NONE"}},"response":{"status":200,"size":184320,"headers":{"content-type":"application\/json","x-ratelimit-remaining":"%d","x-kong-upstream-latency":"811"}},"latencies":{"kong":3,"proxy":811,"request":815,"receive":1},"upstream_status":"200","tries":[{"ip":"10.0.0.5","port":8443,"balancer_start":1772442720120,"balancer_latency":0}],"authenticated_entity":{"id":"0d6f"},"consumer":{"id":"77aa","username":"crm-sync"},"route":{"name":"contacts"},"service":{"name":"crm"},"source":"upstream","workspace":"w1"}`+"\n",
			i, i%200, i, i, i)
		fmt.Fprintf(&mesh, `[2026-03-02T09:%02d:%02d.118Z] "GET /crm/contacts?limit=200&after=%d HTTP/2" 200 - via_upstream - "-" 0 %d 815 811 "198.51.100.%d" "python-requests/2.32" "b0c1%08d" "crm.acme.example" "10.0.0.5:8080" inbound|8080|| 127.0.0.6:40001 10.0.0.5:8080 198.51.100.%d:51122 outbound_.8080_._.crm.acme.example default`+"\n",
			i/60%60, i%60, i, 1000+i, i%200, i, i%200)
		fmt.Fprintf(&meshJSON, `{"start_time":"2026-03-02T09:%02d:%02d.118Z","method":"GET","path":"/crm/contacts?limit=200&after=%d","protocol":"HTTP/1.1","response_code":200,"response_flags":"-","response_code_details":"via_upstream","connection_termination_details":null,"upstream_transport_failure_reason":null,"bytes_received":0,"bytes_sent":%d,"duration":815,"upstream_service_time":"811","x_forwarded_for":"198.51.100.%d","user_agent":"python-requests/2.32","request_id":"b0c1%08d","authority":"api.acme.example","upstream_host":"10.0.0.5:8080","upstream_cluster":"inbound|8080||","upstream_local_address":"127.0.0.6:40001","downstream_local_address":"10.0.0.5:8080","downstream_remote_address":"198.51.100.%d:51122","requested_server_name":null,"route_name":"contacts"}`+"\n",
			i/60%60, i%60, i, 1000+i, i%200, i, i%200)
		fmt.Fprintf(&aws, `{"requestId":"c6af9ac6-7b61-11e6-9a41-%012d","extendedRequestId":"JKJaXmPLvHcESHA=","ip":"198.51.100.%d","caller":"-","user":"-","userAgent":"python-requests/2.32","requestTime":"02/Mar/2026:09:12:00 +0000","requestTimeEpoch":"17724427%05d","httpMethod":"GET","resourcePath":"/contacts/{id}","path":"/prod/contacts/%d","status":"200","protocol":"HTTP/1.1","responseLength":"%d","responseLatency":"815","integrationLatency":"811","integrationStatus":"200","apiKeyId":"a1b2c3d4e5","domainName":"api.acme.example","apiId":"q1w2e3","stage":"prod","error.message":"-","error.responseType":"-"}`+"\n",
			i, i%200, i, i, 1000+i)
	}
	for _, c := range []struct {
		format Format
		data   string
	}{{nginx, combined.String()}, {nginxJSON, flat.String()}, {kong, gateway.String()}, {apache, combined.String()}, {envoy, mesh.String()}, {envoyJSON, meshJSON.String()}, {apiGateway, aws.String()}} {
		b.Run(c.format.Name, func(b *testing.B) {
			data := []byte(c.data)
			decoder := c.format.New(Options{Tenant: "acme"})
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
			b.ReportMetric(float64(len(data)/rowsPerBlock), "B/record")
		})
	}
}

type eventCounter struct{ events, rejected int }

func (c *eventCounter) Event(*schema.Event) { c.events++ }
func (c *eventCounter) Reject(Rejection)    { c.rejected++ }

// accessLogCPU is the process's CPU time in nanoseconds: the machine may be busy
// with other things.
func accessLogCPU(b *testing.B) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
