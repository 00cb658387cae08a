package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/agent/formats"
)

// The rules in docs/rules.md are what people copy: each must pass its own tests.
func TestTheDocumentedRulesWork(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(id: ([a-z-]+)\n.*?)```").FindAllStringSubmatch(string(text), -1)
	dir := t.TempDir()
	args := []string{"rules", "test", "--rules", dir}
	for _, block := range blocks {
		if err := os.WriteFile(filepath.Join(dir, block[2]+".yaml"), []byte(block[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--rule", block[2])
	}
	if len(blocks) != 4 {
		t.Errorf("docs/rules.md holds %d rules", len(blocks))
	}
	out := runProgram(t, args...)
	if !strings.Contains(out, "12 passed, 0 failed") {
		t.Errorf("rules test said:\n%s", out)
	}
}

// The example configuration is where people begin.
func TestTheExampleConfigurationIsInOrder(t *testing.T) {
	out := runProgram(t, "validate", "--config", "../../examples/crmwatch.yaml")
	if !strings.Contains(out, "in order, 3 sources") {
		t.Errorf("validate said:\n%s", out)
	}
}

// runProgram runs one command line and wants it to succeed.
func runProgram(t *testing.T, args ...string) string {
	t.Helper()
	i := &instance{t: t, dir: t.TempDir()}
	var out bytes.Buffer
	cmd := i.command(context.Background(), args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("crmwatch %s: %v\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

var formatRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| \\[`([a-z0-9-]+)`\\]\\((formats/[a-z]+\\.md)\\) \\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$")

// Every format has one row in the table of formats, with a sample and a page that are there.
func TestEveryFormatHasItsRow(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, row := range formatRow.FindAllStringSubmatch(string(text), -1) {
		rows[row[1]]++
		for _, path := range []string{"../../docs/" + row[2], "../../agent/formats/testdata/" + row[1] + "/" + row[3]} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("the row of %s names what is not there: %v", row[1], err)
			}
		}
	}
	for _, f := range formats.All() {
		if rows[f.Name] != 1 {
			t.Errorf("%s has %d rows in docs/formats.md, want 1", f.Name, rows[f.Name])
		}
		delete(rows, f.Name)
	}
	for name := range rows {
		t.Errorf("docs/formats.md has a row for %s, which is no format", name)
	}
}
