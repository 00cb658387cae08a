package redact

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// cpuTime is the process's CPU time: the machine may be busy with other things.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkEvent reports the CPU time for one ordinary API event that holds no secret
// but its session: 1000 ns are 1 s of CPU for a million.
func BenchmarkEvent(b *testing.B) {
	names := []string{"CLUSTER_ID", "RUN_TIME", "URI_ID_DERIVED", "ENTITY_NAME", "STATUS", "REQUEST_SIZE", "SESSION_LEVEL", "USER_AGENT_CLASS", "ROWS", "KEY_PREFIX", "ORG_TYPE", "INSTANCE"}
	events := make([]schema.Event, 64)
	for i := range events {
		e := &events[i]
		e.Text[schema.ActorSessionUID] = fmt.Sprintf("session%d", i%50)
		e.Text[schema.ActorSessionUIDAlt] = fmt.Sprintf("login%d", i%50)
		e.Text[schema.ActorUserName] = "crm-sync@acme.example"
		e.Text[schema.HTTPRequestURLPath] = fmt.Sprintf("/services/data/v60.0/sobjects/Contact/0035g00000%05dAAA", i)
		e.Text[schema.HTTPRequestURLQuery] = fmt.Sprintf("fields=Id,Name,Email&limit=200&offset=%d", i)
		e.Text[schema.HTTPRequestUserAgent] = "Mozilla/5.0 (X11; Linux x86_64) python-requests/2.32.4"
		e.Text[schema.HTTPRequestXForwardedFor] = fmt.Sprintf("198.51.100.%d", i%200)
		e.Text[schema.ResourcesName] = "Contact"
		e.Text[schema.MetadataCorrelationUID] = fmt.Sprintf("TID:%024d", i)
		for j, name := range names {
			e.Unmapped = append(e.Unmapped, schema.Attribute{Name: name, Value: fmt.Sprint(i*j, "abcdefghijk"[:j%11])})
		}
	}
	r := New([]byte("0123456789abcdef"))
	work := schema.Event{}
	i := 0
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		work.Text, work.Unmapped = events[i%64].Text, append(work.Unmapped[:0], events[i%64].Unmapped...)
		r.Event(&work)
		i++
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	if n := r.Count(); len(n) != 1 {
		b.Fatalf("found secrets: %v", n)
	}
}

func BenchmarkText(b *testing.B) {
	r := New([]byte("0123456789abcdef"))
	for _, text := range []string{
		"17", "abcdefghijk", "some status text",
		"/services/data/v60.0/sobjects/Contact/0035g00000XYZabAAB",
		"fields=Id,Name,Email&limit=200&offset=1000",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
		"q=SELECT+Id%2C+Name+FROM+Contact+WHERE+LastModifiedDate+%3E+2026-03-02T09%3A12%3A00Z+ORDER+BY+Name",
	} {
		b.Run(text[:min(len(text), 20)], func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			before := cpuTime(b)
			for b.Loop() {
				r.Text(text)
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkPrivacy reports what pseudonyms add to one ordinary API event: of fifty users,
// whose names repeat, and of users who never do.
func BenchmarkPrivacy(b *testing.B) {
	for name, c := range map[string]struct {
		users   int
		options *PrivacyOptions
	}{
		"off":       {50, nil},
		"users":     {50, everybody()},
		"new-users": {1 << 20, everybody()},
		"drop":      {50, &PrivacyOptions{Drop: []string{"http_request_user_agent", "unmapped.ROWS"}}},
		"both":      {50, &PrivacyOptions{Key: pseudonymKey, Users: true, Addresses: true, LimitFreeText: true}},
	} {
		b.Run(name, func(b *testing.B) {
			events := make([]schema.Event, 64)
			for i := range events {
				e := &events[i]
				e.Text[schema.HTTPRequestURLPath] = fmt.Sprintf("/services/data/v60.0/sobjects/Contact/0035g00000%05dAAA", i)
				e.Text[schema.HTTPRequestURLQuery] = fmt.Sprintf("fields=Id,Name,Email&limit=200&offset=%d", i)
				e.Text[schema.HTTPRequestUserAgent] = "Mozilla/5.0 (X11; Linux x86_64) python-requests/2.32.4"
				e.Text[schema.HTTPRequestXForwardedFor] = fmt.Sprintf("198.51.100.%d", i%200)
				e.Text[schema.ResourcesName] = "Contact"
				e.Text[schema.MetadataCorrelationUID] = fmt.Sprintf("TID:%024d", i)
				for j, name := range []string{"CLUSTER_ID", "RUN_TIME", "URI_ID_DERIVED", "ENTITY_NAME", "STATUS", "REQUEST_SIZE", "SESSION_LEVEL", "USER_AGENT_CLASS", "ROWS", "KEY_PREFIX", "ORG_TYPE", "INSTANCE"} {
					e.Unmapped = append(e.Unmapped, schema.Attribute{Name: name, Value: fmt.Sprint(i*j, "abcdefghijk"[:j%11])})
				}
			}
			users := make([]string, c.users)
			for i := range users {
				users[i] = fmt.Sprintf("user%d@acme.example", i)
			}
			r := New([]byte("0123456789abcdef"))
			var p *Privacy
			if c.options.Any() {
				p = NewPrivacy(c.options, r)
			}
			work := schema.Event{}
			i := 0
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				work.Text, work.Unmapped = events[i%64].Text, append(work.Unmapped[:0], events[i%64].Unmapped...)
				work.Text[schema.ActorUserName] = users[i%len(users)]
				r.Row(&work)
				if p != nil {
					p.Event(r, &work)
				}
				i++
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
