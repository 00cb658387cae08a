package detectors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Spikes that begin together are one finding from five on; those of another hour, of
// another product and under an exception do not count.
func TestSpikesTogether(t *testing.T) {
	rule := oneRule(t, "traffic-spike")
	spike := func(i int, product string, hour int) schema.Finding {
		from := testBase.Add(time.Duration(hour) * time.Hour)
		f := schema.Finding{Rule: rule.ID, Severity: schema.SeverityMedium, TenantUID: "acme", Product: product, EntityType: "integration", EntityUID: fmt.Sprint("u", i),
			Entity: fmt.Sprint("svc-", i), WindowFrom: from, WindowTo: from.Add(time.Hour), FirstSeen: from, LastSeen: from.Add(time.Hour - time.Millisecond), Count: 10,
			Evidence: make([]schema.UID, 30), Attributes: map[string]string{"score": fmt.Sprint(i), "value": "2000", "peak_before": "30"}}
		f.UID = findingUID(f, from)
		return f
	}
	var all []schema.Finding
	for i := range 6 {
		all = append(all, spike(i, "Salesforce", 3))
	}
	for i := range 4 {
		all = append(all, spike(i, "Salesforce", 4), spike(i, "HubSpot", 3))
	}
	covered := spike(9, "HubSpot", 3)
	covered.Suppressed = "known load"
	noted := spike(10, "HubSpot", 3)
	noted.Attributes[ExceptionAttribute] = "known load"
	got := together(rule, append(all, covered, noted))
	if len(got) != 1+4+4+2 {
		t.Fatalf("%d findings", len(got))
	}
	var parents []schema.Finding
	for _, f := range got {
		if f.EntityType == "source" {
			parents = append(parents, f)
		}
	}
	if len(parents) != 1 {
		t.Fatalf("%d findings of many", len(parents))
	}
	f := parents[0]
	if f.Count != 60 || f.Attributes["entities"] != "6" || f.Attributes["peak"] != "6" || f.Attributes["peak_unit"] != "entities" || len(f.Evidence) != maxEvidence || f.Entity != "Salesforce" ||
		!strings.Contains(f.Message, "6 entities of Salesforce") || !strings.Contains(f.Message, "svc-5 2,000 (largest hour before 30); svc-4") || !strings.Contains(f.Message, "and 1 more") || strings.Contains(f.Message, "svc-0") {
		t.Errorf("the finding of many: %+v", f)
	}
	for _, part := range all {
		if part.UID == f.UID {
			t.Error("the finding of many has the identity of one of them")
		}
	}
}
