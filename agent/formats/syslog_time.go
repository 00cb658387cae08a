package formats

import (
	"strings"
	"time"
)

// Dated is a decoder of a log whose times may lack the year. Refer tells it when the
// bytes that it is given next were there, which bounds the year from above; without
// it Options.Reference counts. Whoever follows a log calls it before Decode.
type Dated interface {
	Refer(now time.Time)
}

// yearSlack is how far a time without a year may lie behind the reference: clocks and
// zones differ between hosts.
const yearSlack = 24 * time.Hour

// syslogClock reads the times of syslog and of what it carries.
type syslogClock struct {
	// iso reads times with a date in numbers.
	iso clock
	// reference is a moment at which the log was there; zero means that it is not
	// known.
	reference time.Time
}

func newSyslogClock(o Options) syslogClock {
	return syslogClock{iso: clock{zone: o.Zone}, reference: o.Reference}
}

// zone is the zone of times that name none.
func (c *syslogClock) zone() *time.Location {
	if c.iso.zone == nil {
		return time.UTC
	}
	return c.iso.zone
}

// syslogStamp is a time such as "Mar  2 09:12:00.118" or "Mar 2 2026 09:12:00".
type syslogStamp struct {
	year   int // 0: none is named
	month  time.Month
	day    int
	second int // of the day
	millis int
}

var syslogMonths = [12]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// readStamp reads a stamp at the start of s, which is n bytes long; 0 means that s is
// something else.
func readStamp(s string) (t syslogStamp, n int) {
	if len(s) < len("Mar 2 09:12:00") || s[3] != ' ' {
		return t, 0
	}
	name := [3]byte{s[0] | 0x20, s[1] | 0x20, s[2] | 0x20}
	for i, month := range syslogMonths {
		if month == string(name[:]) {
			t.month = time.Month(i + 1)
		}
	}
	if t.month == 0 {
		return t, 0
	}
	i := 4
	if s[i] == ' ' {
		i++
	}
	digits := 0
	for i < len(s) && s[i]-'0' < 10 && digits < 2 {
		t.day = t.day*10 + int(s[i]-'0')
		i, digits = i+1, digits+1
	}
	if digits == 0 || i >= len(s) || s[i] != ' ' || t.day < 1 {
		return t, 0
	}
	i++
	if year, ok := stampYear(s[i:]); ok {
		t.year = year
		i += 5
	}
	if len(s) < i+8 || s[i+2] != ':' || s[i+5] != ':' {
		return t, 0
	}
	hour, ok1 := twoDigits(s[i:])
	minute, ok2 := twoDigits(s[i+3:])
	second, ok3 := twoDigits(s[i+6:])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 {
		return t, 0
	}
	t.second = (hour*60+minute)*60 + second
	i += 8
	if i < len(s) && (s[i] == '.' || s[i] == ',') {
		scale := 100
		for i++; i < len(s) && s[i]-'0' < 10; i++ {
			t.millis += int(s[i]-'0') * scale
			scale /= 10
		}
	}
	if i < len(s) && t.year == 0 && s[i] == ' ' {
		if year, ok := stampYear(s[i+1:]); ok { // as date(1) writes it
			t.year = year
			i += 5
		}
	}
	return t, i
}

// stampYear reads a year with a space behind it.
func stampYear(s string) (year int, ok bool) {
	if len(s) < 5 || s[4] != ' ' {
		return 0, false
	}
	century, ok1 := twoDigits(s)
	rest, ok2 := twoDigits(s[2:])
	return century*100 + rest, ok1 && ok2 && (century == 19 || century == 20)
}

// millis is the stamp in milliseconds since 1970 UTC. A stamp without a year is the
// latest that does not lie behind the reference: what is read in January and says
// December is of the year before. wrong goes on after "the time ".
func (c *syslogClock) millis(t syslogStamp) (ms int64, wrong string) {
	at := func(year int) time.Time {
		return time.Date(year, t.month, t.day, t.second/3600, t.second/60%60, t.second%60, t.millis*int(time.Millisecond), c.zone())
	}
	if t.year != 0 {
		if t.day > daysIn(t.year, int(t.month)) {
			return 0, "is of a day that its month does not have"
		}
		return at(t.year).UnixMilli(), ""
	}
	if t.day > daysIn(2024, int(t.month)) {
		return 0, "is of a day that its month does not have"
	}
	if c.reference.IsZero() {
		return 0, "has no year, and nothing says when the log was written: have the sender write ISO times (rsyslog: RSYSLOG_FileFormat, RSYSLOG_SyslogProtocol23Format)"
	}
	latest := c.reference.Add(yearSlack)
	year := latest.In(c.zone()).Year()
	for t.day > daysIn(year, int(t.month)) || at(year).After(latest) { // the 29th of February comes every fourth year, or eighth
		year--
	}
	return at(year).UnixMilli(), ""
}

// stamp reads the time at the start of what follows the priority.
func (h *syslogHeader) stamp(s string, clock *syslogClock) (after string, failure *recordFailure) {
	// Cisco's devices mark a clock that is not set, or not in step.
	marked := strings.TrimPrefix(strings.TrimPrefix(s, "*"), ".")
	if t, n := readStamp(marked); n > 0 && (n == len(marked) || marked[n] == ' ' || marked[n] == ':') {
		h.stamped, h.yearless = true, t.year == 0
		h.when, h.wrong = clock.millis(t)
		if h.wrong != "" {
			h.wrong = "the time " + h.wrong
		}
		return strings.TrimPrefix(marked[n:], ":"), nil
	}
	token, rest, _ := strings.Cut(s, " ")
	if len(token) < len("2026-03-02T09:12:00") || token[4] != '-' || token[10] != 'T' {
		return s, nil
	}
	h.stamped = true
	var ok bool
	if h.when, ok = clock.iso.millis(token); !ok {
		h.wrong = "the time cannot be read: expected 2026-03-02T09:12:00.118+00:00 at the start of the line"
	}
	return rest, nil
}

// textMillis reads a time as a field of a record has it: a number since 1970, ISO
// 8601, a date in words, with a year or without. wrong goes on after "the time ".
func (c *syslogClock) textMillis(s string) (ms int64, wrong string) {
	if ms, ok := c.iso.millis(s); ok {
		return ms, ""
	}
	if t, n := readStamp(s); n > 0 && n == len(s) {
		return c.millis(t)
	}
	return crmTimeOf(s, c.iso.zone)
}
