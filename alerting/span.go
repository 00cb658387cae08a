package alerting

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	dayTime  = "2006-01-02 15:04:05"
	onlyTime = "15:04:05"
)

// sayWhen writes a moment in UTC.
func sayWhen(t time.Time) string { return t.UTC().Format(dayTime) }

// saySpan writes a time range in UTC, without what its two ends share.
func saySpan(from, to time.Time) string {
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	switch {
	case !to.After(from):
		return from.Format(dayTime)
	case from.Format(time.DateOnly) == to.Format(time.DateOnly):
		return from.Format(dayTime) + " to " + to.Format(onlyTime)
	}
	return from.Format(dayTime) + " to " + to.Format(dayTime)
}

// sayLong writes a duration in its two largest units, such as "7 d 23 h".
func sayLong(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	for i, unit := range units {
		if d < unit.size {
			continue
		}
		text := fmt.Sprintf("%d %s", d/unit.size, unit.name)
		if i+1 < len(units) {
			if rest := d % unit.size / units[i+1].size; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "less than 1 s"
}

// sayCount writes a number with its noun: "1,204 events".
func sayCount(n uint64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return sayThousands(n) + " " + noun
}

// sayThousands writes a number, thousands apart: "1,204".
func sayThousands(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
