package compliance

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// unknown stands for a value that is not known.
const unknown = "–"

// groupDigits puts a comma between groups of three digits.
func groupDigits(number string) string {
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	digits, rest := number, ""
	if dot := strings.IndexByte(number, '.'); dot >= 0 {
		digits, rest = number[:dot], number[dot:]
	}
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return sign + out.String() + rest
}

// shortFraction writes a number with three significant digits behind the point at most.
func shortFraction(f float64) string {
	if math.Abs(f) >= 100 || f == math.Trunc(f) {
		return groupDigits(strconv.FormatFloat(math.Round(f), 'f', 0, 64))
	}
	text := strconv.FormatFloat(f, 'f', 2, 64)
	if math.Abs(f) < 0.01 {
		text = strconv.FormatFloat(f, 'g', 2, 64)
	}
	return text
}

var byteUnits = []string{"B", "kB", "MB", "GB", "TB", "PB"}

// sayBytes writes a number of bytes in steps of a thousand.
func sayBytes(n float64) string {
	unit := 0
	for math.Abs(n) >= 999.5 && unit < len(byteUnits)-1 {
		n /= 1000
		unit++
	}
	if unit == 0 || math.Abs(n) >= 99.95 {
		return strconv.FormatFloat(n, 'f', 0, 64) + " " + byteUnits[unit]
	}
	return strconv.FormatFloat(n, 'f', 1, 64) + " " + byteUnits[unit]
}

// sayRound writes a round number as short as it is said: 3 million.
func sayRound(n float64) string {
	for _, large := range []struct {
		size float64
		name string
	}{{1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}} {
		if math.Abs(n) >= large.size {
			return strconv.FormatFloat(n/large.size, 'g', 4, 64) + " " + large.name
		}
	}
	return shortFraction(n)
}

// sayMilliseconds writes a duration with its two largest units.
func sayMilliseconds(ms float64) string {
	if ms < 0 {
		return "-" + sayMilliseconds(-ms)
	}
	if ms < 1000 {
		return shortFraction(ms) + " ms"
	}
	seconds := int64(math.Round(ms / 1000))
	if ms < 10_000 && math.Mod(ms, 1000) != 0 {
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	}
	parts := []struct {
		size int64
		name string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}
	for i, part := range parts {
		if seconds < part.size {
			continue
		}
		text := groupDigits(strconv.FormatInt(seconds/part.size, 10)) + " " + part.name
		if i+1 < len(parts) {
			if rest := seconds % part.size / parts[i+1].size; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, parts[i+1].name)
			}
		}
		return text
	}
	return "0 s"
}

func sayPercent(p float64) string {
	switch {
	case p > 0 && p < 0.1:
		return "under 0.1 %"
	case p > 99.9 && p < 100:
		return "over 99.9 %"
	case p == math.Trunc(p):
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// percentOf is the share of a part, in words; of nothing it is not known.
func percentOf(part, whole any) (string, error) {
	p, err := plainNumber(part)
	if err != nil {
		return "", err
	}
	w, err := plainNumber(whole)
	if err != nil {
		return "", err
	}
	if w == 0 {
		return unknown, nil
	}
	return sayPercent(100 * p / w), nil
}

// pluralOf is a number and its word: 1 alert, 2 alerts. A word in several forms is
// given as two: plural .n "entry" "entries".
func pluralOf(n any, word string, many ...string) (string, error) {
	count, err := plainNumber(n)
	if err != nil {
		return "", err
	}
	switch {
	case count == 1:
	case len(many) > 0:
		word = many[0]
	default:
		word += "s"
	}
	return shortFraction(count) + " " + word, nil
}

func plainNumber(v any) (float64, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return float64(r.Int()), nil
	case r.CanUint():
		return float64(r.Uint()), nil
	case r.CanFloat():
		return r.Float(), nil
	}
	if v == "" || v == nil {
		return 0, nil
	}
	return 0, fmt.Errorf("%v is no number", v)
}

func dayOf(c any) string {
	if t, is := timeOf(c); is {
		return t.Format("2 January 2006")
	}
	return fmt.Sprint(c)
}

func minuteOf(c any) string {
	if t, is := timeOf(c); is {
		return t.Format("2 January 2006, 15:04") + " UTC"
	}
	return fmt.Sprint(c)
}

func joinOf(list []string) string { return strings.Join(list, ", ") }

// sayCell writes a cell as people read it.
func sayCell(column Column, c any) string {
	switch c := c.(type) {
	case nil:
		return unknown
	case bool:
		if c {
			return "yes"
		}
		return "no"
	case []any:
		texts := make([]string, len(c))
		for i, entry := range c {
			texts[i] = sayCell(Column{}, entry)
		}
		return strings.Join(texts, ", ")
	case json.Number:
		return sayNumber(column.Unit, c)
	case string:
		if column.Kind == KindTime {
			if t, is := timeOf(c); is {
				return t.Format(time.DateTime)
			}
		}
		return c
	}
	return fmt.Sprint(c)
}

func sayNumber(unit Unit, number json.Number) string {
	n, err := number.Float64()
	if err != nil {
		return number.String()
	}
	switch unit {
	case UnitBytes:
		return sayBytes(n)
	case UnitMilliseconds:
		return sayMilliseconds(n)
	case UnitSeconds:
		return sayMilliseconds(n * 1000)
	case UnitPercent:
		return sayPercent(n)
	case UnitID:
		return number.String()
	}
	text := number.String()
	if strings.ContainsAny(text, ".eE") {
		text = shortFraction(n)
	} else {
		text = groupDigits(text)
	}
	if unit != UnitNone {
		text += " " + string(unit)
	}
	return text
}
