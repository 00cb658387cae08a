package detectors

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every built-in rule serves something of each framework, named in the order of the list.
func TestBuiltinRulesNameTheirControls(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		for _, framework := range []string{"GDPR ", "ISO 27001:2022 A.", "SOC 2 "} {
			if !slices.ContainsFunc(rule.Controls, func(id string) bool { return strings.HasPrefix(id, framework) }) {
				t.Errorf("rule %s names no control of %s", rule.ID, framework)
			}
		}
		for i, id := range rule.Controls {
			if rule.ControlTitle(id) == "" || slices.Index(rule.Controls, id) != i {
				t.Errorf("rule %s: control %q has no title, or stands twice", rule.ID, id)
			}
		}
	}
}

func TestControlsAreChecked(t *testing.T) {
	folder := t.TempDir()
	text := strings.Replace(readBuiltin(t, "brute-force"), "id: brute-force", "id: own-rule", 1)
	text = strings.Replace(text, "controls: [GDPR 32, ", "controls: [GDPR 23, PCI DSS 4.0 10.2, GDPR 32, ", 1)
	write(t, filepath.Join(folder, "own-rule.yaml"), text)
	_, err := Load(folder)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("error %v", err)
	}
	if p := problems[0]; p.Detail != `"GDPR 23" is on no list of controls` || p.Line == 0 || p.Column == 0 || !strings.Contains(p.Mend, "GDPR 24") {
		t.Errorf("problem %+v", p)
	}

	// A list of one's own, beside the rules.
	text = strings.Replace(text, "GDPR 23, ", "", 1)
	write(t, filepath.Join(folder, "own-rule.yaml"), text)
	list := filepath.Join(folder, "controls", "pci.yaml")
	write(t, list, "as_of: 2026-03-01\nframeworks:\n  - {name: PCI DSS 4.0, controls: {\"10.2\": Audit logs}}\n")
	rules, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == "own-rule" })
	if title := rules[i].ControlTitle("PCI DSS 4.0 10.2"); title != "Audit logs" {
		t.Errorf("title %q", title)
	}
	write(t, list, "as_of: lately\n")
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), `as_of "lately" is not a day`) {
		t.Errorf("error %v", err)
	}
}

func TestCompareControls(t *testing.T) {
	want := []string{"GDPR 5", "GDPR 32", "ISO 27001:2022 A.5.7", "ISO 27001:2022 A.5.17", "ISO 27001:2022 A.8.2", "SOC 2 A1.1", "SOC 2 CC6.1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareControls)
	if !slices.Equal(got, want) {
		t.Errorf("order %q", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
