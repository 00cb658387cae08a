// Command faults proves on real processes, the real engine and the real kernel that
// crmwatch neither loses nor doubles an event, whatever fails when. It needs root and
// strace, and prints a table; its exit code is 1 when anything was lost or doubled.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	program := flag.String("program", "bin/crmwatch", "the program to test")
	only := flag.String("only", "", "run only rows whose name contains this")
	quick := flag.Bool("quick", false, "a sample of each row")
	list := flag.Bool("list", false, "list the rows and end")
	seed := flag.Uint64("seed", 1, "what is random follows from it")
	flag.Parse()
	if *list {
		for _, row := range rows {
			fmt.Println(row.name)
		}
		return
	}
	failed, err := prove(*program, *only, *quick, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

// row is one kind of fault.
type row struct {
	name string
	run  func(*rig, *result)
	// lostAllowed is a loss that no reader of files can prevent, and why.
	lostAllowed string
}

var rows []row

// result is what became of a row's trials.
type result struct {
	trials, kills, lost, doubled int
	notes                        []string
}

// add joins what another has counted.
func (r *result) add(other *result) {
	r.trials, r.kills, r.lost, r.doubled = r.trials+other.trials, r.kills+other.kills, r.lost+other.lost, r.doubled+other.doubled
	for _, note := range other.notes {
		r.note("%s", note)
	}
}

func (r *result) note(format string, args ...any) {
	if len(r.notes) < 3 {
		r.notes = append(r.notes, fmt.Sprintf(format, args...))
	}
}

func prove(program, only string, quick bool, seed uint64) (failed int, err error) {
	program, err = filepath.Abs(program)
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "crmwatch-faults-*")
	if err != nil {
		return 0, err
	}
	g, err := newRig(program, dir, quick, seed)
	if err != nil {
		os.RemoveAll(dir)
		return 0, err
	}
	defer g.close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		g.close()
		os.Exit(130)
	}()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tTRIALS\tKILL POINTS\tLOST\tDOUBLED\tSECONDS\tNOTE")
	total := result{}
	for _, row := range rows {
		if !strings.Contains(row.name, only) {
			continue
		}
		start := time.Now()
		r := &result{}
		row.run(g, r)
		if r.trials == 0 {
			r.note("not executed")
		}
		if r.lost+r.doubled > 0 && row.lostAllowed == "" || r.trials == 0 && len(r.notes) == 0 {
			failed++
		}
		if row.lostAllowed != "" && r.lost > 0 {
			r.note("%s", row.lostAllowed)
		}
		total.trials, total.kills, total.lost, total.doubled = total.trials+r.trials, total.kills+r.kills, total.lost+r.lost, total.doubled+r.doubled
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.0f\t%s\n", row.name, r.trials, r.kills, r.lost, r.doubled, time.Since(start).Seconds(), strings.Join(r.notes, "; "))
		w.Flush()
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\t\n", total.trials, total.kills, total.lost, total.doubled)
	return failed, w.Flush()
}
