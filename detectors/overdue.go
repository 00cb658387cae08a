package detectors

import (
	"time"
)

// overdueGrace is how long a run may take before it counts as missing.
const overdueGrace = time.Minute

// Overdue lists the rules whose last good run, or this runner's beginning where there
// was none, is longer ago than twice their schedule: two times at which they should
// have woken are over. Evaluated is what has arrived; a run that finds nothing new is
// a good one.
func (r *Runner) Overdue(now time.Time) []string {
	var overdue []string
	for _, rule := range r.rules {
		last := r.began
		if at, ran := r.ran.Load(rule.ID); ran {
			last = at.(time.Time)
		}
		wakes, err := NextWakes(rule, last, 2)
		if err == nil && len(wakes) == 2 && now.After(wakes[1].Add(overdueGrace)) {
			overdue = append(overdue, rule.ID)
		}
	}
	return overdue
}
