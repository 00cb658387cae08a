package posture

import (
	"os"
	"regexp"
	"testing"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func builtin(t *testing.T) (Shared, []Check) {
	t.Helper()
	shared, err := BuiltinShared()
	if err != nil {
		t.Fatal(err)
	}
	checks, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return shared, checks
}

// TestChecksProveThemselves runs the tests inside the checks. That each check has a test
// which passes, one which does not and one which cannot be judged is said by Load.
func TestChecksProveThemselves(t *testing.T) {
	shared, checks := builtin(t)
	checks = append(checks, documented(t)...)
	store := enginetest.OpenStore(t)
	results, err := TestChecks(t.Context(), store, shared, checks)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 3*len(checks) {
		t.Errorf("%d checks have %d tests", len(checks), len(results))
	}
	for _, r := range results {
		if r.Problem != "" {
			t.Errorf("%s: %s: %s", r.Check, r.Test, r.Problem)
		}
	}
}

// documented reads the checks that people copy out of the documentation.
func documented(t *testing.T) (checks []Check) {
	t.Helper()
	shared, _ := builtin(t)
	controls, err := detectors.BuiltinControls()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/posture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(id: .*?)```").FindAllSubmatch(text, -1) {
		c, err := Parse("docs/posture.md", block[1], shared, controls)
		if err != nil {
			t.Fatal(err)
		}
		checks = append(checks, c)
	}
	if len(checks) != 1 {
		t.Fatalf("docs/posture.md holds %d checks", len(checks))
	}
	return checks
}

// Each check is described where people look for it.
func TestEveryCheckIsDocumented(t *testing.T) {
	_, checks := builtin(t)
	text, err := os.ReadFile("../../docs/posture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if !regexp.MustCompile("(?m)^[|] `" + c.ID + "` [|] " + regexp.QuoteMeta(c.Question)).Match(text) {
			t.Errorf("docs/posture.md does not say what %s asks: %s", c.ID, c.Question)
		}
	}
}
