package agent

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestTailReadsNoMoreThanItIsShown(t *testing.T) {
	path := t.TempDir() + "/a.log"
	content := lines(0, 50) + strings.Repeat("x", 1000)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	os.Remove(path)
	vetted := []byte(lines(10, 20))
	offset := int64(len(lines(0, 10)))
	got := []byte{}
	for len(got) < len(vetted) {
		part, err := tailLines(f, offset+int64(len(got)), vetted[len(got):])
		if err != nil || len(part) == 0 {
			t.Fatalf("%d bytes of %d: %v", len(got), len(vetted), err)
		}
		got = append(got, part...)
	}
	if string(got) != string(vetted) {
		t.Errorf("got %q", got)
	}
	if _, err := tailLines(f, offset, []byte(lines(11, 13))); !errors.Is(err, errChanged) {
		t.Errorf("a file that changed is read: %v", err)
	}
}
