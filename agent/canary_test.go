package agent

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/crmwatch/crmwatch/simulate/canary"
)

// TestNoPlantedSecretLeaves plants secrets into every sample of every format, and looks
// for them in all that is handed on: the blocks of events and of quarantine, which are
// what the spool and the database get, and the report.
func TestNoPlantedSecretLeaves(t *testing.T) {
	samples, err := canary.Samples("formats/testdata")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	planted, err := canary.Plant(samples, dir, 12, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(planted) < 200 {
		t.Fatalf("only %d secrets were planted", len(planted))
	}
	var left [][]byte
	report, err := Load(context.Background(), LoadOptions{Paths: []string{dir}, Redactor: testRedactor(), Source: "scan", Workers: 1, Ship: func(_ context.Context, s Sealed) error {
		left = append(left, bytes.Clone(s.Events.Data), bytes.Clone(s.Quarantine.Data))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, fmt.Append(nil, report))
	for _, c := range planted {
		for _, block := range left {
			if at := bytes.Index(block, []byte(c.Secret)); at >= 0 {
				t.Errorf("%s: a %s leaves: %q, planted at %q", c.File, c.Kind, block[max(0, at-60):min(len(block), at+len(c.Secret)+10)], c.Around)
				break
			}
		}
	}
	t.Logf("%d secrets planted, %d events and %d quarantined records read", len(planted), report.Totals.Events, report.Totals.Quarantined)
}
