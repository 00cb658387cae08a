package chain

import (
	"fmt"
	"slices"
	"time"
)

// walker follows the entries from the first to the last.
type walker struct {
	report *Report
	pinned []string
	at     map[uint64][]Entry
	// main is the chain, strays what was written beside it.
	main   []Entry
	strays []Entry
}

// walk finds the chain among entries, and what is wrong with it.
func walk(entries []Entry, pinned []string, report *Report) *walker {
	w := &walker{report: report, pinned: pinned, at: map[uint64][]Entry{}}
	var last uint64
	for _, e := range entries {
		w.at[e.Sequence] = append(w.at[e.Sequence], e)
		last = max(last, e.Sequence)
	}
	if len(w.at[0]) > 0 {
		report.fail(0, "entry 0 is there, and numbers begin with 1", "", "somebody put it in")
	}
	before, gap := Hash{}, false
	for n := uint64(1); n <= last; n++ {
		if len(w.at[n]) == 0 {
			if next := w.nextAfter(n); next > n+1 {
				report.fail(n, fmt.Sprintf("entries %d to %d are missing", n, next-1), "", "they were removed: what they covered cannot be checked any more")
				n = next - 1
			} else {
				report.fail(n, fmt.Sprintf("entry %d is missing", n), "", "it was removed: what it covered cannot be checked any more")
			}
			gap = true
			continue
		}
		chosen := w.choose(n, before, gap)
		w.check(chosen, before, gap)
		w.main = append(w.main, chosen)
		for _, e := range w.at[n] {
			if e == chosen {
				continue
			}
			if e.Previous == before && w.whole(e) {
				w.strays = append(w.strays, e)
				continue
			}
			report.fail(n, fmt.Sprintf("there is another entry %d, of kind %s, at %s", n, e.Kind, e.At.Format(time.RFC3339)), "", "it was put in, or changed and put beside what was there")
		}
		before, gap = chosen.Hash, false
	}
	w.strayEntries()
	return w
}

func (w *walker) nextAfter(n uint64) uint64 {
	var next uint64
	for sequence := range w.at {
		if sequence > n && (next == 0 || sequence < next) {
			next = sequence
		}
	}
	return next
}

// choose is the entry of a sequence with which the chain goes on.
func (w *walker) choose(n uint64, before Hash, gap bool) Entry {
	candidates := w.at[n]
	fits := func(e Entry) bool { return (gap || e.Previous == before) && w.whole(e) }
	followed := func(e Entry) bool {
		return slices.ContainsFunc(w.at[n+1], func(next Entry) bool { return next.Previous == e.Hash })
	}
	for _, want := range []func(Entry) bool{func(e Entry) bool { return fits(e) && followed(e) }, fits, followed} {
		if i := slices.IndexFunc(candidates, want); i >= 0 {
			return candidates[i]
		}
	}
	return candidates[0]
}

// whole says whether an entry is what was signed, by a key that may.
func (w *walker) whole(e Entry) bool {
	return HashOf([]byte(e.Content)) == e.ContentHash && HashOf(e.Text()) == e.Hash && w.mayThisKey(e) && e.signed()
}

func (w *walker) mayThisKey(e Entry) bool {
	if len(w.pinned) > 0 {
		return slices.Contains(w.pinned, e.PublicKey)
	}
	return len(w.main) == 0 || e.PublicKey == w.main[0].PublicKey
}

// check says what is wrong with an entry of the chain.
func (w *walker) check(e Entry, before Hash, gap bool) {
	n := e.Sequence
	fail := func(what, differs, means string) { w.report.fail(n, what, differs, means) }
	switch {
	case HashOf([]byte(e.Content)) != e.ContentHash:
		fail(fmt.Sprintf("the content of entry %d (%s) is not what its hash says", n, e.Kind),
			fmt.Sprintf("SHA-256 of the content %s, in the entry %s", HashOf([]byte(e.Content)), e.ContentHash), "the entry's content was changed after it was written")
	case HashOf(e.Text()) != e.Hash:
		fail(fmt.Sprintf("entry %d (%s) is not what its hash says", n, e.Kind),
			fmt.Sprintf("SHA-256 of the entry %s, in the entry %s", HashOf(e.Text()), e.Hash), "a column of the entry was changed after it was written")
	case !w.mayThisKey(e):
		fail(fmt.Sprintf("entry %d (%s) is signed with another key", n, e.Kind), "its key is "+e.PublicKey, "somebody without the signing key wrote it, or the chain was made anew")
	case !e.signed():
		fail(fmt.Sprintf("the signature of entry %d (%s) is wrong", n, e.Kind), "", "somebody without the signing key wrote it, or changed it and made its hash anew")
	case !gap && e.Previous != before:
		fail(fmt.Sprintf("entry %d (%s) does not follow upon entry %d", n, e.Kind, n-1),
			fmt.Sprintf("it names %s, and the entry before it has %s", e.Previous, before), "entries before it were exchanged or put in another order")
	}
}

// strayEntries names the entries beside the chain that no later entry accounts for.
func (w *walker) strayEntries() {
	accounted := map[Hash]uint64{}
	for _, e := range w.main {
		if e.Kind != KindStray {
			continue
		}
		if content, err := decode[StrayContent](e); err == nil {
			for _, h := range content.Strays {
				accounted[h] = e.Sequence
			}
		}
	}
	for _, e := range w.strays {
		if by := accounted[e.Hash]; by > 0 {
			w.report.remark(e.Sequence, fmt.Sprintf("a second entry %d stands beside the chain: two instances wrote at once, as entry %d says", e.Sequence, by))
			continue
		}
		w.report.fail(e.Sequence, fmt.Sprintf("there are two entries %d, both signed", e.Sequence), fmt.Sprintf("the chain goes on from another than %s", e.Hash),
			"two instances wrote at once, or the holder of the key wrote it; the next entry accounts for it if it was the former")
	}
}
