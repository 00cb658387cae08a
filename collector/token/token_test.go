package token

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.json")
	first, err := Enroll(path, "web-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := func(token, agent string, ok bool) {
		t.Helper()
		if got, known := f.Authenticate(token); got != agent || known != ok {
			t.Errorf("%.8s... is %q, %v; want %q, %v", token, got, known, agent, ok)
		}
	}
	want(first, "web-1", true)
	want(first[:len(first)-1], "", false)
	want("", "", false)
	second, err := Enroll(path, "web-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Enroll(path, "web-2", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want(first, "web-1", true)
	want(second, "web-1", true)
	want(other, "web-2", true)
	f.now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	want(first, "", false)
	want(second, "web-1", true)
	f.now = time.Now
	if err := Revoke(path, "web-1"); err != nil {
		t.Fatal(err)
	}
	want(second, "", false)
	want(other, "web-2", true)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first, second, other} {
		if strings.Contains(string(text), token) {
			t.Error("the file holds a token itself")
		}
	}
	if err := Revoke(path, "web-9"); err == nil {
		t.Error("an agent without a token is revoked without a word")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that all may read is opened: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "../../etc/x", "a\nb", "a\x00b", "A", strings.Repeat("a", 65), ".hidden", "-x"} {
		if _, err := Enroll(filepath.Join(t.TempDir(), "agents.json"), name, 0); err == nil {
			t.Errorf("%q is taken as a name", name)
		}
	}
}
