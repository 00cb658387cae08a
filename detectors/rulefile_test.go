package detectors

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected output")

// golden compares text with a file, or rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// Each file of testdata/bad has mistakes that are found without the engine; beside
// it stands what is said about them.
func TestParseNamesMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(filepath.Base(file), text)
		if err == nil {
			t.Errorf("%s: no mistake found", file)
			continue
		}
		golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
	}
}

// Each file of testdata/refused is refused by the engine.
func TestValidateNamesMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	store := openStore(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := Parse(filepath.Base(file), text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		err = Validate(t.Context(), store, []Rule{rule})
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", file, err)
			continue
		}
		golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	good := strings.Replace(readBuiltin(t, "brute-force"), "id: brute-force", "id: our-own", 1)
	for name, text := range map[string]string{
		"good.yaml": good, "twin.yml": readBuiltin(t, "brute-force"), "bad.yaml": "id: [", "notes.txt": "no rule",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	builtin, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Load(folder, filepath.Join(folder, "missing"))
	if len(rules) != len(builtin)+1 {
		t.Errorf("%d rules, want the built-in %d and one", len(rules), len(builtin))
	}
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Fatalf("problems: %v", err)
	}
	for i, want := range []string{"bad.yaml:1", "missing", "twin.yml:1:5: id brute-force is also that of rules/brute-force.yaml"} {
		if !strings.Contains(problems[i].Error(), want) {
			t.Errorf("problem %d is %v, want it to name %s", i, problems[i], want)
		}
	}
}

func readBuiltin(t testing.TB, id string) string {
	t.Helper()
	text, err := builtinFiles.ReadFile("rules/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func FuzzParse(f *testing.F) {
	entries, err := builtinFiles.ReadDir("rules")
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range entries {
		text, err := builtinFiles.ReadFile("rules/" + entry.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		rule, err := Parse("rule.yaml", text)
		if err == nil && (rule.ID == "" || len(rule.Tests) < 3 || rule.Window < shortestWindow) {
			t.Errorf("an incomplete rule passes: %+v", rule)
		}
	})
}
