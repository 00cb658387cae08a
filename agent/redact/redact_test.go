package redact

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

var testKey = []byte("0123456789abcdef")

// looks are secrets that are known by their look, wherever they stand.
var looks = map[string]string{
	"session id":     "00D5g000004ABCD!AQ4AQLx9mZkT7qvR2wYbN.c5dPf8gHj1sKl3_XuVeWiOaMnBtZrCyQpDxEhGkSfJ6vU0wL4o2mR8yT1bN7cX5zA3qK9dP",
	"session id 18":  "00D5g000004ABCDEAA!AQ4AQLx9mZkT7qvR2wYbN.c5dPf8gHj1sKl3_XuVeWiOaMnBtZrCyQpDxEhGkSfJ6vU0wL4o2mR8yT1bN7cX5zA3qK9dP",
	"refresh token":  "5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyjBJhaVlhiUfRnDkQxYq1VoNh6X0p8Lm2",
	"jwt":            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJzdmMtc3luYyIsImV4cCI6MTc3MjQ0MjcyMH0.q5J7n_kY3vP8wXzR2tB6mLc9dF0gH4sK1aVeUiOoNpQ",
	"cut jwt":        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9",
	"cloud key":      "AKIAQ7W3X9Z2LM4N8P1R",
	"temporary key":  "ASIAQ7W3X9Z2LM4N8P1R",
	"slack":          "xoxb-" + "2048135790-4096271580-Qw7eRt9yUiOpAsDfGhJkLzXc",
	"github":         "ghp_" + "Qw7eRt9yUiOpAsDfGhJkLzXcVbNm1Q2w3E4r",
	"github pat":     "github_pat_" + "11ABCDEFG0Qw7eRt9yUiOp_AsDfGhJkLzXcVbNm1Q2w3E4r",
	"google":         "AIza" + "SyQw7eRt9yUiOpAsDfGhJkLzXcVbNm1Q2w3",
	"stripe":         "sk_live_" + "51Qw7eRt9yUiOpAsDfGhJkLz",
	"private app":    "pat-na1-" + "8f14e45f-ceea-467f-a0e6-5d1b1c7f2a9b",
	"google oauth":   "ya29.a0AfB_byQw7eRt9yUiOpAsDfGhJkLzXcVbNm",
	"visa":           "4111111111111111",
	"visa spaces":    "4111 1111 1111 1111",
	"amex dashes":    "3782-822463-10005",
	"iban":           "DE89370400440532013000",
	"iban spaces":    "GB29 NWBK 6016 1331 9268 19",
	"key line":       "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8c",
	"cloud key pair": "AKIAQ7W3X9Z2LM4N8P1R / kQ8wX7eR2tY5uI9oP1aS4dF6gH3jK0lZ+xC/vBnM",
}

// lookShapes are where they may stand.
var lookShapes = map[string]func(secret string) string{
	"alone":       func(s string) string { return s },
	"sentence":    func(s string) string { return "the call with " + s + " was refused, see above" },
	"quotes":      func(s string) string { return `sent "` + s + `" to the server` },
	"json":        func(s string) string { return `{"a":["x","` + s + `"],"b":1}` },
	"in json":     func(s string) string { return `{\"a\":\"` + s + `\"}` },
	"csv":         func(s string) string { return `"2026-03-02","` + s + `","x"` },
	"query":       func(s string) string { return "/p?a=1&q=" + url.QueryEscape(s) + "&z=2" },
	"path escape": func(s string) string { return "a%20%22" + url.PathEscape(s) + "%22%20b" },
	"nginx":       func(s string) string { return `{\x22a\x22:\x22` + s + `\x22}` },
	"lines":       func(s string) string { return "first\n" + s + "\nlast" },
	"escaped nl":  func(s string) string { return `first\n` + s + `\nlast` },
	"xml":         func(s string) string { return "<a>" + s + "</a>" },
}

// fields are secrets that are known by their name.
var fields = map[string][2]string{
	"password":      {"password", "Tr0ub4dor&3-horse"},
	"plain word":    {"passwd", "correcthorsebattery"},
	"db pwd":        {"DB_PWD", "hunter2hunter2"},
	"client secret": {"client_secret", "8F2D7C91A0B3E4D5C6F7A8B9C0D1E2F3"},
	"consumer":      {"consumerSecret", "Zq8PxL0Vn3TbYw5K"},
	"api key":       {"apikey", "k9Jd8Hs7Gf6Ds5Aq"},
	"x-api-key":     {"X-Api-Key", "k9Jd8Hs7Gf6Ds5Aq"},
	"access token":  {"access_token", "q1w2e3r4t5y6u7i8"},
	"refresh token": {"refreshToken", "q1w2e3r4t5y6u7i8"},
	"security":      {"security_token", "Ab3Cd5Ef7Gh9Ij1Kl3"},
	"sid":           {"sid", "a1b2c3d4e5f6a7b8"},
	"session":       {"sessionId", "a1b2c3d4e5f6a7b8"},
	"code":          {"code", "aPrx0Vb8Kq2Lm4Nw6Zy8"},
	"assertion":     {"client_assertion", "Zm9vYmFyYmF6cXV4MTIz"},
	"saml":          {"SAMLResponse", "PHNhbWxwOlJlc3BvbnNlIHhtbG5z"},
	"custom field":  {"API_Token__c", "n0tAnythingToSee99"},
	"numbered":      {"new_password2", "Zk3Lp9Qw7Rt5"},
	"private key":   {"private_key", "MIIBVgIBADANBgkqhkiG9w0B"},
	"secret access": {"aws_secret_access_key", "kQ8wX7eR2tY5uI9oP1aS4dF6gH3jK0lZxCvBnMqW"},
	"signature":     {"X-Amz-Signature", "9f86d081884c7d659a2feaa0c55ad015"},
	"verifier":      {"code_verifier", "dBjftJeZ4CVPmB92K27uhbUJU1p1r"},
}

// fieldShapes are how they may be written.
var fieldShapes = map[string]func(name, value string) string{
	"query":         func(n, v string) string { return "/p?a=1&" + n + "=" + url.QueryEscape(v) + "&z=2" },
	"form":          func(n, v string) string { return n + "=" + url.QueryEscape(v) },
	"json":          func(n, v string) string { return fmt.Sprintf(`{"a":1,"%s":"%s","z":2}`, n, v) },
	"json spaces":   func(n, v string) string { return fmt.Sprintf(`{"a": 1, "%s" : "%s", "z": 2}`, n, v) },
	"json in json":  func(n, v string) string { return fmt.Sprintf(`{\"a\":1,\"%s\":\"%s\"}`, n, v) },
	"json in csv":   func(n, v string) string { return fmt.Sprintf(`"x","{""%s"":""%s""}","y"`, n, v) },
	"json in url":   func(n, v string) string { return "/p?q=" + url.QueryEscape(fmt.Sprintf(`{"%s":"%s"}`, n, v)) },
	"json in nginx": func(n, v string) string { return fmt.Sprintf(`{\x22a\x22:1,\x22%s\x22:\x22%s\x22}`, n, v) },
	"logfmt":        func(n, v string) string { return fmt.Sprintf(`level=info %s="%s" z=2`, n, v) },
	"logfmt bare": func(n, v string) string {
		return fmt.Sprintf(`level=info %s=%s z=2`, n, strings.ReplaceAll(v, "&", "+"))
	},
	"colon": func(n, v string) string { return "config: " + n + ": " + v + " end" },
	"sql":   func(n, v string) string { return "WHERE " + n + " = '" + v + "' AND x = 1" },
	"hash":  func(n, v string) string { return "{:" + n + " => '" + v + "'}" },
	"url in url": func(n, v string) string {
		return "/r?u=" + url.QueryEscape("https://h/p?"+n+"="+url.QueryEscape(v)+"&z=1")
	},
	"url in url in": func(n, v string) string {
		return "/r?u=" + url.QueryEscape(url.QueryEscape("a&"+n+"="+url.QueryEscape(v)+"&z=1"))
	},
	"xml":            func(n, v string) string { return "<" + n + ">" + v + "</" + n + ">" },
	"xml attributes": func(n, v string) string { return "<ns:" + n + ` Type="x">` + v + "</ns:" + n + ">" },
	"unicode":        func(n, v string) string { return n + `\u003d` + strings.ReplaceAll(v, "&", `x`) + `\u0026z\u003d1` },
}

// texts are all canaries: the planted text and the secret in it.
func texts() map[string][2]string {
	all := map[string][2]string{}
	for kind, secret := range looks {
		for shape, plant := range lookShapes {
			if kind == "key line" && (shape == "sentence" || shape == "query" || shape == "path escape" || shape == "nginx" || shape == "escaped nl" || shape == "xml" || shape == "in json") {
				continue // a line of a key is only known where it stands as a line
			}
			all[kind+" in "+shape] = [2]string{plant(secret), secret}
		}
	}
	for kind, field := range fields {
		for shape, plant := range fieldShapes {
			all[kind+" in "+shape] = [2]string{plant(field[0], field[1]), field[1]}
		}
	}
	for name, text := range map[string]string{
		"bearer":           "Authorization: Bearer SECRETs3cr3t0pqrs",
		"bearer in text":   "sent Bearer SECRETs3cr3t0pqrs to it",
		"bearer in url":    "h=Bearer%20SECRETs3cr3t0pqrs&x=1",
		"bearer plus":      "h=Bearer+SECRETs3cr3t0pqrs&x=1",
		"bearer in json":   `{"authorization":"Bearer SECRETs3cr3t0pqrs"}`,
		"basic":            "authorization: basic U0VDUkVUczNjcjN0MHBxcnM=",
		"basic in text":    "curl -H 'Authorization: Basic SECRETs3cr3t0pqrs==' https://h/",
		"oauth header":     "authorization=OAuth SECRETs3cr3t0pqrs next",
		"cookie":           "Cookie: theme=dark; sfsid=SECRETs3cr3t0pqrs; x=SECRETs3cr3t0pqrs\nHost: h",
		"set-cookie":       `{"set-cookie":["a=SECRETs3cr3t0pqrs; Path=/","b=SECRETs3cr3t0pqrs"]}`,
		"user info":        "postgres://svc:SECRETs3cr3t0pqrs@db.acme.example:5432/crm",
		"user info at":     "https://svc:SECRET@s3cr3t0pqrs@acme.example/x",
		"user info in url": "u=https%3A%2F%2Fsvc%3ASECRETs3cr3t0pqrs%40acme.example%2Fx",
		"token in url":     "https://SECRETs3cr3t0pqrs@acme.example/x.git",
		"webhook":          "https://hooks.slack.com/services/T0AB12CD3/B0EF45GH6/SECRETs3cr3t0pqrsABCDEFG",
		"pem":              "-----BEGIN RSA PRIVATE KEY-----\nSECRETs3cr3t0pqrsAAAA\nSECRETs3cr3t0pqrsBB==\n-----END RSA PRIVATE KEY-----\n",
		"pem escaped":      `{"key_text":"-----BEGIN PRIVATE KEY-----\nSECRETs3cr3t0pqrs\n-----END PRIVATE KEY-----\n"}`,
		"pem in url":       "k=-----BEGIN%20PRIVATE%20KEY-----%0ASECRETs3cr3t0pqrs%0A-----END%20PRIVATE%20KEY-----&z=1",
		"pem twice":        "-----BEGIN PRIVATE KEY----- -----BEGIN PRIVATE KEY-----\nSECRETs3cr3t0pqrs",
		"pem cut":          "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRETs3cr3t0pqrs",
		"session exact":    "session=SECRETs3cr3t0pqrs; Path=/",
		"key exact":        "/maps?key=SECRETs3cr3t0pqrsX9&z=1",
	} {
		secret := "SECRETs3cr3t0pqrs"
		if name == "basic" {
			secret = "U0VDUkVUczNjcjN0MHBxcnM="
		}
		if name == "user info at" {
			secret = "s3cr3t0pqrs"
		}
		all[name] = [2]string{text, secret}
	}
	return all
}

// survives finds a stretch of at least 8 characters of secret in s.
func survives(s, secret string) string {
	for i := 0; i+8 <= len(secret); i++ {
		if part := secret[i : i+8]; strings.Contains(s, part) {
			return part
		}
	}
	return ""
}

// No secret survives in any column, in unmapped values or in quarantined bytes.
func TestCanaries(t *testing.T) {
	for name, canary := range texts() {
		text, secret := canary[0], canary[1]
		r := New(testKey)
		clean := r.Text(text)
		for _, form := range []string{secret, url.QueryEscape(secret), url.QueryEscape(url.QueryEscape(secret))} {
			if part := survives(clean, form); part != "" {
				t.Errorf("%s: %q of\n\t%s\nsurvives in\n\t%s", name, part, text, clean)
				break
			}
		}
		if again := r.Text(clean); again != clean {
			t.Errorf("%s: redacted again,\n\t%s\nbecomes\n\t%s", name, clean, again)
		}
		if got := string(r.Bytes([]byte(text))); got != clean {
			t.Errorf("%s: as bytes %q, as text %q", name, got, clean)
		}
		var e schema.Event
		for _, column := range freeText {
			e.Text[column] = text
		}
		e.AddUnmapped("x_note", text)
		r.Event(&e)
		for _, column := range freeText {
			if e.Text[column] != clean {
				t.Errorf("%s: %s holds %q, want %q", name, column.Column(), e.Text[column], clean)
			}
		}
		if e.Unmapped[0].Value != clean {
			t.Errorf("%s: unmapped holds %q, want %q", name, e.Unmapped[0].Value, clean)
		}
	}
}

// What only speaks of secrets, or looks a little like one, stays as it is.
func TestOrdinaryTexts(t *testing.T) {
	for _, text := range []string{
		"SELECT Id, Name FROM Case WHERE Description LIKE '%AKIA%' OR Description LIKE '%password%'",
		"SELECT Id FROM Contact WHERE Name = 'token' AND Title != 'secret'",
		"SELECT Id FROM Note WHERE Body LIKE '%password=%' OR Body LIKE '%secret: %' OR Body LIKE '%PRIVATE KEY%'",
		"SELECT Id FROM Note WHERE Body LIKE '%snowflakecomputing%' AND Password__c = null",
		"SELECT Id FROM Note WHERE Body LIKE '%-----BEGIN RSA PRIVATE KEY-----%' OR Body LIKE '%sk_live_%' OR Body LIKE '%eyJ%' OR Body LIKE '%xoxb-%'",
		"q=LIKE+%27%25-----BEGIN+PRIVATE+KEY-----%25%27+OR+x+LIKE+%27%25-----BEGIN%20PRIVATE%20KEY-----%25%27",
		"FIND {AKIA OR ASIA OR token OR password} IN ALL FIELDS RETURNING Case(Id)",
		"q=SELECT+Id+FROM+Case+WHERE+Description+LIKE+%27%25AKIA%25%27+OR+Body+LIKE+%27%25password%25%27",
		"/services/data/v60.0/sobjects/Contact/0035g00000XYZabAAB/describe",
		"/services/data/v60.0/jobs/query/7505g000004Cd8AAAS/results?locator=MTAwMDA&maxRecords=50000",
		"/services/oauth2/token", "/rest/v11_20/oauth2/token?platform=base&grant_type=refresh_token",
		"/crm/contacts?limit=200&fields=Id,Name,Email&updated>=2026-03-02T09:12:00.118Z",
		"/crm/contacts?continuation_token=abc123abc123&code=404&error_code=17",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
		"python-requests/2.32.4", "Salesforce-Multi-Org-Fetcher/1.0", "SalesforceMobileSDK/12.1.0 iOS/18.1",
		"INVALID_SESSION_ID: Session expired or invalid", "INVALID_LOGIN: Invalid username, password, security token; or user locked out.",
		"Invalid token: expired", "LOGIN_ERROR_INVALID_PASSWORD", "the password was changed by an administrator",
		"Changed password policy: minimum length from 8 to 12", "Basic authentication is disabled", "a bearer of authentication-information",
		"urn:uuid:8f14e45f-ceea-467f-a0e6-5d1b1c7f2a9b", "1772442720118", "1772442720118000000", "2026-03-02T09:12:00.118Z",
		"198.51.100.23, 10.0.0.7", "4111 1111 1111 1112", "DE89370400440532013001", "DE893704", "tel +49 30 1234 5678 9012",
		"TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "EVENT_TYPE,TIMESTAMP,REQUEST_ID,ORGANIZATION_ID,USER_ID",
		"9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015", "REDACTED", "authorization: REDACTED",
		"https://user@acme.example/", "http://acme.example:8080/a@b:c", "-----BEGIN CERTIFICATE-----", "key=0015g00000XYZabAAB",
		"session=yes", "token_type=bearer&expires_in=3600", "password=&user=a", `{"password":null,"token":""}`, "a = b", "::=>", "%3D%3A%", `\u003d`, `\x3`,
		"", "x", "é=ü", "\xff\xfe=\xff",
	} {
		r := New(testKey)
		if got := r.Text(text); got != text {
			t.Errorf("%q\nbecame\n%q", text, got)
		}
	}
}

func TestKinds(t *testing.T) {
	for text, want := range map[string]string{
		"/p?user=a&password=b%26c&z=1":             "/p?user=a&password=[redacted:password]&z=1",
		`{"token":"abc","x":1}`:                    `{"token":"[redacted:token]","x":1}`,
		"<sessionId>abc!def</sessionId>":           "<sessionId>[redacted:session]</sessionId>",
		"postgres://svc:pw1@db/crm":                "postgres://svc:[redacted:password]@db/crm",
		"Authorization: Bearer abc\nHost: h":       "Authorization: [redacted:auth]\nHost: h",
		"card 4111 1111 1111 1111, thanks":         "card [redacted:card], thanks",
		"PRIVATE KEY 4111 1111 1111 1111":          "PRIVATE KEY [redacted:card]",
		"pay DE89 3704 0044 0532 0130 00 PLEASE":   "pay [redacted:iban] PLEASE",
		"password=a password=b":                    "password=[redacted:password] password=[redacted:password]",
		"x AKIAQ7W3X9Z2LM4N8P1R y":                 "x [redacted:cloud-key] y",
		"Server=h;Password=p@ss,w;Database=d":      "Server=h;Password=[redacted:password];Database=d",
		`curl -H "Cookie: a=b; c=d" -u x`:          `curl -H "Cookie: [redacted:cookie]" -u x`,
		"WHERE Password__c = 'x1' AND Name = 'y'":  "WHERE Password__c = '[redacted:password]' AND Name = 'y'",
		"password=[redacted:password]&sid=a1b2c3d": "password=[redacted:password]&sid=[redacted:session]",
	} {
		if got := New(testKey).Text(text); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestEvent(t *testing.T) {
	r := New(testKey)
	var e schema.Event
	e.Text[schema.ActorSessionUID] = "session-key-1"
	e.Text[schema.ActorSessionUIDAlt] = "login-key-1"
	e.Text[schema.SessionCredentialUID] = "session-key-1"
	e.Text[schema.ActorUserName] = "svc-password=x@acme.example"
	e.Text[schema.UserName] = "00D5g000004ABCD!AQ4AQLx9mZkT7qvR2wYbN.c5dPf8gHj1sKl3"
	e.Text[schema.MetadataCorrelationUID] = "AKIAQ7W3X9Z2LM4N8P1R"
	e.Text[schema.HTTPRequestURLQuery] = "sid=abcdef1"
	for _, a := range [][2]string{
		{"SESSION_LEVEL", "STANDARD"}, {"KEY_PREFIX", "003"}, {"TOKEN_TYPE", "bearer"}, {"BOT_SESSION_ID", "a1b2c3"}, {"request.headers.x-auth-token", "t0k3n"},
		{"password", "hunter2"}, {"has_password", "true"}, {"client_secret", "abc"}, {"privateKey", "MIIE"}, {"cookie", "a=b"}, {"API_KEY", "k1"},
		{"NAMED_CREDENTIAL_NAME", "ERP"}, {"code", "404"}, {"note", "password=abc"}, {"PASSWORD_EXPIRED", "17"}, {"session", "a"},
		{"field_7", "Bearer"}, {"field_8", "abcdefgh"}, {"field_9", "plain"},
	} {
		e.AddUnmapped(a[0], a[1])
	}
	r.Event(&e)
	isHash := regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString
	for _, column := range credentials {
		if !isHash(e.Text[column]) {
			t.Errorf("%s holds %q", column.Column(), e.Text[column])
		}
	}
	if e.Text[schema.ActorSessionUID] != e.Text[schema.SessionCredentialUID] || e.Text[schema.ActorSessionUID] == e.Text[schema.ActorSessionUIDAlt] {
		t.Error("hashes do not tell credentials apart")
	}
	want := map[string]string{
		"SESSION_LEVEL": "STANDARD", "KEY_PREFIX": "003", "TOKEN_TYPE": "bearer", "BOT_SESSION_ID": "hash", "request.headers.x-auth-token": "hash",
		"password": "[redacted:password]", "has_password": "true", "client_secret": "[redacted:secret]", "privateKey": "[redacted:private-key]",
		"cookie": "[redacted:cookie]", "API_KEY": "hash", "NAMED_CREDENTIAL_NAME": "ERP", "code": "404", "note": "password=[redacted:password]",
		"PASSWORD_EXPIRED": "17", "session": "a", "field_7": "Bearer", "field_8": "[redacted:password]", "field_9": "plain",
	}
	for _, a := range e.Unmapped {
		if got := a.Value; got != want[a.Name] && !(want[a.Name] == "hash" && isHash(got)) {
			t.Errorf("unmapped %s holds %q, want %q", a.Name, got, want[a.Name])
		}
	}
	for column, want := range map[schema.Text]string{
		schema.ActorUserName:          "svc-password=[redacted:password]",
		schema.UserName:               "[redacted:session]",
		schema.MetadataCorrelationUID: "[redacted:cloud-key]",
		schema.HTTPRequestURLQuery:    "sid=[redacted:session]",
	} {
		if e.Text[column] != want {
			t.Errorf("%s holds %q, want %q", column.Column(), e.Text[column], want)
		}
	}
	again := e
	again.Unmapped = append([]schema.Attribute(nil), e.Unmapped...)
	r.Event(&again)
	if fmt.Sprint(again) != fmt.Sprint(e) {
		t.Errorf("redacted again, %v becomes %v", e, again)
	}
	clone := r.Clone()
	if clone.Hash("session-key-1") != e.Text[schema.ActorSessionUID] || New([]byte("fedcba9876543210")).Hash("session-key-1") == e.Text[schema.ActorSessionUID] {
		t.Error("the key does not make the hash")
	}
	if n := r.Count(); n[KindCredential] == 0 || n[KindPassword] != 4 || len(clone.Count()) != 1 {
		t.Errorf("counted %v, and %v in the clone", n, clone.Count())
	}
}

func TestShortKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a short key was accepted")
		}
	}()
	New(make([]byte, MinKeySize-1))
}

// Long texts take a time that grows with their length, whatever they are: a search
// that grew with its square would take minutes here.
func TestLinearTime(t *testing.T) {
	r := New(testKey)
	for _, piece := range []string{
		"a", "=", ":", "%", "\\", "\"", ">", "<", "password=", "password= ", `"password":"`, "</password>", "<a:password>", "password%3D", "token=null ",
		"://", "://a:b@", "http://a", "eyJ", "eyJ.", "eyJaaaaaaaaaaaa.", "AKIA", "AKIAQ7W3X9Z2LM4N8P1R", "AKIAQ7W3X9Z2LM4N8P1R ", "-----BEGIN PRIVATE KEY-----", "PRIVATE ", "-----BEGIN ",
		"4111 ", "4", "4111 1111 1111 1111 ", "DE89", "DE89 3704 ", "00D5g000004ABCD!", "Bearer ", "Bearer abc123abc123abc123 ", "xoxb-", "aaaaaaaaaaaa/", "a1B/+",
		"%25", "%2525", "%2520", `\\`, `\"`, `\x3d`, `\u003d`, "Cookie: ", "cookie=[", "%3E", "%3Cpassword%3E", " ", "\n", "5Aep", "/services/T", "ya29.", "'", "password='",
	} {
		text := strings.Repeat(piece, 2<<20/len(piece))
		start := time.Now()
		r.Text(text)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("2 MiB of %q took %v", piece, took)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, canary := range texts() {
		f.Add(canary[0])
	}
	for _, crasher := range []string{"Cookie:[0] ", "00privAtekeY =[0]0"} {
		f.Add(crasher)
	}
	r := New(testKey)
	f.Fuzz(func(t *testing.T, s string) {
		clean := r.Text(s)
		if utf8.ValidString(s) && !utf8.ValidString(clean) {
			t.Errorf("%q became invalid: %q", s, clean)
		}
		if again := r.Text(clean); again != clean {
			t.Errorf("%q became %q, and then %q", s, clean, again)
		}
	})
}
