package detectors

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

func TestFindingsRoundTrip(t *testing.T) {
	store := openStore(t)
	f := schema.Finding{
		UID: schema.HashUID("a"), DetectedAt: monday.Add(time.Hour), Rule: "r", Severity: schema.SeverityHigh, Title: "T",
		Message: "it's \\ \"odd\"\n\t", TenantUID: "acme", Product: "Salesforce", EntityType: "user", EntityUID: "u1", Entity: "alice",
		WindowFrom: monday, WindowTo: monday.Add(day), FirstSeen: monday.Add(123 * time.Millisecond), LastSeen: monday.Add(time.Minute),
		Count: 1 << 60, Attack: []string{"T1110"}, Controls: []string{"GDPR 32"}, Attributes: map[string]string{"k": "v"}, Evidence: []schema.UID{schema.HashUID("e")}, EvidenceSQL: "SELECT 1",
	}
	g := f
	g.UID, g.Rule, g.Attack, g.Controls, g.Attributes, g.Evidence = schema.HashUID("b"), "other", []string{}, []string{}, map[string]string{}, []schema.UID{}
	g.FirstSeen = monday.Add(time.Hour)
	old := f
	old.Message = "older"
	for i, batch := range [][]schema.Finding{{old}, {f, g}, {f}, nil} {
		if err := saveFindings(t.Context(), store, batch, monday.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		filter FindingFilter
		want   []schema.Finding
	}{
		"all":        {FindingFilter{}, []schema.Finding{f, g}},
		"by rule":    {FindingFilter{Rule: "r"}, []schema.Finding{f}},
		"by uid":     {FindingFilter{UIDs: []schema.UID{g.UID}}, []schema.Finding{g}},
		"by window":  {FindingFilter{From: monday, To: monday.Add(time.Millisecond)}, []schema.Finding{f, g}},
		"none there": {FindingFilter{From: monday.Add(time.Millisecond)}, []schema.Finding{}},
	}
	for name, c := range cases {
		got, err := LoadFindings(t.Context(), store, c.filter)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// showsItsEvidence checks that the query that a finding offers shows exactly its
// evidence.
func showsItsEvidence(t *testing.T, store schema.Store, findings []schema.Finding) {
	t.Helper()
	if err := SaveFindings(t.Context(), store, findings); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		records, err := readRecords(t.Context(), store, f.EvidenceSQL)
		if err != nil {
			t.Errorf("%s: %v\n%s", f.Rule, err, f.EvidenceSQL)
		}
		if len(f.Evidence) == 0 || len(f.Evidence) > maxEvidence || len(records) != len(f.Evidence) {
			t.Errorf("%s: %d events as evidence, %d shown", f.Rule, len(f.Evidence), len(records))
		}
	}
}

func TestQuoteSQL(t *testing.T) {
	store := openStore(t)
	for _, text := range []string{"", "it's", `a\b`, "a\nb\tc\rd\x00e", `"quoted"`, "ünïcode", "'; DROP TABLE events; --"} {
		var got string
		if err := store.QueryRow(t.Context(), "SELECT "+quoteSQL(text)).Scan(&got); err != nil || got != text {
			t.Errorf("%q comes back as %q, %v", text, got, err)
		}
	}
}
