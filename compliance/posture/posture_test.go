package posture

import (
	"testing"

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
	store := enginetest.OpenStore(t)
	results, err := TestChecks(t.Context(), store, shared, checks)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Problem != "" {
			t.Errorf("%s: %s: %s", r.Check, r.Test, r.Problem)
		}
	}
}
