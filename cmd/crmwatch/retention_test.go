package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What an administrator types, in order: how things stand, a hold, a retention that would
// delete everything, and the release.
func TestHoldAndRetentionAsTyped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"logs/a.json": `{"time":"2026-03-02T09:00:00Z","tenant":"a' OR 1=1","user":"alice@acme.example","action":"read","path":"/a"}` + "\n" +
			`{"time":"2026-03-02T09:00:01Z","tenant":"globex","user":"bob@globex.example","action":"read","path":"/b"}` + "\n",
		"c.yaml": "data: ./data\nsources:\n  - {name: a, paths: [none.log]}\nretention: {events: 1d}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, cfg := filepath.Join(dir, "data"), filepath.Join(dir, "c.yaml")
	runProgram(t, "ingest", "--data", data, filepath.Join(dir, "logs"))
	if out := runProgram(t, "retention", "show", "--data", data); !strings.Contains(out, "forever") || !strings.Contains(out, "a' OR 1=1") || !strings.Contains(out, "never") {
		t.Errorf("show said:\n%s", out)
	}
	out := runProgram(t, "hold", "add", "--data", data, "--tenant", "a' OR 1=1", "--user", "ALICE@acme.example", "--reason", "matter 17")
	held := regexp.MustCompile(`(?m)^hold ([0-9a-f-]{36})$`).FindStringSubmatch(out)
	if held == nil || !strings.Contains(out, "events               1 row") {
		t.Fatalf("hold add said:\n%s", out)
	}
	if out := runProgram(t, "retention", "apply", "--config", cfg, "--dry-run"); !strings.Contains(out, `metadata_tenant_uid = 'a\' OR 1=1'`) || !strings.Contains(out, "toIntervalSecond(86400)") {
		t.Errorf("the dry run said:\n%s", out)
	}
	if out := runProgram(t, "retention", "apply", "--config", cfg); !strings.Contains(out, "changed events") || !strings.Contains(out, "kept: events 1d; 1 hold") {
		t.Errorf("apply said:\n%s", out)
	}
	if out := runProgram(t, "retention", "apply", "--config", cfg); !strings.Contains(out, "nothing to do") {
		t.Errorf("apply said again:\n%s", out)
	}
	left := func() string {
		return strings.TrimSpace(runProgram(t, "query", "--data", data, "--format", "csv", "SELECT groupArray(actor_user_name) FROM events WHERE metadata_product_name != 'crmwatch' SETTINGS max_threads = 1"))
	}
	show := runProgram(t, "retention", "show", "--data", data)
	if !regexp.MustCompile(`(?m)^events +events +a' OR 1=1 .* 1d .* never .*` + held[1][:8] + ` \(1\)`).MatchString(show) {
		t.Errorf("show says under the hold:\n%s", show)
	}
	if got := left(); !strings.Contains(got, "alice@acme.example") {
		t.Errorf("left under the hold: %s", got)
	}
	if out := runProgram(t, "hold", "list", "--config", cfg); !strings.Contains(out, "matter 17") || !strings.Contains(out, "stands") {
		t.Errorf("hold list said:\n%s", out)
	}
	if out := runProgram(t, "hold", "release", "--config", cfg, held[1][:8], "--reason", "settled"); !strings.Contains(out, "is released") {
		t.Errorf("hold release said:\n%s", out)
	}
	if out := runProgram(t, "hold", "list", "--config", cfg, "--all", "--json"); !strings.Contains(out, `"release_reason":"settled"`) {
		t.Errorf("hold list --all said:\n%s", out)
	}
	acts := runProgram(t, "query", "--data", data, "--format", "csv", "SELECT groupArray(metadata_event_code) FROM (SELECT metadata_event_code FROM events WHERE metadata_product_name = 'crmwatch' ORDER BY time)")
	for _, act := range []string{"hold.add", "retention.change", "hold.release"} {
		if !strings.Contains(acts, act) {
			t.Errorf("the audit has no %s: %s", act, acts)
		}
	}
}
