package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts call the program by name, and the program starts itself as the
// engine's process: both are this test binary.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"crmwatch": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: scriptEnvironment(t),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gzip":     gzipFile,
			"longline": longLine,
		},
	})
}

// scriptEnvironment points the program at the engine library, because the home
// directory of a script is empty.
func scriptEnvironment(t *testing.T) func(*testscript.Env) error {
	library, err := engine.FindLibrary()
	if err != nil {
		t.Fatalf("the tests need the engine (run make engine): %v", err)
	}
	return func(env *testscript.Env) error {
		env.Setenv("CRMWATCH_LIBCHDB", library)
		env.Setenv("NO_COLOR", "1")
		return nil
	}
}

// gzipFile FILE replaces a file by FILE.gz.
func gzipFile(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(text)
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(path+".gz", packed.Bytes(), 0o644))
	ts.Check(os.Remove(path))
}

// longLine FILE appends a line of 5 MB.
func longLine(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.OpenFile(filepath.Clean(ts.MkAbs(args[0])), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteString(strings.Repeat("x", 5<<20) + "\n")
	ts.Check(err)
	ts.Check(f.Close())
}
