package detectors

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// parseSchedule reads a cron line of five fields, or @hourly and its kind. Zones
// are refused: schedules are in UTC, and robfig/cron panics on a cut one.
func parseSchedule(line string) (cron.Schedule, error) {
	if strings.Contains(line, "TZ=") {
		return nil, fmt.Errorf("schedule %q names a time zone", line)
	}
	schedule, err := cron.ParseStandard(line)
	if err != nil {
		return nil, fmt.Errorf("schedule %q is not a cron line: %w", line, err)
	}
	return schedule, nil
}

// NextWakes is when the rule wakes next, n times after the given moment, in UTC.
func NextWakes(rule Rule, after time.Time, n int) ([]time.Time, error) {
	schedule, err := parseSchedule(rule.Schedule)
	if err != nil {
		return nil, err
	}
	wakes := make([]time.Time, 0, n)
	for at := after.UTC(); len(wakes) < n; {
		if at = schedule.Next(at); at.IsZero() {
			break
		}
		wakes = append(wakes, at)
	}
	return wakes, nil
}
