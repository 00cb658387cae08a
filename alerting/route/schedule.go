package route

import (
	"fmt"
	"strings"
	"time"
)

// Schedule is when a route counts: on some days of the week, between two times of
// the day in a zone. Where From is not before To, the time goes on into the next
// morning and belongs to the day on which it began.
type Schedule struct {
	// Days are such as "mon-fri" or "sat,sun"; empty is every day.
	Days string `yaml:"days"`
	// From and To are such as "08:00"; To may be "24:00". Both empty is all day.
	From string `yaml:"from"`
	To   string `yaml:"to"`
	// Zone is an IANA name; empty is UTC.
	Zone string `yaml:"zone"`
}

// hours is a Schedule that has been read.
type hours struct {
	days     [7]bool
	from, to int // minutes of the day
	zone     *time.Location
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (s Schedule) compile() (h hours, problems []Problem) {
	wrong := func(key, format string, args ...any) {
		problems = append(problems, Problem{key, fmt.Sprintf(format, args...)})
	}
	var err error
	if h.days, err = parseDays(s.Days); err != nil {
		wrong("days", "%v", err)
	}
	if h.zone, err = loadZone(s.Zone); err != nil {
		wrong("zone", "%v", err)
	}
	h.to = 24 * 60
	if s.From != "" {
		if h.from, err = parseTimeOfDay(s.From); err != nil {
			wrong("from", "%v", err)
		}
	}
	if s.To != "" {
		if h.to, err = parseTimeOfDay(s.To); err != nil {
			wrong("to", "%v", err)
		}
	}
	if h.from == 24*60 {
		wrong("from", "from is 24:00: write 00:00")
	}
	return h, problems
}

// holds says whether t lies in the schedule: by the clock on the wall of its zone, so
// that 08:00 is 08:00 in summer and in winter.
func (h hours) holds(t time.Time) bool {
	local := t.In(h.zone)
	minute := local.Hour()*60 + local.Minute()
	today, yesterday := h.days[local.Weekday()], h.days[(local.Weekday()+6)%7]
	if h.from < h.to {
		return today && minute >= h.from && minute < h.to
	}
	return today && minute >= h.from || yesterday && minute < h.to
}

func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC, fmt.Errorf("the zone %q is not known: use an IANA name such as Europe/Berlin", name)
	}
	return zone, nil
}

func parseTimeOfDay(text string) (minutes int, err error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("the time %q is not known: write hours and minutes, such as \"08:00\", in quotes", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

func parseDays(text string) (days [7]bool, err error) {
	if text == "" {
		return [7]bool{true, true, true, true, true, true, true}, nil
	}
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, to := dayOf(first), dayOf(last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("the days %q are not known: write such as mon-fri or sat,sun", text)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

// dayOf is a day by its name or the first three letters of it; -1 is none.
func dayOf(name string) int {
	name = strings.TrimSpace(name)
	for i, short := range dayNames {
		if len(name) >= 3 && strings.HasPrefix(strings.ToLower(time.Weekday(i).String()), name) && strings.HasPrefix(name, short) {
			return i
		}
	}
	return -1
}
