package formats

import (
	"strconv"
	"strings"
	"time"
)

// clock reads the times of access logs into milliseconds since 1970 UTC. It
// remembers the day it read last, since a log stays on one for long.
type clock struct {
	// zone is for times that do not name theirs; nil means UTC.
	zone *time.Location
	day  string
	// dayMillis is midnight of day, in UTC.
	dayMillis int64
	date      civilDate
}

type civilDate struct {
	year  int
	month time.Month
	day   int
}

// millis reads 02/Mar/2026:09:12:00 +0000 (the common log format),
// 2026-03-02T09:12:00.118+00:00 and its relatives, or a number since 1970 in
// seconds, milliseconds, microseconds or nanoseconds, told apart by its size.
func (c *clock) millis(text string) (ms int64, ok bool) {
	switch {
	case len(text) >= 20 && text[2] == '/' && text[6] == '/' && text[11] == ':':
		return c.at(text[:11], text[12:])
	case len(text) >= 19 && text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == ' ' || text[10] == 't'):
		return c.at(text[:10], text[11:])
	}
	return epochMillis(text)
}

// at reads a date and hh:mm:ss[.fraction][zone].
func (c *clock) at(day, rest string) (ms int64, ok bool) {
	if day != c.day && !c.setDay(day) {
		return 0, false
	}
	hour, ok1 := twoDigits(rest)
	minute, ok2 := twoDigits(rest[3:])
	second, ok3 := twoDigits(rest[6:])
	if !ok1 || !ok2 || !ok3 || rest[2] != ':' || rest[5] != ':' || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	rest = rest[8:]
	millis := 0
	if rest != "" && (rest[0] == '.' || rest[0] == ',') {
		i, scale := 1, 100
		for i < len(rest) && rest[i]-'0' < 10 {
			millis += int(rest[i]-'0') * scale
			scale /= 10
			i++
		}
		rest = rest[i:]
	}
	rest = strings.TrimPrefix(rest, " ")
	if rest == "" && c.zone != nil {
		d := c.date
		return time.Date(d.year, d.month, d.day, hour, minute, second, millis*int(time.Millisecond), c.zone).UnixMilli(), true
	}
	offset, ok := zoneMinutes(rest)
	return c.dayMillis + int64(((hour*60+minute-offset)*60+second)*1000+millis), ok
}

func (c *clock) setDay(day string) bool {
	layout := time.DateOnly
	if len(day) == 11 {
		layout = "02/Jan/2006"
	}
	midnight, err := time.Parse(layout, day)
	if err != nil {
		return false
	}
	c.day, c.dayMillis = strings.Clone(day), midnight.UnixMilli()
	c.date.year, c.date.month, c.date.day = midnight.Date()
	return true
}

// zoneMinutes reads Z, +hh:mm, +hhmm or +hh; no zone at all is UTC.
func zoneMinutes(zone string) (minutes int, ok bool) {
	if zone == "" || zone == "Z" || zone == "z" {
		return 0, true
	}
	if len(zone) < 3 || zone[0] != '+' && zone[0] != '-' {
		return 0, false
	}
	hours, ok := twoDigits(zone[1:])
	if rest := strings.TrimPrefix(zone[3:], ":"); ok && rest != "" {
		if minutes, ok = twoDigits(rest); len(rest) != 2 {
			ok = false
		}
	}
	minutes += hours * 60
	if zone[0] == '-' {
		minutes = -minutes
	}
	return minutes, ok
}

func twoDigits(s string) (n int, ok bool) {
	if len(s) < 2 || s[0]-'0' > 9 || s[1]-'0' > 9 {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}

// epochMillis reads a number of seconds since 1970 with or without a fraction, or
// a whole number of milliseconds, microseconds or nanoseconds.
func epochMillis(text string) (ms int64, ok bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(whole) < 9 || len(whole) > 19 {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil || n < 0:
		return 0, false
	case n >= 1e17:
		return n / 1e6, true
	case n >= 1e14:
		return n / 1e3, true
	case n >= 1e11:
		return n, true
	}
	n *= 1000
	for i, scale := 0, int64(100); i < len(fraction); i++ {
		if fraction[i]-'0' > 9 {
			return 0, false
		}
		n += int64(fraction[i]-'0') * scale
		scale /= 10
	}
	return n, true
}
