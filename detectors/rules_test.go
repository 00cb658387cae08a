package detectors

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// openStore is a database with the tables of crmwatch, this test's own.
func openStore(t *testing.T) schema.Store {
	t.Helper()
	return enginetest.OpenStore(t)
}

// The tests inside the built-in rules are run by `crmwatch rules test`, the last step of
// make test.
func TestBuiltinRulesAreValid(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(t.Context(), openStore(t), rules); err != nil {
		t.Fatal(err)
	}
}

// Rules that judge failed logins agree on which refusals are no guesses.
func TestRulesShareOneListOfRefusalsThatAreNoGuesses(t *testing.T) {
	shared := oneRule(t, "brute-force")
	for _, id := range []string{"password-spray", "credential-stuffing", "success-after-failures-new-network"} {
		if diff := cmp.Diff(parameter(shared, "not_guesses"), parameter(oneRule(t, id), "not_guesses")); diff != "" {
			t.Errorf("not_guesses of %s differs from that of %s:\n%s", id, shared.ID, diff)
		}
	}
}

// parameter is the value of a rule's parameter, nil where it has none.
func parameter(r Rule, name string) any {
	for _, p := range r.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// A rule that can no longer fire, fires too early, or lost its tests does not pass.
func TestRulesFindsRulesThatChanged(t *testing.T) {
	rule := oneRule(t, "brute-force")
	change := func(edit func(*Rule)) Rule {
		changed := rule
		changed.Params = slices.Clone(rule.Params)
		edit(&changed)
		return changed
	}
	threshold := slices.IndexFunc(rule.Params, func(p Param) bool { return p.Name == "threshold" })
	cases := map[string]struct {
		rule Rule
		want string
	}{
		"never fires":  {change(func(r *Rule) { r.Query = strings.Replace(r.Query, "status = 2", "status = 3", 1) }), "no finding"},
		"fires early":  {change(func(r *Rule) { r.Params[threshold].Value = uint64(4) }), "unexpected finding"},
		"cannot run":   {change(func(r *Rule) { r.Query = "SELECT nothing" }), "nothing"},
		"has no quiet": {change(func(r *Rule) { r.Tests = r.Tests[:1] }), "no test of kind quiet"},
	}
	for name, c := range cases {
		results, err := TestRules(t.Context(), []schema.Store{openStore(t)}, []Rule{c.rule})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(results, func(r Result) bool { return strings.Contains(r.Problem, c.want) }) {
			t.Errorf("%s: no result says %q: %+v", name, c.want, results)
		}
	}
}
