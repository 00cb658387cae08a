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
	return parseLocalTimeIn(s, zone, DateOrderUnknown)
}

// parseLocalTimeIn is parseLocalTime where the order of day and month is known.
func parseLocalTimeIn(s string, zone *time.Location, order DateOrder) (ms int64, wrong string) {
	s = strings.TrimSpace(s)
	if ms, ok := parseSalesforceTime(s); ok {
		if last := s[len(s)-1]; zone == nil || last == 'Z' || len(s) > 19 && strings.ContainsAny(s[19:], "+-") {
			return ms, ""
		}
		return inZone(time.UnixMilli(ms).UTC(), zone), ""
	}
	s = strings.TrimSpace(localSigns.Replace(s))
	day, clock, found := strings.Cut(strings.Replace(s, ",", "", 1), " ")
	if !found {
		return 0, "does not hold a time such as 2026-03-02T08:15:01Z"
	}
	date, wrong := parseLocalDateIn(day, order)
	if wrong != "" {
		return 0, wrong
	}
	clock, abbreviation := cutZone(halfOfDay(strings.TrimSpace(clock)))
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

// localSigns are blanks of other kinds, and the halves of the day in Japanese, where
// they stand before the time, and in Spanish.
var localSigns = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u3000", " ",
	"a. m.", "AM", "p. m.", "PM", "a.m.", "AM", "p.m.", "PM", "a.\u00a0m.", "AM", "p.\u00a0m.", "PM", "a.\u202fm.", "AM", "p.\u202fm.", "PM")

// cutZone cuts a zone's abbreviation off a time of day.
func cutZone(clock string) (rest, abbreviation string) {
	at := strings.LastIndexByte(clock, ' ')
	if at < 0 || strings.EqualFold(clock[at+1:], "AM") || strings.EqualFold(clock[at+1:], "PM") {
		return clock, ""
	}
	return clock[:at], clock[at+1:]
}

// halfOfDay writes "午後 3:04" as "3:04 PM".
func halfOfDay(clock string) string {
	for _, half := range [][2]string{{"午前", " AM"}, {"午後", " PM"}} {
		if rest, found := strings.CutPrefix(clock, half[0]); found {
			hours, zone := cutZone(strings.TrimSpace(rest))
			return strings.TrimSpace(hours + half[1] + " " + zone)
		}
	}
	return clock
}

// zoneNames are abbreviations of zones in German, and what they are in English.
var zoneNames = map[string]string{"MEZ": "CET", "MESZ": "CEST", "WEZ": "WET", "WESZ": "WEST", "OEZ": "EET", "OESZ": "EEST", "HNEC": "CET", "HAEC": "CEST"}

// zoned reads the wall clock's time when in the zone that its abbreviation names.
func zoned(when time.Time, abbreviation string, zone *time.Location) (ms int64, wrong string) {
	if name, known := zoneNames[abbreviation]; known {
		abbreviation = name
	}
	if rest := strings.TrimPrefix(strings.TrimPrefix(abbreviation, "GMT"), "UTC"); len(rest) == 6 || len(rest) == 5 {
		if offset, ok := zoneOffset(rest); ok {
			return when.UnixMilli() - offset, ""
		}
	}
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
	// When clocks are put back an hour comes twice, under two abbreviations.
	for _, other := range []int64{ms - 3600_000, ms + 3600_000} {
		at := time.UnixMilli(other).In(zone)
		if at.Format("MST") == abbreviation && at.Hour() == when.Hour() && at.Minute() == when.Minute() {
			return other, ""
		}
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
	return parseLocalDateIn(s, DateOrderUnknown)
}

// What is wrong with a date.
const (
	noDate  = "does not hold a date such as 2026-03-02"
	twoDays = "can be read as two different days (day or month first): export it with ISO dates, or through the API"
)

// parseLocalDateIn is parseLocalDate where the order of day and month is known. What
// a date itself says counts more.
func parseLocalDateIn(s string, order DateOrder) (day time.Time, wrong string) {
	n, separator, ok := dateNumbers(s)
	if !ok {
		return day, noDate
	}
	own := ownOrder(n, separator)
	switch {
	case own != YearMonthDay && n[2] < 1970:
		return day, "has no year of four digits: export it with ISO dates, or through the API"
	case own == DateOrderUnknown && n[0] != n[1]:
		own = order
	case own == DateOrderUnknown:
		own = DayMonthYear // the same number twice
	}
	y, m, d := n[2], n[1], n[0]
	switch own {
	case DayMonthYear:
	case MonthDayYear:
		m, d = n[0], n[1]
	case YearMonthDay:
		if n[0] < 1970 {
			return day, noDate
		}
		y, m, d = n[0], n[1], n[2]
	default:
		return day, twoDays
	}
	if y > 9999 || m > 12 || d > daysIn(y, m) {
		return day, noDate
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC), ""
}

// dateNumbers are the three numbers of a date and what stands between them.
func dateNumbers(s string) (n [3]int, separator byte, ok bool) {
	at := strings.IndexAny(s, "./-")
	if at < 0 {
		return n, 0, false
	}
	rest := s
	for i := range n {
		part := rest
		if i < 2 {
			var found bool
			if part, rest, found = strings.Cut(rest, s[at:at+1]); !found {
				return n, 0, false
			}
		}
		var err error
		if n[i], err = strconv.Atoi(part); err != nil || n[i] < 1 || part[0] == '+' {
			return n, 0, false
		}
	}
	return n, s[at], true
}

// ownOrder is the order that a date tells by itself: with dots the day comes first,
// a number above 31 is a year, and one above 12 no month.
func ownOrder(n [3]int, separator byte) DateOrder {
	switch {
	case n[0] > 31:
		return YearMonthDay
	case separator == '.' || n[0] > 12:
		return DayMonthYear
	case n[1] > 12:
		return MonthDayYear
	}
	return DateOrderUnknown
}

// orderOf is the order of day and month that a time tells by itself, where others
// written like it may not: dates with dots tell nothing about those with slashes.
func orderOf(s string) DateOrder {
	day, _, _ := strings.Cut(strings.TrimSpace(strings.Replace(s, ",", " ", 1)), " ")
	n, separator, ok := dateNumbers(day)
	if !ok || separator == '.' {
		return DateOrderUnknown
	}
	return ownOrder(n, separator)
}
