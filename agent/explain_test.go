package agent

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// explained reads a log and says where its fields went.
func explained(t *testing.T, log string) (all []Explanation) {
	t.Helper()
	_, _, err := Explain(context.Background(), strings.NewReader(log), "log", ExplainOptions{Redactor: testRedactor(), Record: func(x Explanation) error {
		if x.Event != nil {
			x.Event = cloneEvent(x.Event)
		}
		all = append(all, x)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func whereTo(x Explanation) map[string]string {
	went := map[string]string{}
	for _, f := range x.Fields {
		went[f.Name] = strings.Join(f.Columns, " ")
		if f.Needed {
			went[f.Name] = "needed"
		}
	}
	return went
}

func TestExplanationFollowsEachField(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want map[string]string
	}{
		"access log": {`203.0.113.7 - crm [02/Mar/2026:08:00:00 +0000] "GET /line HTTP/1.1" 404 512 "-" "sync/1.0"` + "\n", map[string]string{
			"203.0.113.7": "src_endpoint_ip x_src_endpoint_network", "crm": "actor_user_name class_uid activity_id",
			"02/Mar/2026:08:00:00 +0000": "needed", "404": "status_code status_id http_response_code", "512": "traffic_bytes_in",
			"GET /line HTTP/1.1": "http_request_http_method http_request_url_path http_request_version activity_id", "sync/1.0": "http_request_user_agent",
		}},
		"JSON": {`{"started_at":1772438400123,"client_ip":"203.0.113.9","request":{"method":"GET","uri":"/x","odd":5},"response":{"status":200},"latencies":{"request":7}}` + "\n", map[string]string{
			"started_at": "needed", "client_ip": "src_endpoint_ip x_src_endpoint_network", "request.method": "http_request_http_method activity_id",
			"request.uri": "http_request_url_path", "request.odd": "unmapped.request.odd", "response.status": "status_code status_id http_response_code", "latencies.request": "duration",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			all := explained(t, c.log)
			if len(all) != 1 {
				t.Fatalf("%d records", len(all))
			}
			if diff := cmp.Diff(c.want, whereTo(all[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("CSV", func(t *testing.T) {
		all := explained(t, apiHeader+apiRow(0, "SELECT Id\nFROM Contact")+apiRow(1, "SELECT Name FROM Lead"))
		if len(all) != 2 || all[1].Line != 4 {
			t.Fatalf("%d records, the second in line %d, want line 4", len(all), all[1].Line)
		}
		for _, x := range all {
			if got := whereTo(x)["QUERY"]; got != "query_info_query_string" {
				t.Errorf("QUERY went to %q", got)
			}
		}
	})
}

// TestExplanationShowsNoSecret has one in every part of a line, and in a bad line.
func TestExplanationShowsNoSecret(t *testing.T) {
	const secret = "xoxb-1234567890-abcdefghijklmnop"
	log := `203.0.113.7 - crm [02/Mar/2026:08:00:00 +0000] "GET /line?token=` + secret + ` HTTP/1.1" 200 512 "https://h/?api_key=` + secret + `" "bot ` + secret + "\"\n" +
		line(1) + line(2) + "rubbish password=" + secret + "\n"
	all := explained(t, log)
	if len(all) != 4 || all[3].Rejection == nil || len(all[0].Redactions) == 0 {
		t.Fatalf("%d records: %+v", len(all), all)
	}
	for i, x := range all {
		var seen strings.Builder
		for _, f := range x.Fields {
			seen.WriteString(f.Name)
		}
		if x.Event != nil {
			for _, v := range x.Event.Text {
				seen.WriteString(v)
			}
			for _, a := range x.Event.Unmapped {
				seen.WriteString(a.Value)
			}
			if x.Event.Text[schema.SrcEndpointIP] == "" {
				t.Error("the event is empty")
			}
		} else {
			seen.Write(x.Rejection.Content)
		}
		if strings.Contains(seen.String(), secret) {
			t.Errorf("record %d shows the secret: %s", i, seen.String())
		}
	}
}
