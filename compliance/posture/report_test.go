package posture

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// plain stands for what the program makes harmless text with.
func plain(s string) string { return strings.Map(func(r rune) rune { return max(r, ' ') }, s) }

func someReport() Report {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return Report{RanAt: from.AddDate(0, 0, 30), From: from, To: from.AddDate(0, 0, 30), Results: []Result{
		{Check: "oauth-used", Title: "Integrations log in without passwords", Tenant: "acme", Verdict: Fail, Why: "Passwords leak.", Question: "How?", Controls: []string{"GDPR 32"}, LookedAt: 6, NotPassed: 1, Things: "integrations",
			Products: []Product{{Product: "Salesforce", Verdict: Fail, LookedAt: 6, NotPassed: 1, Mend: "Use OAuth.", Evidence: []Evidence{{"svc|<b>\x1b[31m`x`", Fail, "password", 60, from, from.AddDate(0, 0, 9)}}}}, Query: "SELECT 1"},
		{Check: "tls-modern", Title: "Connections use TLS 1.2 or later", Tenant: "acme", Verdict: Pass, LookedAt: 3, Things: "callers", Products: []Product{{Product: "nginx", Verdict: Pass, LookedAt: 3, passed: []string{"TLS 1.3"}}}},
		{Check: "keys", Title: "Keys", Tenant: "acme", Verdict: CannotJudge, Reason: "too few days", Products: []Product{{Product: "nginx", Verdict: CannotJudge}}},
		{Check: "mfa", Title: "MFA", Tenant: "acme", Verdict: CannotJudge, NotConcerned: true},
	}}
}

func TestTextForATerminal(t *testing.T) {
	var out bytes.Buffer
	if err := WriteText(&out, someReport(), Style{Width: 80, Plain: plain}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Posture of tenant acme, 2026-03-01 00:00 to 2026-03-31 00:00 UTC\n",
		"fail          Integrations log in without passwords", "1 of 6 integrations", "3 callers: TLS 1.3", "cannot judge  Keys", "too few days",
		"cannot judge  1 that concern other products: mfa", "FAIL  Integrations log in without passwords (oauth-used)\n", "password (60 times,", "  Mend      Use OAuth.\n",
		"1 pass, 0 need attention, 1 fail, 2 could not be judged\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	for _, not := range []string{"\x1b", "SELECT 1"} {
		if strings.Contains(out.String(), not) {
			t.Errorf("it says %q", not)
		}
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if len([]rune(line)) > 92 {
			t.Errorf("a line of %d characters: %s", len([]rune(line)), line)
		}
	}
	out.Reset()
	if err := WriteText(&out, someReport(), Style{Width: 80, Plain: plain, Full: true, Color: true}); err != nil || !strings.Contains(out.String(), "SELECT 1") || !strings.Contains(out.String(), "\x1b[32mpass") {
		t.Errorf("in full (%v):\n%s", err, out.String())
	}
}

func TestMarkdownIsNoMarkupOfLogs(t *testing.T) {
	var out bytes.Buffer
	if err := WriteMarkdown(&out, someReport(), plain); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| fail | Integrations log in without passwords |", "svc\\|&lt;b&gt;", "\\`x\\`", "Mend: Use OAuth."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "<b>") {
		t.Error("a name of the log became markup")
	}
}

// The names of the JSON are what scripts depend on.
func TestJSONIsStable(t *testing.T) {
	text, err := json.Marshal(someReport().Only(func(r Result) bool { return r.Check == "oauth-used" }))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"ran_at":"2026-03-31T00:00:00Z","from":"2026-03-01T00:00:00Z","to":"2026-03-31T00:00:00Z","results":[{"check":"oauth-used","title":"Integrations log in without passwords","tenant":"acme","verdict":"fail",` +
		`"why":"Passwords leak.","question":"How?","controls":["GDPR 32"],"looked_at":6,"not_passed":1,"not_judged":0,"things":"integrations","products":[{"product":"Salesforce","verdict":"fail","looked_at":6,"not_passed":1,"not_judged":0,` +
		`"mend":"Use OAuth.","evidence":[{"thing":"svc|\u003cb\u003e\u001b[31m` + "`x`" + `","verdict":"fail","says":"password","events":60,"first_seen":"2026-03-01T00:00:00Z","last_seen":"2026-03-10T00:00:00Z"}]}],"query":"SELECT 1"}]}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// What is offered for pasting must be read back as the names that were seen.
func TestInventoryCanBePasted(t *testing.T) {
	text := InventoryYAML([]Caller{{Name: `svc-"x"\y: #z`, Product: "Salesforce # 2", Account: true, Events: 3}, {Name: "erp*", Product: "nginx"}, {Name: "a # until 2026", Product: "nginx"}}, plain)
	var read struct {
		Inventory struct{ Users, Apps map[string][]string }
	}
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !slices.Equal(read.Inventory.Users["service-accounts"], []string{`svc-"x"\y: #z`}) || !slices.Equal(read.Inventory.Apps["integrations"], []string{"erp*"}) {
		t.Errorf("read back as %+v\n%s", read, text)
	}
}

func TestLiteralsAreQuoted(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{{`it's \d`, `'it\'s \\d'`}, {[]string{"a", "b'"}, `['a', 'b\'']`}, {[]string{}, "CAST([], 'Array(String)')"}, {uint64(7), "7"}, {0.5, "0.5"}} {
		if got := literal(c.value); got != c.want {
			t.Errorf("%v is %s, want %s", c.value, got, c.want)
		}
	}
}
