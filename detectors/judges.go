package detectors

import (
	"fmt"
	"strings"
)

// Judges says in words what a rule that keeps a state finds; empty for other kinds.
func (r Rule) Judges() string {
	switch r.Kind {
	case KindFirstSeen:
		text := "a new value after " + sayDuration(r.FirstSeen.WarmUp) + " of history"
		if r.FirstSeen.KnownAtMost > 0 {
			text += fmt.Sprintf(", where at most %d are known", r.FirstSeen.KnownAtMost)
		}
		if r.FirstSeen.Forget > 0 {
			text += "; a value is new again after " + sayDuration(r.FirstSeen.Forget)
		}
		return text
	case KindSequence:
		steps := make([]string, len(r.Sequence.Steps))
		for i, step := range r.Sequence.Steps {
			steps[i] = step.Name
			if step.Count > 1 {
				steps[i] += fmt.Sprintf(" (%d events)", step.Count)
			}
			if step.Distinct > 1 {
				steps[i] += fmt.Sprintf(" (%d distinct values)", step.Distinct)
			}
		}
		text := strings.Join(steps, ", then ") + ", within " + sayDuration(r.Sequence.Within)
		if r.Sequence.Gap > 0 {
			text += ", with gaps of at most " + sayDuration(r.Sequence.Gap)
		}
		return text
	case KindSilence:
		var quiet []string
		if r.Silence.QuietFor > 0 {
			quiet = append(quiet, sayDuration(r.Silence.QuietFor))
		}
		if r.Silence.Times > 0 {
			quiet = append(quiet, fmt.Sprintf("%g times the usual gap", r.Silence.Times))
		}
		return "quiet for " + strings.Join(quiet, " and for ") + ", in buckets of " + sayDuration(r.Silence.Bucket) +
			", after " + sayDuration(r.Silence.LeastHistory) + " of history"
	}
	return ""
}
