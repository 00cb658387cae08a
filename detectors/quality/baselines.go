package main

import (
	"fmt"
	"math"
	"os"
	"text/tabwriter"
)

// summary is what all series of a kind gave.
type summary struct {
	tally  tally
	f1     []float64
	auc    map[string][]float64
	ranked map[string][]float64 // average precision
}

func (s *summary) add(o summary) {
	if s.auc == nil {
		s.auc, s.ranked = map[string][]float64{}, map[string][]float64{}
	}
	s.tally.add(o.tally)
	s.f1 = append(s.f1, o.f1...)
	for name := range o.auc {
		s.auc[name] = append(s.auc[name], o.auc[name]...)
		s.ranked[name] = append(s.ranked[name], o.ranked[name]...)
	}
}

// measureBaselines judges generated series of every shape, and prints what came of it.
func measureBaselines(seed uint64, count int) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "series\tfound\tof\tprecision\trecall\tfalse/week\tF1 of open\tAUC: score\trobust z\tseasonal naive\t\n")
	kinds := map[string]tally{}
	var loud, quiet summary
	for _, s := range shapes {
		var of summary
		for k := range count {
			of.add(judge(generate(s, seed+uint64(k)), kinds))
		}
		row(table, s.name, of)
		if s.quiet {
			quiet.add(of)
		} else {
			loud.add(of)
		}
	}
	row(table, "all with incidents", loud)
	row(table, "all without", quiet)
	_ = table.Flush()

	fmt.Println()
	fmt.Fprint(table, "incident\tfound\tof\trecall\t\n")
	for _, k := range incidents {
		t := kinds[k.name]
		fmt.Fprintf(table, "%s\t%d\t%d\t%.2f\t\n", k.name, t.found, t.planted, t.recall())
	}
	_ = table.Flush()

	fmt.Println()
	fmt.Fprint(table, "ranking, bucket by bucket\tAUC\taverage precision\t\n")
	for _, name := range rankings {
		fmt.Fprintf(table, "%s\t%.3f\t%.3f\t\n", name, mean(loud.auc[name]), mean(loud.ranked[name]))
	}
	_ = table.Flush()
}

func row(table *tabwriter.Writer, name string, s summary) {
	t := s.tally
	if t.planted == 0 {
		fmt.Fprintf(table, "%s\t\t\t\t\t%.2f\t\t\t\t\t\n", name, t.falsePerWeek())
		return
	}
	fmt.Fprintf(table, "%s\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.3f\t%.3f\t%.3f\t\n", name, t.found, t.planted, t.precision(), t.recall(), t.falsePerWeek(),
		mean(s.f1), mean(s.auc["score"]), mean(s.auc["robust z"]), mean(s.auc["seasonal naive"]))
}

// mean leaves out what is no number; NaN of none.
func mean(xs []float64) float64 {
	sum, n := 0.0, 0.0
	for _, x := range xs {
		if !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	return sum / n
}
