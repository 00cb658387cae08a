package detectors

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

// BenchmarkPack shows what one run of all rules over the arrivals of five minutes costs
// with a long history behind it: seconds by the clock, and rows read as the engine says.
func BenchmarkPack(b *testing.B) {
	rules, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	history := openPackHistory(b, rules)
	runner := NewRunner(history.store, rules, Options{Clock: func() time.Time { return history.now }})
	type cost struct {
		rule    string
		windows int
		packCost
		took time.Duration
	}
	measure := func(rule string, work func() int) cost {
		before, started := history.cost(b), time.Now()
		windows := work()
		took, after := time.Since(started), history.cost(b)
		// The question itself is one of the queries.
		return cost{rule, windows, packCost{after.rows - before.rows, after.queries - before.queries - 1, after.cpu - before.cpu}, took}
	}
	var costs []cost
	total := measure("all rules", func() (windows int) {
		costs = append(costs, measure("digest of the arrivals", func() int {
			if err := runner.digest(b.Context(), history.now); err != nil {
				b.Fatal(err)
			}
			return 0
		}))
		for _, rule := range rules {
			costs = append(costs, measure(rule.ID, func() int {
				arrival, err := runner.Arrivals(b.Context(), rule, history.now)
				if err == nil {
					err = runner.settle(b.Context(), arrival)
				}
				if err != nil {
					b.Fatal(err)
				}
				windows += len(arrival.Windows)
				return len(arrival.Windows)
			}))
		}
		return windows
	})
	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.took, a.took) })
	share := func(c cost) float64 { return 100 * float64(c.rows) / float64(*packEvents) }
	for _, c := range append(costs[:12:12], total) {
		fmt.Printf("%-36s %3d windows %4d queries %10d rows read (%.3f %%) %8s, CPU %8s\n",
			c.rule, c.windows, c.queries, c.rows, share(c), c.took.Round(time.Millisecond), c.cpu.Round(time.Millisecond))
	}
	b.ReportMetric(total.took.Seconds(), "s/run")
	b.ReportMetric(total.cpu.Seconds(), "CPU-s/run")
	b.ReportMetric(share(total), "%-of-rows")
	b.ReportMetric(float64(runtime.NumCPU()), "cores")
}
