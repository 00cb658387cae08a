package formats

import (
	"strconv"
	"strings"
	"time"
)

// parseLocalTime reads a time of an export: ISO 8601 with or without an offset, or
// as the pages of Setup write it in the locale of whoever downloads: "2.3.2026
// 08:15:01", "3/14/2026 8:15:01 AM PDT". A time without a zone is in zone (nil means
// UTC). What could be two different days, or is in a zone that is not known, is
// refused: wrong says how to mend it, for "the column X ...".
func parseLocalTime(s string, zone *time.Location) (ms int64, wrong string) {
	s = strings.TrimSpace(s)
	if ms, ok := parseSalesforceTime(s); ok {
		if last := s[len(s)-1]; zone == nil || last == 'Z' || len(s) > 19 && strings.ContainsAny(s[19:], "+-") {
			return ms, ""
		}
		return inZone(time.UnixMilli(ms).UTC(), zone), ""
	}
	day, clock, found := strings.Cut(strings.Replace(s, ",", "", 1), " ")
	if !found {
		return 0, "does not hold a time such as 2026-03-02T08:15:01Z"
	}
	date, wrong := parseLocalDate(day)
	if wrong != "" {
		return 0, wrong
	}
	clock, abbreviation := cutZone(strings.TrimSpace(clock))
	for _, layout := range []string{"15:04:05", "15:04", "3:04:05 PM", "3:04 PM", "3:04:05 pm", "3:04 pm"} {
		at, err := time.Parse(layout, clock)
		if err != nil {
			continue
		}
		when := date.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second)
		return zoned(when, abbreviation, zone)
	}
	return 0, "does not hold a time such as 2026-03-02T08:15:01Z"
}

// cutZone cuts a zone's abbreviation off a time of day.
func cutZone(clock string) (rest, abbreviation string) {
	at := strings.LastIndexByte(clock, ' ')
	if at < 0 || strings.EqualFold(clock[at+1:], "AM") || strings.EqualFold(clock[at+1:], "PM") {
		return clock, ""
	}
	return clock[:at], clock[at+1:]
}

// zoned reads the wall clock's time when in the zone that its abbreviation names.
func zoned(when time.Time, abbreviation string, zone *time.Location) (ms int64, wrong string) {
	switch {
	case abbreviation == "UTC" || abbreviation == "GMT" || abbreviation == "Z":
		return when.UnixMilli(), ""
	case zone == nil && abbreviation == "":
		return when.UnixMilli(), ""
	case zone == nil:
		return 0, "names a time zone by an abbreviation: set the source's zone, such as America/New_York, or export through the API"
	}
	ms = inZone(when, zone)
	if abbreviation == "" || time.UnixMilli(ms).In(zone).Format("MST") == abbreviation {
		return ms, ""
	}
	return 0, "names another time zone than the one that is set for the source: set the zone in which it was exported"
}

func inZone(when time.Time, zone *time.Location) int64 {
	y, m, d := when.Date()
	return time.Date(y, m, d, when.Hour(), when.Minute(), when.Second(), when.Nanosecond(), zone).UnixMilli()
}

// parseLocalDate reads a day. With dots the day comes first; with slashes the day
// or the month does, and only a number above 12, or twice the same, tells which.
func parseLocalDate(s string) (day time.Time, wrong string) {
	const ambiguous = "can be read as two different days (day or month first): export it with ISO dates, or through the API"
	separator := strings.IndexAny(s, "./-")
	if separator < 0 {
		return day, "does not hold a date such as 2026-03-02"
	}
	parts := strings.Split(s, s[separator:separator+1])
	var n [3]int
	if len(parts) != 3 {
		return day, "does not hold a date such as 2026-03-02"
	}
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil || n[i] < 1 {
			return day, "does not hold a date such as 2026-03-02"
		}
	}
	y, m, d := n[2], n[1], n[0]
	switch {
	case n[0] > 31:
		y, m, d = n[0], n[1], n[2]
	case n[2] < 1970:
		return day, "has no year of four digits: export it with ISO dates, or through the API"
	case s[separator] == '.' || n[0] > 12 || n[0] == n[1]:
	case n[1] > 12:
		m, d = n[0], n[1]
	default:
		return day, ambiguous
	}
	if y > 9999 || m > 12 || d > daysIn(y, m) {
		return day, "does not hold a date such as 2026-03-02"
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC), ""
}
