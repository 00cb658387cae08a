package compliance

import "time"

// Collected are the days or hours from which events are stored.
type Collected struct {
	// Unit is day or hour.
	Unit string `json:"unit"`
	// From are their beginnings, in order.
	From []time.Time `json:"from"`
	// Problem is why it is not known.
	Problem string `json:"problem,omitempty"`
}

// stretch is [from, to).
type stretch struct{ from, to time.Time }

func (c Collected) step() time.Duration {
	if c.Unit == "hour" {
		return time.Hour
	}
	return 24 * time.Hour
}

// gaps are the stretches of whole days or hours between from and to of which none is
// collected. A last day that is not over yet is no gap.
func (c Collected) gaps(from, to time.Time) (gaps []stretch) {
	if c.Problem != "" {
		return nil
	}
	has := map[int64]bool{}
	for _, at := range c.From {
		has[at.Unix()] = true
	}
	step := c.step()
	for at := from.Truncate(step); at.Before(to); at = at.Add(step) {
		switch last := len(gaps) - 1; {
		case has[at.Unix()] || at.Add(step).After(to) && at.After(from):
		case last >= 0 && gaps[last].to.Equal(at):
			gaps[last].to = at.Add(step)
		default:
			gaps = append(gaps, stretch{at, at.Add(step)})
		}
	}
	return gaps
}

// say names a stretch's days or hours.
func (c Collected) say(s stretch) string {
	if c.Unit == "hour" {
		if s.to.Day() != s.from.Day() && !isMidnight(s.to) {
			return s.from.Format("2 January, 15:04") + " to " + s.to.Format("2 January, 15:04")
		}
		to := s.to.Format("15:04")
		if isMidnight(s.to) {
			to = "24:00"
		}
		return s.from.Format("2 January, 15:04") + " to " + to
	}
	last := s.to.Add(-time.Second)
	if last.Sub(s.from) < 24*time.Hour {
		return s.from.Format("2 January")
	}
	if last.Month() == s.from.Month() {
		return s.from.Format("2") + " to " + last.Format("2 January")
	}
	return s.from.Format("2 January") + " to " + last.Format("2 January")
}
