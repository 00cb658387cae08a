package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// An engine is an orphan when its parent is not the one that it was started by.
func TestOrphaned(t *testing.T) {
	e := enginetest.Start(t)
	dir := t.TempDir()
	for text, want := range map[string]bool{
		fmt.Sprintf("%d\n%d\n", e.PID(), os.Getpid()): false,
		fmt.Sprintf("%d\n1\n", e.PID()):               true,
		fmt.Sprintf("%d\n", e.PID()):                  false,
		"999999999\n1\n":                              false,
		"":                                            false,
	} {
		if err := os.WriteFile(filepath.Join(dir, "engine.lock"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := engine.Orphaned(dir); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
