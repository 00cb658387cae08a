package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/crmwatch/crmwatch/compliance"
)

// Label is a period as file names and the command line have it: 2026-11-26, 2026-W47,
// 2026-11, or the two ends of any other.
func Label(p compliance.Period) string {
	from := p.From.UTC()
	switch p.Kind {
	case compliance.Daily:
		return from.Format(time.DateOnly)
	case compliance.Weekly:
		year, week := from.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case compliance.Monthly:
		return from.Format("2006-01")
	}
	const form = "20060102T150405Z"
	return from.Format(form) + "-" + p.To.UTC().Format(form)
}

var weekLabel = regexp.MustCompile(`^(\d{4})-W(\d{2})$`)

// ParsePeriod reads a period: daily, weekly or monthly is the last one that is over; the
// others are as Label writes them.
func ParsePeriod(text string, now time.Time) (compliance.Period, error) {
	switch kind := compliance.PeriodKind(text); kind {
	case compliance.Daily, compliance.Weekly, compliance.Monthly:
		p, err := compliance.PeriodAt(kind, now)
		if err != nil {
			return p, err
		}
		return p.Before(), nil
	}
	if m := weekLabel.FindStringSubmatch(text); m != nil {
		year, _ := strconv.Atoi(m[1])
		week, _ := strconv.Atoi(m[2])
		// 4 January is in week 1 of its year.
		p, err := compliance.PeriodAt(compliance.Weekly, time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*(week-1)))
		if err == nil && Label(p) != text {
			return p, fmt.Errorf("there is no week %s: the year %d has weeks 1 to %d", text, year, lastWeek(year))
		}
		return p, err
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return compliance.PeriodAt(compliance.Daily, day)
	}
	if month, err := time.Parse("2006-01", text); err == nil {
		return compliance.PeriodAt(compliance.Monthly, month)
	}
	return compliance.Period{}, fmt.Errorf("the period is %q: use daily, weekly, monthly, a day such as 2026-11-26, a week such as 2026-W47, or a month such as 2026-11", text)
}

// lastWeek is the number of a year's last week: 28 December is in it.
func lastWeek(year int) int {
	_, week := time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
	return week
}

// next is the period after p.
func next(p compliance.Period) compliance.Period {
	after, err := compliance.PeriodAt(p.Kind, p.To)
	if err != nil {
		// Only custom periods have no next one, and schedules have none.
		return compliance.Period{Kind: p.Kind, From: p.To, To: p.To.Add(p.To.Sub(p.From))}
	}
	return after
}
