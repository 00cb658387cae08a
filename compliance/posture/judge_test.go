package posture

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var sample = Check{ID: "sample", Title: "Sample", Singular: "integration", Plural: "integrations", Needs: map[string]string{"Salesforce": "a log of logins", "gateways": "keys"},
	Mend: map[string]string{"Salesforce": "Mend it.", "any": "Mend anything."}}

func things(product string, verdicts ...string) (rows []row) {
	for i, v := range verdicts {
		rows = append(rows, row{tenant: "acme", product: product, thing: string(rune('a' + i)), verdict: v, says: "said " + v, events: uint64(i + 1), first: time.Unix(0, 0), last: time.Unix(9, 0)})
	}
	return rows
}

// Nothing passes for want of evidence.
func TestVerdictOfTenant(t *testing.T) {
	salesforce, kong, other := place{"acme", "Salesforce"}, place{"acme", "Kong Gateway"}, place{"acme", "HubSpot"}
	for name, c := range map[string]struct {
		places []place
		rows   []row
		want   Verdict
		reason string
		looked uint64
	}{
		"nothing was looked at":                  {places: []place{salesforce}, want: CannotJudge, reason: "it needs a log of logins"},
		"a product that it does not concern":     {places: []place{other}, want: CannotJudge, reason: "no log of a product that it concerns: Salesforce, gateways"},
		"all in order":                           {places: []place{salesforce}, rows: things("Salesforce", "pass", "pass"), want: Pass, looked: 2},
		"one is not":                             {places: []place{salesforce}, rows: things("Salesforce", "pass", "fail", "attention"), want: Fail, looked: 3},
		"one needs attention":                    {places: []place{salesforce}, rows: things("Salesforce", "attention", "pass", "unknown"), want: Attention, looked: 2},
		"none could be judged":                   {places: []place{salesforce}, rows: things("Salesforce", "unknown"), want: CannotJudge, reason: "said unknown"},
		"half could be judged":                   {places: []place{salesforce}, rows: things("Salesforce", "pass", "unknown"), want: Pass, looked: 1},
		"fewer than half":                        {places: []place{salesforce}, rows: things("Salesforce", "pass", "unknown", "unknown"), want: CannotJudge, reason: "only 1 of 3 integrations could be judged", looked: 1},
		"what fails counts, however few":         {places: []place{salesforce}, rows: things("Salesforce", "fail", "unknown", "unknown"), want: Fail, looked: 1},
		"a word that is no verdict":              {places: []place{salesforce}, rows: things("Salesforce", "fine"), want: CannotJudge},
		"another product passes":                 {places: []place{kong, salesforce}, rows: things("Salesforce", "pass"), want: Pass, looked: 1},
		"another product fails":                  {places: []place{kong, salesforce}, rows: append(things("Salesforce", "pass"), things("Kong Gateway", "fail")...), want: Fail, looked: 2},
		"rows of a product that needs nothing":   {places: []place{other}, rows: things("HubSpot", "attention"), want: Attention, looked: 1},
		"a product with rows outweighs one more": {places: []place{other, salesforce}, rows: things("HubSpot", "pass"), want: Pass, looked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := sample.judge(c.places, c.rows, nil, "SELECT 1")
			if len(got) != 1 || got[0].Verdict != c.want || !strings.Contains(got[0].Reason, c.reason) || got[0].LookedAt != c.looked {
				t.Errorf("got %+v, want %s, %q, %d looked at", got, c.want, c.reason, c.looked)
			}
			if (got[0].Reason == "") != (c.want != CannotJudge) {
				t.Errorf("the verdict is %s and the reason %q", got[0].Verdict, got[0].Reason)
			}
		})
	}
}

func TestTenantsAreJudgedApart(t *testing.T) {
	rows := append(things("Salesforce", "pass"), row{tenant: "globex", product: "Salesforce", thing: "x", verdict: "fail"})
	got := sample.judge([]place{{"acme", "Salesforce"}, {"globex", "Salesforce"}, {"initech", "Salesforce"}}, rows, nil, "")
	var verdicts []Verdict
	for _, r := range got {
		verdicts = append(verdicts, r.Verdict)
	}
	if want := []Verdict{Pass, Fail, CannotJudge}; !slices.Equal(verdicts, want) {
		t.Errorf("verdicts are %v, want %v", verdicts, want)
	}
}

func TestEvidenceIsTheWorstAndBounded(t *testing.T) {
	var rows []row
	for i := range 40 {
		verdict := "attention"
		if i == 7 {
			verdict = "fail"
		}
		rows = append(rows, row{tenant: "acme", product: "Kong Gateway", thing: string(rune('A' + i)), verdict: verdict, events: uint64(i)})
	}
	p := sample.judge([]place{{"acme", "Kong Gateway"}}, rows, nil, "")[0].Products[0]
	if len(p.Evidence) != maxEvidence || p.Evidence[0].Thing != "H" || p.Evidence[1].Events != 39 || p.NotPassed != 40 || p.Mend != "Mend anything." {
		t.Errorf("evidence is %+v", p)
	}
}

// What is said of all that passed is said only where it is true of all.
func TestWhatPassedIsSaidOfAll(t *testing.T) {
	rows := things("Salesforce", "pass", "pass", "pass")
	for name, c := range map[string]struct {
		says [3]string
		want string
	}{"alike": {[3]string{"TLS 1.3", "TLS 1.3", "TLS 1.3"}, "3 integrations: TLS 1.3"}, "one differs": {[3]string{"TLS 1.3", "TLS 1.2", "TLS 1.3"}, "3 integrations: nothing amiss"}} {
		for i := range rows {
			rows[i].says = c.says[i]
		}
		if got := sample.judge([]place{{"acme", "Salesforce"}}, rows, nil, "")[0].gist(); got != c.want {
			t.Errorf("%s: it says %q, want %q", name, got, c.want)
		}
	}
}

func TestFailOnDoesNotCountWhatCannotBeJudged(t *testing.T) {
	r := Report{Results: []Result{{Verdict: Pass}, {Verdict: CannotJudge}}}
	if r.AtLeast(Attention) {
		t.Error("what could not be judged is taken for a failure")
	}
	r.Results = append(r.Results, Result{Verdict: Attention})
	if !r.AtLeast(Attention) || r.AtLeast(Fail) {
		t.Error("attention is attention, and no failure")
	}
	if want := "1 pass, 1 needs attention, 0 fail, 1 could not be judged"; r.SayCounts() != want {
		t.Errorf("counts are %q", r.SayCounts())
	}
}
