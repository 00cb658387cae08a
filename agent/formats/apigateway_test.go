package formats

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

func TestEscapeQuotes(t *testing.T) {
	for record, want := range map[string]string{
		`{"a":"x","b":"y"}`:                            `{"a":"x","b":"y"}`,
		`{"a":"x "y" z","b":"c"}`:                      `{"a":"x \"y\" z","b":"c"}`,
		`{"a":""x"","b": -}`:                           `{"a":"x","b": -}`,
		`{"a":"x\","b":"c"}`:                           `{"a":"x\\","b":"c"}`,
		`{"a":"x\"y"z","b":"c"}`:                       `{"a":"x\"y\"z","b":"c"}`,
		`{"a":"{"k":"v","l":"w"}","b":"c"}`:            `{"a":"{\"k\":\"v\",\"l\":\"w\"}","b":"c"}`,
		`{"a":{"b":"x"y"}, "c" : "z"}`:                 `{"a":{"b":"x\"y"}, "c" : "z"}`,
		`{"a":"x"}"}`:                                  `{"a":"x\"}"}`,
		`{"a":"x "{" y","b":"c"}`:                      "",
		`{"a":["x "y" z"]}`:                            "",
		`{"a":"x`:                                      "",
		`{"a" "x"}`:                                    "",
		`{"a":"x","b":"c"`:                             "",
		`{"a":"x"}}`:                                   "",
		strings.Repeat(`{"a":`, 9):                     "",
		`{"a":"x", "see ` + "\x01" + `":"y "q" z"}`:    `{"a":"x\", \"see ` + "\x01" + `\":\"y \"q\" z"}`,
		`{"a":"x" , "b":"c" , "d":"e "f"" }`:           `{"a":"x" , "b":"c" , "d":"e \"f\"" }`,
		`{"requestId":"r","n":{},"m":"a"b"}`:           `{"requestId":"r","n":{},"m":"a\"b"}`,
		`{"requestId":"r","n":{"o":{"p":"a"b"}}}`:      `{"requestId":"r","n":{"o":{"p":"a\"b"}}}`,
		`{"requestId":"r","n":{"o":{"p":"a"b"}},"q":1`: "",
	} {
		got, ok := escapeQuotes(nil, []byte(record))
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("%s: %s, %v; want %s", record, got, ok, want)
		}
	}
}

// A record has one identity, however it was delivered, and a different one when it is
// another call.
func TestAPIGatewayIdentity(t *testing.T) {
	uids := func(text string) []schema.UID {
		var got transcript
		decodeInSteps(t, apiGateway.New(Options{Tenant: "acme"}), []byte(text), len(text), &got)
		return got.uids
	}
	record := `{"requestId":"r1","ip":"203.0.113.77","requestTimeEpoch":"1772442720118","httpMethod":"GET","status":"403"}`
	quoted := strings.ReplaceAll(record, `"`, `\"`)
	want := uids(record)
	for name, text := range map[string]string{
		"subscription": `{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{"id":"1","timestamp":1772442720500,"message":"` + quoted + `"}]}`,
		"events":       `{"events":[{"timestamp":1772442720600,"message":"` + quoted + `\n","ingestionTime":1}],"nextForwardToken":"f"}`,
		"event":        `{"timestamp":1772442720600,"message":"` + quoted + `","ingestionTime":1}`,
		"export":       "2026-03-02T09:12:00.118Z " + record + "\n",
		"tail":         "2026-03-02T09:12:00.118000+00:00 q1/prod/1 " + record + "\n",
		"array":        "[" + record + "]",
	} {
		if diff := cmp.Diff(want, uids(text)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	untimed := `{"requestId":"r1","ip":"203.0.113.77","httpMethod":"GET","status":"403"}`
	two := uids("2026-03-02T09:12:00.118Z " + untimed + "\n2026-03-02T09:12:01.118Z " + untimed + "\n")
	if len(two) != 2 || two[0] == two[1] {
		t.Errorf("calls at two times have the identities %v", two)
	}
}

// CloudWatch's own checks are nobody's calls.
func TestAPIGatewayControlMessage(t *testing.T) {
	text := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1772442720118,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}` +
		`{"logEvents":[{"id":"","timestamp":1772442720118,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis."}],"messageType":"CONTROL_MESSAGE"}`
	r := &reasons{}
	decodeInSteps(t, apiGateway.New(Options{}), []byte(text), 10, r)
	if len(r.list) != 0 {
		t.Errorf("got %q", r.list)
	}
}

// The secret key of an API counts only where its id is missing, and what gives access
// or is the caller's own affair stays out.
func TestAPIGatewayCredentials(t *testing.T) {
	record := `{"requestId":"r1","ip":"203.0.113.77","requestTimeEpoch":"1772442720118","httpMethod":"GET","status":"200",`
	for _, test := range []struct{ text, want string }{
		{`"identity":{"apiKey":"SECRET","apiKeyId":"k1","accessKey":"SECRET"}}`, "k1"},
		{`"identity.apiKey":"HASHED","identity.apiKeyId":"-"}`, "HASHED"},
		{`"api_key":"HASHED"}`, "HASHED"},
		{`"accessKey":"HASHED","authorizer":{"refreshToken":"SECRET","jwt":"SECRET"},"requestOverride.header.Authorization":"SECRET"}`, "HASHED"},
		{`"authorizer.claims.email":"SECRET","claims":{"jti":"SECRET"},"identity.clientCert.clientCertPem":"SECRET","requestOverride.header.Cookie":"SECRET"}`, ""},
	} {
		var got transcript
		text := record + test.text
		decodeInSteps(t, apiGateway.New(Options{}), []byte(text), len(text), &got)
		if got.events != 1 || strings.Contains(got.String(), "SECRET") || strings.Count(got.String(), "HASHED") != strings.Count(test.want, "HASHED") ||
			test.want != "" && !strings.Contains(got.String(), `"session_credential_uid": "`+test.want+`"`) {
			t.Errorf("%s: %s", test.text, got.String())
		}
	}
}

// A record longer than the limit is rejected in parts, and the next one is read.
func TestAPIGatewayLongRecord(t *testing.T) {
	const limit = 400
	record := `{"requestId":"r1","ip":"203.0.113.77","requestTimeEpoch":"1772442720118","httpMethod":"GET","status":"403","userAgent":"`
	page := `{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[`
	event := `{"id":"1","timestamp":1772442720500,"message":"` + strings.ReplaceAll(record, `"`, `\"`) + `x\"}"}`
	for name, test := range map[string]struct {
		data string
		want []string
	}{
		"long":      {record + strings.Repeat("é", limit) + "\"}\n" + record + "x\"}\n", []string{ReasonTooLong, ReasonTooLong, ReasonTooLong, ""}},
		"long page": {page + strings.Repeat(event+",", 20) + event + "]}\n" + record + "x\"}\n", append(make([]string, 21), "")},
		"hole":      {record + "x" + strings.Repeat("\x00", 50) + record + "y\"}\n", []string{ReasonCut, ReasonNotText, ""}},
	} {
		for _, size := range []int{len(test.data), 1, 50, limit, limit + 1} {
			d := apiGateway.New(Options{}).(*apiGatewayLog)
			d.lines.max = limit
			r := &reasons{}
			decodeInSteps(t, d, []byte(test.data), size, r)
			if diff := cmp.Diff(test.want, r.list); diff != "" {
				t.Errorf("%s in pieces of %d: -want +got:\n%s", name, size, diff)
			}
		}
	}
}
