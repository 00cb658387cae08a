package compliance

import (
	"fmt"
	"time"
)

// PeriodKind is how a period was chosen.
type PeriodKind string

// The kinds of periods. A week is that of ISO 8601, from Monday; all are in UTC.
const (
	Daily   PeriodKind = "daily"
	Weekly  PeriodKind = "weekly"
	Monthly PeriodKind = "monthly"
	// Custom is any other [from, to).
	Custom PeriodKind = "custom"
)

// Period is the time of a summary: from From until before To, in UTC.
type Period struct {
	Kind PeriodKind `json:"kind"`
	From time.Time  `json:"from"`
	To   time.Time  `json:"to"`
}

// PeriodAt is the period of the kind in which t lies. Custom periods come from
// NewPeriod; here they are an error, as other words are.
func PeriodAt(kind PeriodKind, t time.Time) (Period, error) {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	switch kind {
	case Daily:
		return Period{kind, day, day.AddDate(0, 0, 1)}, nil
	case Weekly:
		monday := day.AddDate(0, 0, -int(day.Weekday()+6)%7)
		return Period{kind, monday, monday.AddDate(0, 0, 7)}, nil
	case Monthly:
		first := day.AddDate(0, 0, 1-day.Day())
		return Period{kind, first, first.AddDate(0, 1, 0)}, nil
	}
	return Period{}, fmt.Errorf("a period is daily, weekly or monthly, not %q", kind)
}

// NewPeriod is [from, to), with its kind found out. Times count in milliseconds.
func NewPeriod(from, to time.Time) (Period, error) {
	from, to = from.UTC().Truncate(time.Millisecond), to.UTC().Truncate(time.Millisecond)
	if !from.Before(to) {
		return Period{}, fmt.Errorf("the period ends at %s, which is not after its beginning at %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	for _, kind := range []PeriodKind{Daily, Weekly, Monthly} {
		if p, err := PeriodAt(kind, from); err == nil && p.From.Equal(from) && p.To.Equal(to) {
			return p, nil
		}
	}
	return Period{Custom, from, to}, nil
}

// Before is the period that ends where p begins: the day, week or month before, or as
// long a time.
func (p Period) Before() Period {
	if p.Kind == Custom {
		return Period{Custom, p.From.Add(-p.To.Sub(p.From)), p.From}
	}
	before, err := PeriodAt(p.Kind, p.From.Add(-time.Millisecond))
	if err != nil {
		return Period{Custom, p.From.Add(-p.To.Sub(p.From)), p.From}
	}
	return before
}

// String names the period: week 11 of 2026, March 2026.
func (p Period) String() string {
	switch p.Kind {
	case Daily:
		return p.From.UTC().Format(longDay)
	case Weekly:
		year, week := p.From.UTC().ISOWeek()
		return fmt.Sprintf("week %d of %d", week, year)
	case Monthly:
		return p.From.UTC().Format("January 2006")
	}
	return p.Span()
}

const (
	longDay    = "2 January 2006"
	longMoment = longDay + ", 15:04:05"
)

// Span says from when to when the period is, in UTC.
func (p Period) Span() string {
	from, to := p.From.UTC(), p.To.UTC()
	if !isMidnight(from) || !isMidnight(to) {
		return from.Format(longMoment) + " to " + to.Format(longMoment)
	}
	if last := to.AddDate(0, 0, -1); !last.Equal(from) {
		return from.Format(longDay) + " to " + last.Format(longDay)
	}
	return from.Format(longDay)
}

func isMidnight(t time.Time) bool { return t.Equal(t.Truncate(24 * time.Hour)) }

// check refuses a period that holds no time, or whose kind is not what it says.
func (p Period) check() error {
	found, err := NewPeriod(p.From, p.To)
	if err != nil {
		return err
	}
	if p.Kind != Custom && found.Kind != p.Kind {
		return fmt.Errorf("the period from %s to %s is not a %s one", p.From.UTC().Format(time.RFC3339), p.To.UTC().Format(time.RFC3339), p.Kind)
	}
	return nil
}
