package simulate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// shared is where simulations lie that several tests read.
var shared string

func TestMain(m *testing.M) {
	var err error
	if shared, err = os.MkdirTemp("", "simulate"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(shared)
	os.Exit(code)
}

// simulation is one that is written when the first test asks for it.
type simulation struct {
	dir      string
	manifest Manifest
	err      error
}

var (
	exampleOnce  = sync.OnceValue(func() simulation { return simulated("example", Example()) })
	eventfulOnce = sync.OnceValue(func() simulation { return simulated("eventful", eventful()) })
)

func simulated(name string, o Options) simulation {
	o.Truth = filepath.Join(shared, name+".json")
	s := simulation{dir: filepath.Join(shared, name)}
	s.manifest, s.err = Write(s.dir, o)
	return s
}

// read gives the simulation's logs, which the test must leave as they are.
func (s simulation) read(t *testing.T) (string, Manifest) {
	t.Helper()
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.dir, s.manifest
}

// eventful is nine days with every incident, daily twins included.
func eventful() Options {
	o := Example()
	o.Seed, o.Days, o.Users, o.Daily = 7, 9, 30, true
	o.Incidents = append(slices.Clone(IncidentNames()[:7]), "credential-sharing")
	return o
}

// crowded is nine days of all products with every incident, and what changes by itself.
func crowded() Options {
	o := eventful()
	o.Days, o.Users, o.Integrations, o.Daily, o.Churn = 9, 80, 36, false, true
	o.Products, o.Incidents = Products(), IncidentNames()
	return o
}

// written simulates for one test alone.
func written(t *testing.T, o Options) (string, Manifest) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "logs")
	m, err := Write(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}
