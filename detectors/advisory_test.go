package detectors

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ownAdvisory = `id: acme-warning-7
title: Seen at a partner
published: 2026-01-10
source: https://acme.example/warnings/7
user_agents: [EvilLoader/*]
networks: [203.0.113.0/24, "2001:db8::7"]
`

func TestAdvisoriesOfOnesOwnExtendTheLists(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "advisories"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "advisories", "partner.yaml"), []byte(ownAdvisory), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == "known-attacker-clients" })
	for name, want := range map[string]string{
		"user_agents": "EvilLoader/* # acme-warning-7, 2026-01-10", "common_user_agents": "python-requests/2.32.4 # unc6395, 2025-08-26",
		"networks": "2001:db8::7 # acme-warning-7, 2026-01-10",
	} {
		if p, _ := rules[i].Param(name); !slices.Contains(p.Value.([]string), want) {
			t.Errorf("parameter %s is %q, want it to hold %q", name, p.Value, want)
		}
	}
}

func TestAdvisoriesThatCannotBeRight(t *testing.T) {
	for change, want := range map[string]string{
		"2026-01-10":     "is not a day",
		"EvilLoader/*":   "would match everything",
		"203.0.113.0/24": "neither an address nor a network",
		"acme-warning-7": "lower-case words",
		"networks":       "nets",
	} {
		to := map[string]string{"EvilLoader/*": `"*"`, "networks": "nets", "acme-warning-7": "Acme Warning"}[change]
		if to == "" {
			to = "soon"
		}
		_, err := parseAdvisory("partner.yaml", []byte(strings.ReplaceAll(ownAdvisory, change, to)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s for %s: error %v, want it to say %q", to, change, err, want)
		}
	}
}

func TestARuleIsBlindWhileAListItNeedsIsEmpty(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == "shadow-integration" })
	if got := rules[i].Unset(); !slices.Equal(got, []string{"inventory"}) {
		t.Errorf("unset parameters are %q, want inventory", got)
	}
	filled, err := rules[i].WithParameters(map[string]any{"inventory": []any{"crm-sync"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := filled.Unset(); len(got) > 0 {
		t.Errorf("unset parameters are %q, want none", got)
	}
}

// The advisory in docs/rules.md is what people copy.
func TestTheDocumentedAdvisoryIsOne(t *testing.T) {
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "# ./rules/advisories/")
	block, _, _ := strings.Cut(rest, "```")
	name, body, found := strings.Cut(block, "\n")
	if a, err := parseAdvisory(name, []byte(body)); err != nil || !found || a.ID+".yaml" != name || len(a.Networks) != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}
