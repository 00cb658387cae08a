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
		rows    int64
		took    time.Duration
	}
	var costs []cost
	total := cost{rule: "all rules"}
	for _, rule := range rules {
		history.rows.Store(0)
		started := time.Now()
		arrival, err := runner.Arrivals(b.Context(), rule, runner.options.Clock())
		if err == nil {
			err = runner.settle(b.Context(), arrival)
		}
		if err != nil {
			b.Fatal(err)
		}
		c := cost{rule.ID, len(arrival.Windows), history.rows.Load(), time.Since(started)}
		costs = append(costs, c)
		total.windows, total.rows, total.took = total.windows+c.windows, total.rows+c.rows, total.took+c.took
	}
	slices.SortFunc(costs, func(a, b cost) int { return cmp.Compare(b.took, a.took) })
	for _, c := range append(costs[:12:12], total) {
		fmt.Printf("%-36s %3d windows %10d rows read (%.3f %%) %8s\n", c.rule, c.windows, c.rows, 100*float64(c.rows)/float64(*packEvents), c.took.Round(time.Millisecond))
	}
	b.ReportMetric(total.took.Seconds(), "s/run")
	b.ReportMetric(100*float64(total.rows)/float64(*packEvents), "%-of-rows")
	b.ReportMetric(float64(runtime.NumCPU()), "cores")
}
