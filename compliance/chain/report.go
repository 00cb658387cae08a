package chain

import (
	"cmp"
	"slices"
	"time"
)

// Problem is why the evidence is not intact.
type Problem struct {
	// Entry is the sequence of the entry that it is about.
	Entry uint64 `json:"entry"`
	// What says what was found, Differs the two things that should be one, Means what
	// follows from it.
	What    string `json:"what"`
	Differs string `json:"differs,omitempty"`
	Means   string `json:"means"`
}

// Remark is something to know about the evidence that is intact nevertheless.
type Remark struct {
	Entry uint64 `json:"entry"`
	What  string `json:"what"`
}

// Report is the result of a check.
type Report struct {
	// Entries is how long the chain is, Head its last entry's hash, HeadAt when that was written.
	Entries uint64    `json:"entries"`
	Head    Hash      `json:"head"`
	HeadAt  time.Time `json:"head_at"`
	// PublicKey is the key that signed the first entry; Pinned says that it was compared
	// with one that the caller knows.
	PublicKey string `json:"public_key"`
	Pinned    bool   `json:"pinned"`
	// Anchor is the entry of the anchor, 0 without one.
	Anchor uint64 `json:"anchor,omitempty"`
	// Summaries and Happenings are how many summaries, and how much of what happened to
	// alerts, entries cover; Waiting is what no entry covers yet.
	Summaries  int `json:"summaries"`
	Happenings int `json:"alert_transitions"`
	Waiting    int `json:"not_covered_yet"`
	// Files are those of a folder that are as the chain says.
	Files    int       `json:"files,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	Remarks  []Remark  `json:"remarks,omitempty"`
}

// Intact says that nothing was found that was changed.
func (r *Report) Intact() bool { return len(r.Problems) == 0 }

func (r *Report) fail(entry uint64, what, differs, means string) {
	r.Problems = append(r.Problems, Problem{entry, what, differs, means})
}

func (r *Report) remark(entry uint64, what string) {
	r.Remarks = append(r.Remarks, Remark{entry, what})
}

// order puts the first bad entry first.
func (r *Report) order() {
	slices.SortStableFunc(r.Problems, func(a, b Problem) int { return cmp.Compare(a.Entry, b.Entry) })
	slices.SortStableFunc(r.Remarks, func(a, b Remark) int { return cmp.Compare(a.Entry, b.Entry) })
}
