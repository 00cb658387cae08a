package detectors

import (
	"os"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/schema"
)

// scenario is a story for all rules at once: rows, and what each rule says of them.
type scenario struct {
	TestDefaults map[string]any            `yaml:"test_defaults"`
	TestRows     map[string]map[string]any `yaml:"test_rows"`
	Events       []map[string]any          `yaml:"events"`
	Expect       map[string][]Expectation  `yaml:"expect"`
}

func TestTokenTheft(t *testing.T) {
	text, err := os.ReadFile("testdata/scenario/token-theft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var story scenario
	if err := yaml.UnmarshalWithOptions(text, &story, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	c := &check{source: newSource("token-theft.yaml", text), file: ruleFile{
		TestDefaults: story.TestDefaults, TestRows: story.TestRows, Tests: []testFile{{Events: story.Events}},
	}}
	test := Test{Name: "token theft"}
	for i := range story.Events {
		test.Events = append(test.Events, c.testEvent(0, i, testBase))
	}
	if err := c.problems.err(); err != nil {
		t.Fatal(err)
	}
	batch := schema.NewBatch()
	test.fill(batch, "", day)
	store := openStore(t)
	if err := insertBatch(t.Context(), store, batch); err != nil {
		t.Fatal(err)
	}
	rules := someRules(t)
	findings, err := NewRunner(store, rules, Options{}).Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byRule := map[string][]schema.Finding{}
	for _, f := range findings {
		byRule[f.Rule] = append(byRule[f.Rule], f)
	}
	for _, rule := range rules {
		if problem := compareFindings(story.Expect[rule.ID], byRule[rule.ID]); problem != "" {
			t.Errorf("%s: %s", rule.ID, problem)
		}
	}
}
