package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestWalk(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"logs/b.csv":          "b",
		"logs/a/2.csv":        "2",
		"logs/a/10.csv":       "10",
		"logs/a/loop":         "-> ..",
		"logs/inside":         "-> a/2.csv",
		"logs/outside":        "-> ../elsewhere/secret",
		"logs/absolute":       "-> /etc/hostname",
		"logs/self":           "-> self",
		"logs/nothing":        "-> nowhere",
		"logs/z.zip":          zipped(t, "m/2", "x", "m/1", "y"),
		"elsewhere/secret":    "s",
		"elsewhere/named.csv": "n",
	})
	if err := unix.Mkfifo(filepath.Join(dir, "logs/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "logs/b.csv"), filepath.Join(dir, "logs/c.csv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("logs", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, in := range Walk([]string{filepath.Join(dir, "link"), filepath.Join(dir, "elsewhere/named.csv"), filepath.Join(dir, "logs/b.csv"), filepath.Join(dir, "gone")}) {
		fmt.Fprintf(&got, "%s", strings.ReplaceAll(in.Name, dir, "DIR"))
		if in.Refused != "" {
			fmt.Fprintf(&got, " | %s | %s", in.Status, in.Refused)
		}
		got.WriteString("\n")
	}
	want := `link/a/10.csv
link/a/2.csv
link/absolute | unreadable | it is a symbolic link that leads out of the given folder; name its target instead
link/b.csv
link/c.csv | same file | it is the same file as link/b.csv
link/inside | same file | it is the same file as link/a/2.csv
link/nothing | unreadable | it is not there (removed, or a link to nothing)
link/outside | unreadable | it is a symbolic link that leads out of the given folder; name its target instead
link/pipe | unreadable | it is a named pipe; only regular files are read
link/self | unreadable | it is a symbolic link that leads to itself
link/z.zip!m/1
link/z.zip!m/2
named.csv
b.csv | same file | it is the same file as link/b.csv
DIR/gone | unreadable | it is not there (removed, or a link to nothing)
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
}

// TestFileThatGoesAfterTheWalk is removed, or replaced by a pipe, before it is read.
func TestFileThatGoesAfterTheWalk(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.csv": "a", "b.csv": "b"})
	inputs := Walk([]string{dir})
	for _, in := range inputs {
		os.Remove(filepath.Join(dir, in.Name))
	}
	if err := unix.Mkfifo(filepath.Join(dir, "b.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &reader{redactor: testRedactor(), ordinals: newOrdinals()}
	for i, want := range []string{"it is not there (removed, or a link to nothing)", "it is a named pipe; only regular files are read"} {
		report, err := r.read(t.Context(), inputs[i])
		if err != nil || report.Status != StatusUnreadable || report.Reason != want {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

func TestPermissionIsNamed(t *testing.T) {
	if got, want := whyUnreadable(&os.PathError{Op: "open", Path: "x", Err: unix.EACCES}), "permission denied: let the user who runs crmwatch read it"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
