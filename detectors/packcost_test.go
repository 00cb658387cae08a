package detectors

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"
)

// packRun is what one run of all rules cost: the whole, and each part by its name.
type packRun struct {
	events  uint64
	windows int
	whole   packCost
	parts   map[string]packCost
}

// BenchmarkPack shows what one run of all rules over the arrivals of five minutes costs
// with a long history behind it, and how it grows with the history: seconds by the clock,
// and rows read as the engine says. The smaller history has a tenth of the events over as
// many days, and so a tenth of the arrivals.
func BenchmarkPack(b *testing.B) {
	rules, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	running := startPackEngine(b)
	var runs []packRun
	for _, events := range []uint64{*packEvents / 10, *packEvents} {
		runs = append(runs, runPack(b, openPackHistory(b, running, rules, events), rules, events))
	}
	less, more := runs[0], runs[1]
	fmt.Printf("%-36s %11d events %12s %11d events\n", "", less.events, "", more.events)
	for _, name := range slices.SortedFunc(maps.Keys(more.parts), func(x, y string) int {
		return cmp.Or(cmp.Compare(more.parts[y].rows, more.parts[x].rows), cmp.Compare(x, y))
	}) {
		printPack(name, less.parts[name], more.parts[name])
	}
	printPack(fmt.Sprintf("all, %d and %d windows", less.windows, more.windows), less.whole, more.whole)
	b.ReportMetric(more.whole.took.Seconds(), "s/run")
	b.ReportMetric(more.whole.cpu.Seconds(), "CPU-s/run")
	b.ReportMetric(100*float64(more.whole.rows)/float64(more.events), "%-of-rows")
	b.ReportMetric(float64(more.whole.rows)/float64(less.whole.rows), "x-rows")
	b.ReportMetric(more.whole.took.Seconds()/less.whole.took.Seconds(), "x-time")
	b.ReportMetric(float64(runtime.NumCPU()), "cores")
}

func printPack(name string, less, more packCost) {
	fmt.Printf("%-36s %9d rows %6d ms %12d rows %6d ms %4d queries %6.2fx rows %6.2fx time\n", name, less.rows, less.took.Milliseconds(),
		more.rows, more.took.Milliseconds(), more.queries, float64(more.rows)/float64(max(1, less.rows)), more.took.Seconds()/max(1e-3, less.took.Seconds()))
}

// runPack runs all rules once.
func runPack(b *testing.B, history packHistory, rules []Rule, events uint64) packRun {
	store := history.store
	if *packTrace {
		store = tracedStore{store, b, history}
	}
	runner := NewRunner(store, rules, Options{Clock: func() time.Time { return history.now }})
	run := packRun{events: events, parts: map[string]packCost{}}
	measure := func(work func() error) packCost {
		before, started := history.cost(b), time.Now()
		if err := work(); err != nil {
			if !*packOpen {
				b.Fatal(err)
			}
			// With all days open the others are of interest too.
			b.Error(err)
		}
		took, after := time.Since(started), history.cost(b)
		// The question itself is one of the queries.
		return packCost{after.rows - before.rows, after.queries - before.queries - 1, after.cpu - before.cpu, took}
	}
	run.whole = measure(func() error {
		run.parts["arrivals and their digest"] = measure(func() error {
			from, found, err := runner.arrived(b.Context(), rules[0], history.now)
			runner.rounds.add(&round{at: history.now, from: from, until: history.now, found: map[string]arrivedWindows{rules[0].stateName(): found}})
			return err
		})
		for _, rule := range rules {
			if *packTrace {
				fmt.Println(rule.ID)
			}
			run.parts[rule.ID] = measure(func() error {
				arrival, err := runner.Arrivals(b.Context(), rule, history.now)
				run.windows += len(arrival.Windows)
				if err == nil {
					err = runner.settle(b.Context(), arrival)
				}
				return err
			})
		}
		return nil
	})
	return run
}
