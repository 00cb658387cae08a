package formats

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

const sugarHeadText = "Mon Mar  2 09:12:00 2026 [21877][-none-][FATAL] "

// logins collects the names and addresses of failed logins.
type logins struct{ got []string }

func (l *logins) Event(e *schema.Event) {
	l.got = append(l.got, e.Text[schema.UserName]+"|"+e.Text[schema.SrcEndpointIP]+"|"+e.Text[schema.SrcEndpointName])
}
func (l *logins) Reject(r Rejection) { l.got = append(l.got, "rejected: "+r.Reason) }

// Whoever tries to log in chooses the name. It must not change the address, nor end
// the record, nor hide.
func TestSugarFailedLoginNames(t *testing.T) {
	for message, want := range map[string]string{
		"FAILED LOGIN:attempts[3] - jsmith":                            "jsmith||",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[jsmith]": "jsmith|203.0.113.77|",
		"FAILED LOGIN: jsmith":                                         "jsmith||",
		"FAILED LOGIN: potential hack attempt":                         "||",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[a], ip[198.51.100.1], username[admin]":     "a], ip[198.51.100.1], username[admin|203.0.113.77|",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[x]]":                                       "x]|203.0.113.77|",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[]":                                         "|203.0.113.77|",
		"FAILED LOGIN:attempts[3] - , ip[198.51.100.1], username[admin]":                                 ", ip[198.51.100.1], username[admin]||",
		"FAILED LOGIN: attempts[1], ip[198.51.100.1], username[admin] and more":                          "admin] and more|198.51.100.1|",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[two\nlines]":                               "two\nlines|203.0.113.77|",
		"FAILED LOGIN:attempts[3], ip[203.0.113.77], username[Mon Mar  2 09:12:00 2026 [1][1][FATAL] x]": "Mon Mar  2 09:12:00 2026 [1][1][FATAL] x|203.0.113.77|",
		"FAILED LOGIN:attempts[3], ip[gw.acme.example], username[jsmith]":                                "jsmith||gw.acme.example",
	} {
		var l logins
		data := []byte(sugarHeadText + message + "\n")
		decodeInSteps(t, sugarLog.New(Options{}), data, len(data), &l)
		if diff := cmp.Diff([]string{want}, l.got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", message, diff)
		}
	}
}

// The last record stays unused until the next begins, whole lines or not.
func TestSugarLogKeepsTheOpenRecord(t *testing.T) {
	d := sugarLog.New(Options{})
	var l logins
	one, two := sugarHeadText+"FAILED LOGIN: one\n more\n", sugarHeadText+"FAILED LOGIN: two\n"
	if used := d.Decode([]byte(one), false, &l); used != 0 || len(l.got) != 0 {
		t.Fatalf("used %d, gave %q", used, l.got)
	}
	if used := d.Decode([]byte(one+two), false, &l); used != len(one) || len(l.got) != 1 {
		t.Fatalf("used %d, gave %q", used, l.got)
	}
	if used := d.Decode([]byte(two), true, &l); used != len(two) || len(l.got) != 2 {
		t.Fatalf("used %d, gave %q", used, l.got)
	}
	// A decoder goes on after its last lines were asked for.
	if used := d.Decode([]byte(one+two), false, &l); used != len(one) || len(l.got) != 3 {
		t.Fatalf("used %d, gave %q", used, l.got)
	}
}

// A record without an end is rejected in parts, and the next one is read.
func TestSugarLogIsBounded(t *testing.T) {
	const limit = 600
	line := " a line of a dump that does not end, é\n"
	data := []byte(sugarHeadText + "dump\n" + strings.Repeat(line, 50) + sugarHeadText + "FAILED LOGIN: one\n" +
		sugarHeadText + strings.Repeat("x", 2*limit) + "\n" + sugarHeadText + "FAILED LOGIN: two\n" +
		sugarHeadText + "short\n" + strings.Repeat("y", 2*limit) + "\n" + sugarHeadText + "FAILED LOGIN: three\n")
	read := func(step int) (got []string) {
		l := sugarLog.New(Options{}).(*sugarLogFile)
		l.lines.max = limit
		r := &recorder{}
		r.read(l, data, step)
		for _, out := range r.out {
			var record struct {
				Reject string
				User   string `json:"user_name"`
				Offset int
			}
			if err := json.Unmarshal([]byte(out), &record); err != nil {
				t.Fatal(err)
			}
			got = append(got, record.Reject+record.User)
		}
		return got
	}
	want := read(len(data))
	var names []string
	for _, what := range want {
		switch what {
		case "one", "two", "three":
			names = append(names, what)
		case ReasonTooLong:
		default:
			t.Errorf("unexpected %q", what)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, step := range []int{1, 50, limit, limit + 1} {
		if diff := cmp.Diff(want, read(step)); diff != "" {
			t.Errorf("in pieces of %d: -whole +pieces:\n%s", step, diff)
		}
	}
}

// What an access log says is the same event, whichever of the two formats reads it.
func TestSugarAccessKeepsTheIdentity(t *testing.T) {
	line := []byte(`203.0.113.77 - - [02/Mar/2026:09:12:00 +0000] "POST /rest/v11_20/oauth2/token HTTP/1.1" 401 112 "-" "x"` + "\n")
	var plain, sugar transcript
	decodeInSteps(t, nginx.New(Options{Tenant: "acme"}), line, len(line), &plain)
	decodeInSteps(t, sugarAccess.New(Options{Tenant: "acme"}), line, len(line), &sugar)
	if diff := cmp.Diff(plain.uids, sugar.uids); diff != "" || len(plain.uids) != 1 {
		t.Errorf("-nginx +sugar:\n%s", diff)
	}
}

// A proxy in front of several systems is no Sugar's.
func TestSugarAccessLeavesProxiesAlone(t *testing.T) {
	line := func(path string) string {
		return `203.0.113.77 - - [02/Mar/2026:09:12:00 +0000] "GET ` + path + ` HTTP/1.1" 200 112 "-" "x"` + "\n"
	}
	head := line("/rest/v11_20/Contacts") + strings.Repeat(line("/shop"), 5)
	if got, _, _ := Detect([]byte(head)); got.Name != nginxName {
		t.Errorf("detected as %q", got.Name)
	}
}
