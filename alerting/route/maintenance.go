package route

import (
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/robfig/cron/v3"
)

// Maintenance is a silence that comes again, by a cron line of the configuration.
type Maintenance struct {
	Name  string `yaml:"name"`
	Match Match  `yaml:"match"`
	// Cron is when it begins: a line of five fields in Zone, an IANA name; empty is UTC.
	Cron string `yaml:"cron"`
	Zone string `yaml:"zone"`
	// For is how long it lasts.
	For time.Duration `yaml:"for"`
	// UpTo is the highest severity that it mutes; empty is high.
	UpTo string `yaml:"up_to"`
}

// Check lists the mistakes.
func (m Maintenance) Check() []Problem {
	_, problems := m.compile()
	return problems
}

type window struct {
	name     string
	match    matcher
	schedule cron.Schedule
	zone     *time.Location
	length   time.Duration
	upTo     schema.Severity
}

func (m Maintenance) compile() (w window, problems []Problem) {
	wrong := func(key, format string, args ...any) {
		problems = append(problems, Problem{key, fmt.Sprintf(format, args...)})
	}
	w.name, w.length, w.upTo = m.Name, m.For, schema.SeverityHigh
	if m.Name == "" || len(m.Name) > 100 {
		wrong("name", "the maintenance has no name, or one of more than 100 characters: people are shown it")
	}
	var matchProblems []Problem
	w.match, matchProblems = m.Match.compile()
	problems = append(problems, under("match", matchProblems)...)
	if m.Match.Empty() {
		wrong("match", "the maintenance mutes everything: say what, such as match: {product: Salesforce}; product: \"*\" is everything")
	}
	var err error
	if w.zone, err = loadZone(m.Zone); err != nil {
		wrong("zone", "%v", err)
	}
	if w.schedule, err = parseCron(m.Cron); err != nil {
		wrong("cron", "%v", err)
	}
	if m.For < time.Minute || m.For > 7*24*time.Hour {
		wrong("for", "the maintenance lasts %s: use 1m to 168h", m.For)
	}
	if m.UpTo != "" {
		var known bool
		if w.upTo, known = schema.ParseSeverity(m.UpTo); !known {
			wrong("up_to", "the severity %q is not known: use low, medium, high or critical", m.UpTo)
		}
	}
	return w, problems
}

// parseCron reads a line of five fields. A zone inside it is refused: it has a key of
// its own, and the parser panics on a cut one.
func parseCron(line string) (cron.Schedule, error) {
	if strings.Contains(line, "TZ=") {
		return nil, fmt.Errorf("cron %q names a time zone: write zone: beside it", line)
	}
	schedule, err := cron.ParseStandard(line)
	if err != nil {
		return nil, fmt.Errorf("cron %q is no cron line: write minute, hour, day, month and day of the week, such as \"0 22 * * SUN\"", line)
	}
	return schedule, nil
}

// end is when the window that is open at now ends; the zero time says that none is.
// Windows that follow one another without a pause count one by one.
func (w window) end(now time.Time) time.Time {
	// A window that is open began within its length before now.
	begin := w.schedule.Next(now.Add(-w.length).In(w.zone))
	var last time.Time
	for n := 0; !begin.IsZero() && !begin.After(now) && n < 20000; n++ {
		last = begin
		begin = w.schedule.Next(begin)
	}
	if last.IsZero() {
		return time.Time{}
	}
	return last.Add(w.length).UTC()
}

// NextWindow is when the maintenance begins next after a time, in UTC; zero is never.
func (m Maintenance) NextWindow(after time.Time) time.Time {
	w, problems := m.compile()
	if len(problems) > 0 {
		return time.Time{}
	}
	next := w.schedule.Next(after.In(w.zone))
	if next.IsZero() {
		return next
	}
	return next.UTC()
}
