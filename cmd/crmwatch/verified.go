package main

import (
	"fmt"
	"io"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/chain"
)

// shownProblems is how many problems are told after the first.
const shownProblems = 20

// writeVerified tells what a check found, the verdict first.
func writeVerified(w io.Writer, r *chain.Report) {
	line := func(format string, args ...any) { fmt.Fprintln(w, alerting.PlainLine(fmt.Sprintf(format, args...))) }
	switch {
	case !r.Intact():
		first := r.Problems[0]
		line("NOT INTACT: %s.", first.What)
		if first.Differs != "" {
			line("  what differs: %s", first.Differs)
		}
		line("  what it means: %s", first.Means)
	case r.Entries == 0:
		line("There is nothing to check: the evidence chain has no entries.")
	default:
		line("INTACT")
	}
	if r.Entries > 0 {
		line("Chain:    %s, the last on %s UTC", entriesOf(r.Entries), r.HeadAt.Format(time.DateTime))
		line("Head:     %s", r.Head)
		switch {
		case r.Pinned:
			line("Signed:   with the key that was expected, %s", r.PublicKey)
		default:
			line("Signed:   with %s. Nothing here says whose key that is: compare it with what crmwatch report key prints, or give --public-key", r.PublicKey)
		}
		switch {
		case r.Anchor > 0:
			line("Anchor:   entry %d: no entry up to it was exchanged since the anchor was written", r.Anchor)
		default:
			line("Anchor:   none. Whether entries were cut off at the end can be told only with --anchor, from a message or a summary")
		}
	}
	line("Covered:  %s, %s of alerts", summariesOf(r.Summaries), plural(r.Happenings, "transition"))
	if r.Files > 0 {
		line("Files:    %s as the chain says", plural(r.Files, "file"))
	}
	if r.Waiting > 0 {
		line("Not yet:  %s too new to have an entry, and could not be checked", plural(r.Waiting, "item"))
	}
	for i, p := range r.Problems {
		if i == 0 {
			continue
		}
		if i > shownProblems {
			line("... and %d more", len(r.Problems)-i)
			break
		}
		line("also: %s: %s", p.What, p.Means)
	}
	for _, m := range r.Remarks {
		line("note: %s", m.What)
	}
}

func entriesOf(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return grouped(int64(n)) + " entries"
}

func summariesOf(n int) string {
	if n == 1 {
		return "1 summary"
	}
	return grouped(int64(n)) + " summaries"
}
