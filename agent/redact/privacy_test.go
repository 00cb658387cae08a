package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

var pseudonymKey = NewPseudonymKey(bytes.Repeat([]byte("p"), PseudonymKeySize))

func everybody() *PrivacyOptions {
	return &PrivacyOptions{Key: pseudonymKey, Users: true, Addresses: true}
}

// of is the pseudonym of a value.
func of(value string) string { return pseudonymKey.Pseudonym(value, false) }

func TestPseudonymIsTheHMACOfTheNormalValue(t *testing.T) {
	mac := hmac.New(sha256.New, bytes.Repeat([]byte("p"), PseudonymKeySize))
	mac.Write([]byte("alice@acme.example"))
	want := "user-" + pseudonymKey.ID() + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:10]))
	for _, value := range []string{"alice@acme.example", "Alice@ACME.example", " alice@acme.example\t"} {
		if got := of(value); got != want {
			t.Errorf("%q became %s, want %s", value, got, want)
		}
	}
	other := NewPseudonymKey(bytes.Repeat([]byte("q"), PseudonymKeySize))
	if other.ID() == pseudonymKey.ID() || strings.HasSuffix(other.Pseudonym("alice", false), of("alice")[12:]) {
		t.Error("another key makes the same pseudonym")
	}
	if got := pseudonymKey.Pseudonym("Alice@ACME.example", true); got != want+"@acme.example" {
		t.Errorf("with the domain it is %s", got)
	}
	for _, value := range []string{want, want + "@acme.example"} {
		if PseudonymKeyID(value) != pseudonymKey.ID() {
			t.Errorf("%s is not known as a pseudonym", value)
		}
	}
	for _, value := range []string{"", "user-", "user-abc", want + "x", "x" + want, strings.ToUpper(want), "alice"} {
		if PseudonymKeyID(value) != "" {
			t.Errorf("%s is taken for a pseudonym", value)
		}
	}
}

// What comes behind privacy cleans a batch's dictionaries: it must let pseudonyms be.
func TestRedactionLeavesPseudonyms(t *testing.T) {
	r := New(testKey)
	for n := range 20_000 {
		key := NewPseudonymKey(fmt.Appendf(nil, "%032d", n%100))
		value := key.Pseudonym(fmt.Sprintf("user%d@acme.example", n), n%2 == 0)
		for _, column := range []schema.Text{schema.ActorUserName, schema.Message, schema.HTTPRequestUserAgent} {
			if got := r.Column(column, value); got != value {
				t.Fatalf("%s: %s became %s", column.Column(), value, got)
			}
		}
	}
}

func TestAddressesInText(t *testing.T) {
	p := NewPrivacy(everybody(), New(testKey))
	a := of("alice@acme.example")
	for text, want := range map[string]string{
		"":                                                   "",
		"nobody":                                             "nobody",
		"alice@acme.example":                                 a,
		"<Alice@acme.example>, x":                            "<" + a + ">, x",
		"user=alice%40acme.example&x=1":                      "user=" + a + "&x=1",
		"user=alice%2540acme.example%26x":                    "user=" + a + "%26x",
		`{"user":"alice\u0040acme.example"}`:                 `{"user":"` + a + `"}`,
		`{"user":"alice\x40acme.example"}`:                   `{"user":"` + a + `"}`,
		`first\nalice@acme.example\nx`:                       `first\n` + a + `\nx`,
		"Email+=+'alice@acme.example'+LIMIT":                 "Email+=+'" + a + "'+LIMIT",
		"Email%20=%20%27alice@acme.example%27":               "Email%20=%20%27" + a + "%27",
		"mail alice@acme.example.":                           "mail " + a + ".",
		"alice@acme.example.2026":                            a + ".2026",
		"/users/alice@acme.example/x":                        "/users/" + a + "/x",
		"/users/alice%40acme.example%2Fx":                    "/users/" + a + "%2Fx",
		"o'brien@acme.example":                               of("o'brien@acme.example"),
		"müller@bücher.example":                              of("müller@bücher.example"),
		"m%C3%BCller@acme.example":                           of("müller@acme.example"),
		"a+b@acme.example":                                   of("a+b@acme.example"),
		"x+y+a+b@acme.example":                               "x+y+" + of("a+b@acme.example"),
		"https://svc:[redacted:password]@crm.acme.example/":  "https://svc:[redacted:password]@crm.acme.example/",
		"lodash@4.17.21 root@localhost @acme.example alice@": "lodash@4.17.21 root@localhost @acme.example alice@",
		"a@b.example,c@d.example":                            of("a@b.example") + "," + of("c@d.example"),
		`mich\u0142@acme.example`:                            of(`mich\u0142@acme.example`[:4] + `u0142@acme.example`),
	} {
		if got := p.Content(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if got := p.Content(want); got != want {
			t.Errorf("%q became %q the second time", want, got)
		}
	}
}

// event has a person's name in every kind of column.
func event(name, address string) *schema.Event {
	e := &schema.Event{UID: schema.HashUID("record")}
	e.Text[schema.ActorUserName] = name
	e.Text[schema.ActorUserEmailAddr] = address
	e.Text[schema.UserName] = "Bob@acme.example"
	e.Text[schema.ActorUserUID] = "005000000000001AAA"
	e.Text[schema.HTTPRequestURLPath] = "/users/" + strings.ReplaceAll(name, " ", "%20") + "/x"
	e.Text[schema.HTTPRequestURLQuery] = "u=" + strings.ReplaceAll(strings.ToUpper(name), " ", "+") + "&mail=" + strings.ReplaceAll(address, "@", "%40")
	e.Text[schema.Message] = name + " made bob@acme.example an administrator"
	e.Text[schema.ResourcesName] = "Report of " + name
	e.Text[schema.MetadataTenantUID] = "acme"
	e.AddUnmapped("details", name+" <"+address+">")
	e.AddUnmapped("of "+address, "1")
	return e
}

func TestAPersonIsReplacedEverywhere(t *testing.T) {
	r := New(testKey)
	p := NewPrivacy(everybody(), r)
	for _, name := range []string{"Petra Quendel", "pquendel", "Zoë Ōkubo", "山田太郎"} {
		e := event(name, "petra.quendel@acme.example")
		r.Row(e)
		p.Event(r, e)
		text := strings.ToLower(fmt.Sprint(e.Text, e.Unmapped))
		for _, part := range []string{strings.ToLower(name), "quendel", "bob", "zoë", "ōkubo", "petra"} {
			if strings.Contains(text, part) {
				t.Errorf("%s: %s is left in %s", name, part, text)
			}
		}
		n, a, b := of(name), of("petra.quendel@acme.example"), of("bob@acme.example")
		for column, want := range map[schema.Text]string{
			schema.ActorUserName: n, schema.ActorUserEmailAddr: a, schema.UserName: b, schema.ActorUserUID: "005000000000001AAA",
			schema.HTTPRequestURLPath: "/users/" + n + "/x", schema.HTTPRequestURLQuery: "u=" + n + "&mail=" + a,
			schema.Message: n + " made " + b + " an administrator", schema.ResourcesName: "Report of " + n, schema.MetadataTenantUID: "acme",
		} {
			if e.Text[column] != want {
				t.Errorf("%s holds %q, want %q", column.Column(), e.Text[column], want)
			}
		}
		if diff := cmp.Diff([]schema.Attribute{{Name: "details", Value: n + " <" + a + ">"}, {Name: "of " + a, Value: "1"}}, e.Unmapped); diff != "" {
			t.Errorf("unmapped (-want +got):\n%s", diff)
		}
	}
}

func TestWordsThatOnlyHoldANameStay(t *testing.T) {
	r := New(testKey)
	p := NewPrivacy(everybody(), r)
	e := &schema.Event{}
	e.Text[schema.ActorUserName] = "ann"
	e.Text[schema.Message] = "annual ann-mary's Johann; ann, (ANN) über-ann Ännann annä"
	e.Text[schema.ResourcesType] = "ann"
	e.Text[schema.UserName] = "al"
	e.AddUnmapped("note", "al is short")
	r.Row(e)
	p.Event(r, e)
	a := of("ann")
	if want := "annual " + a + "-mary's Johann; " + a + ", (" + a + ") über-" + a + " Ännann annä"; e.Text[schema.Message] != want {
		t.Errorf("message is %q, want %q", e.Text[schema.Message], want)
	}
	if e.Text[schema.ResourcesType] != "ann" || e.Text[schema.UserName] != of("al") || e.Unmapped[0].Value != "al is short" {
		t.Errorf("%v %v", e.Text, e.Unmapped)
	}
}

// A user whose name is part of pseudonyms must not tear them apart.
func TestAUserNamedUser(t *testing.T) {
	r := New(testKey)
	p := NewPrivacy(everybody(), r)
	e := &schema.Event{}
	e.Text[schema.ActorUserName], e.Text[schema.UserName], e.Text[schema.Message] = "user", "bob@acme.example", "user met bob@acme.example"
	p.Event(r, e)
	if e.Text[schema.ActorUserName] != of("user") || e.Text[schema.UserName] != of("bob@acme.example") || e.Text[schema.Message] != of("user")+" met "+of("bob@acme.example") {
		t.Errorf("%q", e.Text)
	}
}

func TestExceptedNamesStayReadable(t *testing.T) {
	r := New(testKey)
	o := everybody()
	o.Except = []string{"svc-*@acme.example", "system"}
	p := NewPrivacy(o, r)
	e := &schema.Event{}
	e.Text[schema.ActorUserName], e.Text[schema.UserName] = "SVC-sync@acme.example", "svc-sync@other.example"
	e.Text[schema.Message] = "svc-sync@acme.example for System and svc-sync@other.example"
	p.Event(r, e)
	if e.Text[schema.ActorUserName] != "SVC-sync@acme.example" || e.Text[schema.UserName] != of("svc-sync@other.example") {
		t.Errorf("users are %q and %q", e.Text[schema.ActorUserName], e.Text[schema.UserName])
	}
	if want := "svc-sync@acme.example for System and " + of("svc-sync@other.example"); e.Text[schema.Message] != want {
		t.Errorf("message is %q, want %q", e.Text[schema.Message], want)
	}
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{{"*", "", true}, {"a*b*c", "axxbyc", true}, {"a*b*c", "axxbyd", false}, {"", "", true}, {"", "a", false}, {"a", "ab", false}, {"*b", "ab", true}, {"**", "x", true}} {
		if matches(c.pattern, c.s) != c.want {
			t.Errorf("matches(%q, %q) is not %v", c.pattern, c.s, c.want)
		}
	}
}

func TestFieldsSayWhatBecomesAPseudonym(t *testing.T) {
	r := New(testKey)
	for name, c := range map[string]struct {
		o                      PrivacyOptions
		user, address, id, msg string
	}{
		"users":     {PrivacyOptions{Users: true}, of("alice"), "alice@acme.example", "77123", of("alice") + " alice@acme.example 77123"},
		"addresses": {PrivacyOptions{Addresses: true}, "alice", of("alice@acme.example"), "77123", "alice " + of("alice@acme.example") + " 77123"},
		"ids":       {PrivacyOptions{IDs: true}, "alice", "alice@acme.example", of("77123"), "alice alice@acme.example " + of("77123")},
	} {
		c.o.Key = pseudonymKey
		e := &schema.Event{}
		e.Text[schema.ActorUserName], e.Text[schema.ActorUserEmailAddr], e.Text[schema.ActorUserUID] = "alice", "alice@acme.example", "77123"
		e.Text[schema.Message] = "alice alice@acme.example 77123"
		NewPrivacy(&c.o, r).Event(r, e)
		if name == "users" {
			// The name is part of the address too.
			c.address = of("alice") + "@acme.example"
			c.msg = of("alice") + " " + c.address + " 77123"
		}
		got := []string{e.Text[schema.ActorUserName], e.Text[schema.ActorUserEmailAddr], e.Text[schema.ActorUserUID], e.Text[schema.Message]}
		if diff := cmp.Diff([]string{c.user, c.address, c.id, c.msg}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMinimisation(t *testing.T) {
	r := New(testKey)
	o := &PrivacyOptions{LimitFreeText: true, FreeText: []string{"status_detail", "unmapped.rows", "unmapped.cpu*"},
		Drop: []string{"http_request_user_agent", "src_endpoint_port", "unmapped.cpu_secret"}}
	p := NewPrivacy(o, r)
	e := &schema.Event{}
	for _, column := range []schema.Text{schema.StatusDetail, schema.Message, schema.HTTPRequestURLQuery, schema.QueryString, schema.HTTPRequestReferrer, schema.RawData,
		schema.HTTPRequestUserAgent, schema.HTTPRequestURLPath, schema.ActorUserName} {
		e.Text[column] = "x@y.example"
	}
	e.Number[schema.SrcEndpointPort], e.Number[schema.RowsProcessed] = 443, 7
	for _, name := range []string{"rows", "rows2", "cpu", "cpu_time", "cpu_secret", "details"} {
		e.AddUnmapped(name, name)
	}
	for range 2 {
		p.Event(r, e)
	}
	var left []string
	for i, value := range e.Text {
		if value != "" {
			left = append(left, schema.Text(i).Column()+"="+value)
		}
	}
	for _, a := range e.Unmapped {
		left = append(left, a.Name)
	}
	if diff := cmp.Diff([]string{"actor_user_name=x@y.example", "http_request_url_path=x@y.example", "status_detail=x@y.example", "rows", "cpu", "cpu_time"}, left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e.Number[schema.SrcEndpointPort] != 0 || e.Number[schema.RowsProcessed] != 7 {
		t.Error("the wrong numbers are dropped")
	}
	if p.Content("a record") != "" || p.Why("message") != Emptied || p.Why("http_request_user_agent") != Dropped || p.Why("unmapped.rows") != "" {
		t.Error("what is left out is not said")
	}
	for name, want := range map[string]string{"message": "", "unmapped.x": "", "unmapped.": "no column", "quarantine.content": "", "src_endpoint_port": "", "class_uid": "cannot be dropped", "x_source_name": "cannot be dropped", "user": "no column"} {
		if err := CheckDrop(name); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("drop %s: %v, want %q", name, err, want)
		}
	}
	for name, good := range map[string]bool{"message": true, "unmapped.*": true, "actor_user_name": false, "quarantine.content": true, "": false} {
		if err := CheckFreeText(name); (err == nil) != good {
			t.Errorf("free text %s: %v", name, err)
		}
	}
}

// An identity must be the same whenever the record is read, and nobody without the key
// may be able to make it from the record.
func TestIdentityNeedsTheKey(t *testing.T) {
	r := New(testKey)
	uid := func(o *PrivacyOptions, r *Redactor, uid schema.UID) schema.UID {
		e := &schema.Event{UID: uid}
		NewPrivacy(o, r).Event(r, e)
		return e.UID
	}
	plain := schema.HashUID("a record")
	first := uid(everybody(), r, plain)
	if first == plain || first != uid(everybody(), New(bytes.Repeat([]byte("z"), 32)), plain) || first == uid(everybody(), r, schema.HashUID("another")) {
		t.Error("the identity is not made of record and key")
	}
	other := everybody()
	other.Key = NewPseudonymKey(bytes.Repeat([]byte("q"), PseudonymKeySize))
	if uid(other, r, plain) == first {
		t.Error("another key makes the same identity")
	}
	drop := &PrivacyOptions{Drop: []string{"message"}}
	if got := uid(drop, r, plain); got == plain || got == first || got != uid(drop, New(testKey), plain) {
		t.Error("without pseudonyms the redaction key does not make the identity")
	}
}

// A decoder writes the next record over the last one: nothing may point there.
func TestPrivacyKeepsNothingOfTheInput(t *testing.T) {
	r := New(testKey)
	p := NewPrivacy(everybody(), r)
	input := make([]byte, 64)
	for _, record := range []string{"bob@acme.example|sync/1.0 (x@y)|details@x", "details@x|sync/1.0 (x@y)|bob@acme.example", "sync/1.0 (x@y)|bob@acme.example"} {
		copy(input, record)
		at := func(value string) string {
			from := strings.Index(record, value)
			return unsafe.String(&input[max(0, from)], len(value))
		}
		e := &schema.Event{}
		e.Text[schema.ActorUserName], e.Text[schema.HTTPRequestUserAgent] = at("bob@acme.example"), at("sync/1.0 (x@y)")
		e.AddUnmapped(at("details@x"), at("sync/1.0 (x@y)"))
		p.Event(r, e)
		if user, agent := e.Text[schema.ActorUserName], e.Text[schema.HTTPRequestUserAgent]; user != of("bob@acme.example") || agent != "sync/1.0 (x@y)" {
			t.Errorf("%q: %q %q", record, user, agent)
		}
	}
}

// Looking for people takes a time that grows with the length of the text.
func TestPrivacyInLinearTime(t *testing.T) {
	r := New(testKey)
	for _, piece := range []string{"a", "@", "a@", "a@b.", "%40", "a%40", "a%2540b.", `\u0040`, `\u0142`, "+", "a+", "a ", ".", "a.b@", "'", "\\", "%", "%25", "\xff", "%C3%BC", "ü"} {
		p := NewPrivacy(everybody(), r)
		e := &schema.Event{}
		e.Text[schema.ActorUserName], e.Text[schema.Message] = strings.Repeat(piece, maxPerson/len(piece)-1)+"x", strings.Repeat(piece, 1<<17/len(piece))
		start := time.Now()
		p.Event(r, e)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("128 KiB of %q took %v", piece, took)
		}
	}
}

// FuzzPrivacy wants no address of the event left, whatever stands around it.
func FuzzPrivacy(f *testing.F) {
	f.Add("u=", "&x", "petra.quendel")
	f.Add(`{"a":"\u00`, `\n"}`, "q")
	f.Add("%25", "%40", "a%b")
	f.Add("\\", "\\u0040x.y", "\\u0142")
	r := New(testKey)
	p := NewPrivacy(everybody(), r)
	f.Fuzz(func(t *testing.T, before, after, name string) {
		text := before + " petra.quendel@acme.example " + after
		clean := p.Content(text)
		if strings.Contains(clean, "quendel@") {
			t.Errorf("%q became %q", text, clean)
		}
		if utf8.ValidString(text) && !utf8.ValidString(clean) {
			t.Errorf("%q became invalid: %q", text, clean)
		}
		if again := p.Content(clean); again != clean {
			t.Errorf("%q became %q, and then %q", text, clean, again)
		}
		e := &schema.Event{}
		e.Text[schema.ActorUserName], e.Text[schema.Message] = name, before+" "+name+" "+after
		p.Event(r, e)
		if got := e.Text[schema.ActorUserName]; normalName(name) != "" && PseudonymKeyID(got) != pseudonymKey.ID() {
			t.Errorf("%q became %q", name, got)
		}
	})
}
