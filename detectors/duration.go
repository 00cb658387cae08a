package detectors

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseDuration reads Go's durations and, before them, days: "14d", "6d12h",
// "10m", "-1d2h".
func parseDuration(text string) (time.Duration, error) {
	rest, sign := text, time.Duration(1)
	switch {
	case strings.HasPrefix(rest, "-"):
		rest, sign = rest[1:], -1
	case strings.HasPrefix(rest, "+"):
		rest = rest[1:]
	}
	if rest == "" {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	var total time.Duration
	if days, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration", text)
		}
		total, rest = time.Duration(n)*day, after
	}
	if rest != "" && rest != "0" {
		d, err := time.ParseDuration(rest)
		if err != nil || rest[0] == '-' || rest[0] == '+' {
			return 0, fmt.Errorf("%q is not a duration", text)
		}
		total += d
	}
	return sign * total, nil
}

// sayDuration writes a duration as people say it: "13 d", "10 min", "1 h".
func sayDuration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int64((d+day/2)/day))
	case d >= time.Hour:
		if m := d % time.Hour / time.Minute; m != 0 && d < day {
			return fmt.Sprintf("%d h %d min", d/time.Hour, m)
		}
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
