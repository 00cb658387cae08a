package formats

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// Each record is names and values with "|" between them.
func TestGenericRecord(t *testing.T) {
	for _, c := range []struct{ name, record, want string }{
		{"logrus", "time=2026-03-02T09:12:00.118Z|level=warning|msg=401 from CRM|user=svc-sync|src=203.0.113.77|dur=812ms",
			"2026-03-02T09:12:00.118Z actor_user_name=svc-sync src_endpoint_ip=203.0.113.77 x_src_endpoint_network=203.0.113.0/24 status_code=401 message=401 from CRM class_uid=6003 activity_id=99 status_id=2 action_id=2 http_response_code=401 duration=812"},
		{"ECS login", "@timestamp=2026-03-02T09:12:00.118Z|event.action=user-login|event.outcome=failure|event.duration=250000000|source.ip=2001:db8:7::1|user.name=anna@acme.example|user.id=u1|log.level=INFO|service.name=crm-portal",
			"2026-03-02T09:12:00.118Z actor_user_uid=u1 actor_user_name=anna@acme.example actor_user_email_addr=anna@acme.example actor_app_name=crm-portal src_endpoint_ip=2001:db8:7::1 x_src_endpoint_network=2001:db8:7::/48 api_operation=user-login status_code=failure class_uid=3002 activity_id=1 status_id=2 duration=250"},
		{"OTel call", "time=1772442720118|http.request.method=GET|url.full=https://crm.acme.example/v1/contacts?limit=5|http.response.status_code=200|client.address=203.0.113.77|client.port=4711|http.response.body.size=9000|http.request.body.size=12|user_agent.original=curl/8.5|enduser.id=svc|session.id=s-1|trace.id=abc",
			"2026-03-02T09:12:00.118Z metadata_correlation_uid=abc actor_user_uid=svc actor_session_uid=s-1 src_endpoint_ip=203.0.113.77 x_src_endpoint_network=203.0.113.0/24 dst_endpoint_hostname=crm.acme.example http_request_http_method=GET http_request_url_path=/v1/contacts http_request_url_query_string=limit=5 http_request_user_agent=curl/8.5 status_code=200 class_uid=6003 activity_id=2 status_id=1 src_endpoint_port=4711 http_response_code=200 traffic_bytes_in=9000 traffic_bytes_out=12"},
		{"Datadog", "timestamp=1772442720118|ddsource=python|http.method=POST|http.status_code=429|http.url=/token|network.client.ip=203.0.113.77:80|usr.id=u1|usr.name=anna|duration=5000000|http.useragent=x",
			"2026-03-02T09:12:00.118Z actor_user_uid=u1 actor_user_name=anna src_endpoint_ip=203.0.113.77 x_src_endpoint_network=203.0.113.0/24 http_request_http_method=POST http_request_url_path=/token http_request_user_agent=x status_code=429 class_uid=6003 activity_id=1 status_id=2 disposition_id=25 src_endpoint_port=80 http_response_code=429 duration=5 x_is_rate_limited=1 {ddsource=python}"},
		{"pino", "level=30|time=1772442720118|name=gate|hostname=gw1|req.method=GET|req.url=/a|req.remoteAddress=::1|req.headers.x-api-key=k1|req.headers.cookie=a=b|res.statusCode=200|responseTime=12|reqId=r1|msg=request completed",
			"2026-03-02T09:12:00.118Z metadata_correlation_uid=r1 actor_app_name=gate session_credential_uid=k1 src_endpoint_ip=::1 x_src_endpoint_network=::/48 http_request_http_method=GET http_request_url_path=/a status_code=200 message=request completed class_uid=6003 activity_id=2 status_id=1 http_response_code=200 duration=12 {hostname=gw1}"},
		{"Serilog", "@t=2026-03-02T09:12:00.1184711Z|@mt=User {UserName} exported {Rows}|@l=Warning|UserName=anna|Operation=ExportContacts|Rows=5000|Properties.ClientIp=203.0.113.7|Elapsed=00:00:01.25|Password=x",
			"2026-03-02T09:12:00.118Z actor_user_name=anna src_endpoint_ip=203.0.113.7 x_src_endpoint_network=203.0.113.0/24 api_operation=ExportContacts message=User {UserName} exported {Rows} class_uid=6003 activity_id=2 duration=1250 x_rows_processed=5000"},
		{"challenge", "ts=1772442720|event=mfa_challenge|user=anna|ip=203.0.113.7", "2026-03-02T09:12:00Z metadata_event_code=mfa_challenge actor_user_name=anna src_endpoint_ip=203.0.113.7 x_src_endpoint_network=203.0.113.0/24 class_uid=3002 activity_id=1 status_id=99"},
		{"sentence", "ts=1772442720|msg=login failed for user anna|user=anna", "2026-03-02T09:12:00Z actor_user_name=anna message=login failed for user anna class_uid=3002 activity_id=1 status_id=2"},
		{"sentence in", "ts=1772442720|msg=User logged in|user=anna", "2026-03-02T09:12:00Z actor_user_name=anna message=User logged in class_uid=3002 activity_id=1 status_id=1"},
		{"sentence out", "ts=1772442720|msg=User logged out|user=anna", "2026-03-02T09:12:00Z actor_user_name=anna message=User logged out class_uid=3002 activity_id=2"},
		{"no login", "ts=1772442720|msg=login page viewed|user=anna|status=ok", "2026-03-02T09:12:00Z actor_user_name=anna status_code=ok message=login page viewed class_uid=6003 activity_id=99 status_id=1"},
		{"no login either", "ts=1772442720|event=login_history.viewed|user=anna", "2026-03-02T09:12:00Z metadata_event_code=login_history.viewed actor_user_name=anna class_uid=6003 activity_id=2"},
		{"error", "ts=1772442720|level=error|msg=cannot write cache\nline two|app=crm-sync", "2026-03-02T09:12:00Z actor_app_name=crm-sync status_detail=cannot write cache message=cannot write cache\nline two class_uid=6008 activity_id=1 status_id=2"},
		{"failed call", "ts=1772442720|level=error|msg=GET https://crm.acme.example/v1 returned 503|app=crm-sync", "2026-03-02T09:12:00Z actor_app_name=crm-sync dst_endpoint_hostname=crm.acme.example http_request_http_method=GET http_request_url_path=/v1 status_code=503 status_detail=GET https://crm.acme.example/v1 returned 503 message=GET https://crm.acme.example/v1 returned 503 class_uid=6003 activity_id=2 status_id=2 http_response_code=503"},
		{"client's bytes", "ts=1772442720|method=get|path=/x|bytes_in=7|bytes_out=3", "2026-03-02T09:12:00Z http_request_http_method=GET http_request_url_path=/x class_uid=4002 activity_id=3 traffic_bytes_in=7 traffic_bytes_out=3"},
		{"server's bytes", "ts=1772442720|method=GET|path=/x|remote_ip=203.0.113.7|bytes_in=7|bytes_out=3", "2026-03-02T09:12:00Z src_endpoint_ip=203.0.113.7 x_src_endpoint_network=203.0.113.0/24 http_request_http_method=GET http_request_url_path=/x class_uid=4002 activity_id=3 traffic_bytes_in=3 traffic_bytes_out=7"},
		{"secrets", "ts=1772442720|user=a|client_secret=s|db.password=p|access_token=t1|token=t2|Authorization=x|my_api_key=k", "2026-03-02T09:12:00Z actor_user_name=a session_credential_uid=t1 class_uid=6003 activity_id=99"},
		{"date and time", "date=2026-03-02|time=09:12:00|account_type=Service Account|success=false|query=SELECT Id FROM Contact|object=Contact|path=/var/log/x|user=4711", "2026-03-02T09:12:00Z actor_user_uid=4711 actor_user_type=Service Account resources_name=Contact query_info_query_string=SELECT Id FROM Contact class_uid=6003 activity_id=99 status_id=2 actor_user_type_id=4 {path=/var/log/x}"},
		{"numbers for words", "ts=1772442720|success=0|error=none|sid=S-1-5-21-7|action=push", "2026-03-02T09:12:00Z actor_user_uid=S-1-5-21-7 api_operation=push status_code=0 class_uid=6003 activity_id=99 status_id=2"},
		{"a result that is a status", "ts=1772442720|result=403|op=push", "2026-03-02T09:12:00Z api_operation=push status_code=403 class_uid=6003 activity_id=99 status_id=2 action_id=2 http_response_code=403"},
		{"an error that is a flag", "ts=1772442720|error=true|op=push", "2026-03-02T09:12:00Z api_operation=push class_uid=6003 activity_id=99 status_id=2"},
		{"no time", "user=anna", ReasonTime},
		{"bad time", "time=soon|user=anna", ReasonTime},
		{"zero time", "time=000000000.0|user=anna", ReasonTime},
	} {
		r := newGenericRecord("json-lines", "", Options{})
		var e schema.Event
		r.begin(&e)
		for pair := range strings.SplitSeq(c.record, "|") {
			name, value, _ := strings.Cut(pair, "=")
			r.pair(name, value)
		}
		var got said
		if failure := r.end(); failure != nil {
			got.lines = []string{failure.reason}
		} else {
			got.Event(&e)
		}
		if diff := cmp.Diff(c.want, got.lines[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Each name has one meaning, and is written as it is looked up.
func TestGenericNames(t *testing.T) {
	seen := map[string]genericField{}
	for field, words := range genericWords {
		for word := range strings.FieldsSeq(words) {
			if other, twice := seen[word]; twice || plainName(word) != word {
				t.Errorf("%s is no plain name, or stands for %d and %d", word, field, other)
			}
			seen[word] = field
		}
	}
}

func TestGenericSeverity(t *testing.T) {
	for level, want := range map[string]schema.Severity{
		"INFO": 1, "Warning": 3, "error": 4, "FATAL": 5, "notice": 2, "0": 5, "3": 4, "4": 3, "5": 2, "6": 1, "7": 1, "3.0": 4,
		"30": 1, "40": 3, "50": 4, "60": 5, "200": 1, "250": 2, "300": 3, "400": 4, "550": 5, "blue": 0, "-1": 0, "1e300": 0,
	} {
		if got := genericSeverity(level); got != want {
			t.Errorf("%q is %d, want %d", level, got, want)
		}
	}
}

func TestOutcomeOf(t *testing.T) {
	for text, want := range map[string]uint64{
		"success": 1, "OK": 1, "LOGIN_SUCCESS": 1, "true": 1, "Completed": 1,
		"failed": 2, "not successful": 2, "unsuccessful": 2, "ACCESS_DENIED": 2, "mfa failed": 2, "false": 2, "invalidPassword": 2,
		"mfa_required": 99, "challenge": 99, "mfa succeeded": 1, "no failures": 0, "no": 2, "without success": 2,
		"active": 0, "": 0, "open": 0,
	} {
		if got := outcomeOf(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestGenericFieldOf(t *testing.T) {
	for path, want := range map[string]genericField{
		"clientIp": genericSource, "CLIENT_IP": genericSource, "client.address": genericSource, "_src_ip": genericSource, "context.user.name": genericUserName,
		"Properties.UserName": genericUserName, "jsonPayload.data.user_id": genericUserID, "fields.request.headers.Host": genericServerName,
		"http.request.header.x-sfdc-request-id": genericCRMRequest, "req.headers.cookie": genericDropped, "req.headers.x-api-key": genericCredential,
		"req.headers.accept": genericUnmapped, "db.password": genericDropped, "UserPassword": genericDropped, "oauth.refresh_token": genericDropped, "csrf_token": genericDropped,
		"next_page_token": genericUnmapped, "my_access_token": genericCredential, "php_session_id": genericSession, "@type": genericUnmapped, "x.y.z": genericUnmapped,
		"": genericUnmapped, ".": genericUnmapped, "user.": genericUserName, strings.Repeat("user.", 200): genericUnmapped,
	} {
		if got := genericFieldOf(path); got != want {
			t.Errorf("%q is %d, want %d", path, got, want)
		}
	}
}
