package compliance

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const documentation = "../docs/compliance.md"

// The documentation lists every statement with the controls that it serves. -update
// writes the list.
func TestStatementsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), "<!-- statements: written by go test ./compliance -run Documented -update -->\n")
	_, after, ends := strings.Cut(rest, "<!-- end of statements -->")
	if !begins || !ends {
		t.Fatalf("%s has no place for the list of statements", documentation)
	}
	place := strings.TrimSuffix(string(text), rest)
	want := place + statementList(builtin(t)) + "<!-- end of statements -->" + after
	if *update {
		if err := os.WriteFile(documentation, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) || before == "" {
		t.Errorf("%s does not list the statements as they are: run go test ./compliance -run Documented -update", documentation)
	}
}

// statementList is a table for each section.
func statementList(sections []Section) string {
	var out strings.Builder
	for _, section := range sections {
		fmt.Fprintf(&out, "\n**%s.** %s\n\n| statement | `id` | controls |\n| --- | --- | --- |\n", section.Title, section.About)
		for _, s := range section.Statements {
			fmt.Fprintf(&out, "| %s | `%s` | %s |\n", s.Title, s.ID, joinControls(s.Controls))
		}
	}
	return out.String() + "\n"
}

// joinControls names each framework once: GDPR 5, 32; SOC 2 CC6.1.
func joinControls(ids []string) string {
	var frameworks []string
	numbers := map[string][]string{}
	for _, id := range ids {
		cut := strings.LastIndexByte(id, ' ')
		name := id[:cut]
		if numbers[name] == nil {
			frameworks = append(frameworks, name)
		}
		numbers[name] = append(numbers[name], id[cut+1:])
	}
	parts := make([]string, len(frameworks))
	for i, name := range frameworks {
		parts[i] = name + " " + strings.Join(numbers[name], ", ")
	}
	return strings.Join(parts, "; ")
}
