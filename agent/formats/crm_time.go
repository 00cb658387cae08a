package formats

import (
	"strconv"
	"strings"
	"time"
)

// crmTimeOf reads a time of an export as milliseconds since 1970 UTC: what
// parseLocalTime reads, a number since 1970, or one with the month in words, as C's
// %c and the pages of CRMs write it: "Mon Mar  2 09:12:00 2026", "Mar 2, 2026 09:12
// AM", "02-Mar-2026 09:12:00 +0530". A time without a zone is in zone (nil means
// UTC). wrong says how to mend it, for "the time ...".
func crmTimeOf(s string, zone *time.Location) (ms int64, wrong string) {
	if len(s) > 64 {
		return 0, "is no time such as 2026-03-02T08:15:01Z"
	}
	ms, wrong = parseLocalTime(s, zone)
	if wrong == "" {
		return ms, ""
	}
	if ms, ok := epochMillis(s); ok {
		return ms, ""
	}
	var w wordedTime
	if !w.read(s) {
		return 0, strings.Replace(wrong, "does not hold", "is not", 1)
	}
	when := time.Date(w.year, w.month, w.day, 0, 0, 0, 0, time.UTC).Add(w.clock)
	if w.offset != "" {
		offset, _ := zoneOffset(w.offset)
		return when.UnixMilli() - offset, ""
	}
	return zoned(when, w.abbreviation, zone)
}

// wordedTime is a time as it was read word by word.
type wordedTime struct {
	year, day            int
	month                time.Month
	clock                time.Duration
	offset, abbreviation string

	clocks    int
	afternoon string
}

// read reads the words of s in whatever order they stand.
func (w *wordedTime) read(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\u202f' }) {
		if !w.word(word) {
			return false
		}
	}
	hour := int(w.clock / time.Hour)
	switch w.afternoon {
	case "":
	case "am", "pm":
		if hour < 1 || hour > 12 {
			return false
		}
		w.clock -= time.Duration(hour) * time.Hour
		if hour %= 12; w.afternoon == "pm" {
			hour += 12
		}
		w.clock += time.Duration(hour) * time.Hour
	}
	return w.clocks == 1 && w.year >= 1970 && w.year <= 9999 && w.month >= 1 && w.month <= 12 && w.day >= 1 && w.day <= daysIn(w.year, int(w.month))
}

func (w *wordedTime) word(word string) bool {
	lower := strings.ToLower(strings.TrimSuffix(word, "."))
	if _, ok := zoneOffset(word); ok && w.clocks > 0 && (word[0] == '+' || word[0] == '-') {
		w.offset = word
		return true
	}
	switch {
	case lower == "at":
		return true
	case lower == "am" || lower == "pm":
		w.afternoon = lower
		return true
	case strings.IndexByte(word, ':') > 0:
		return w.time(lower)
	case monthOf(lower) > 0 && w.month == 0:
		w.month = monthOf(lower)
		return true
	case isWeekday(lower):
		return true
	}
	if n, err := strconv.Atoi(word); err == nil {
		switch {
		case n >= 1970 && w.year == 0:
			w.year = n
		case n >= 1 && n <= 31 && w.day == 0:
			w.day = n
		default:
			return false
		}
		return true
	}
	if strings.ContainsAny(word, "-/.") {
		return w.date(lower)
	}
	// The abbreviation of a zone stands behind the time.
	if w.clocks == 0 || w.abbreviation != "" || len(word) > 5 || strings.ToUpper(word) != word {
		return false
	}
	w.abbreviation = word
	return true
}

// date reads 02-mar-2026 and what parseLocalDate reads.
func (w *wordedTime) date(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(parts) == 3 && monthOf(parts[1]) > 0 {
		return w.word(parts[0]) && w.word(parts[1]) && w.word(parts[2])
	}
	day, wrong := parseLocalDate(word)
	if wrong != "" || w.day != 0 {
		return false
	}
	w.year, w.month, w.day = day.Date()
	return true
}

// time reads h:mm, hh:mm:ss and hh:mm:ss.fff, also with am or pm behind it.
func (w *wordedTime) time(word string) bool {
	for _, half := range []string{"am", "pm"} {
		if rest, found := strings.CutSuffix(word, half); found {
			word, w.afternoon = rest, half
		}
	}
	if len(word) > 2 && word[1] == ':' {
		word = "0" + word
	}
	w.clocks++
	for _, layout := range []string{"15:04:05", "15:04"} { // a fraction is read too
		if at, err := time.Parse(layout, word); err == nil {
			w.clock = at.Sub(at.Truncate(24 * time.Hour))
			return true
		}
	}
	return false
}

// monthOf is the month that an English word names, in full or by three letters or
// more; 0 when it names none.
func monthOf(lower string) time.Month {
	for month := time.January; month <= time.December; month++ {
		if len(lower) >= 3 && strings.HasPrefix(strings.ToLower(month.String()), lower) {
			return month
		}
	}
	return 0
}

func isWeekday(lower string) bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(lower) >= 3 && strings.HasPrefix(strings.ToLower(day.String()), lower) {
			return true
		}
	}
	return false
}
