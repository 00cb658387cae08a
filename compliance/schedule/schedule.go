// Package schedule makes summaries when their periods are over, keeps them and tells of
// them. Periods decide, not clocks: whatever was down for however long, each period gets
// its summary, once, the oldest first.
package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/compliance"
	"github.com/robfig/cron/v3"
)

// Schedule is one line of the configuration: which summaries are made when.
type Schedule struct {
	// Kind is daily, weekly or monthly.
	Kind compliance.PeriodKind
	// At is when the summary of a period that is over is made: the first such moment
	// after its end, so that late logs have their time. HH:MM or a cron line of five
	// fields, in UTC.
	At string
	// Tenants are those that get one each; nil is each that has events.
	Tenants []string
	// Formats are html, md, json and csv; Directory is where the files go, "" writes none.
	Formats   []string
	Directory string
	// Notify names who is told.
	Notify []string
}

// DefaultAt is six o'clock: exports of the day before that come an hour at a time are there.
const DefaultAt = "06:00"

// Formats are those in which a summary can be written.
var Formats = []string{"html", "md", "json", "csv"}

// ParseAt reads when summaries are made.
func ParseAt(text string) (cron.Schedule, error) {
	if at, err := time.Parse("15:04", text); err == nil {
		text = fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour())
	}
	if strings.Contains(text, "TZ=") {
		return nil, fmt.Errorf("%q names a time zone: schedules are in UTC", text)
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a time of day such as %s nor a cron line such as \"0 6 * * *\", in UTC", text, DefaultAt)
	}
	return parsed, nil
}

// ready is when the summary of a period is made.
func ready(at cron.Schedule, p compliance.Period) time.Time {
	return at.Next(p.To.UTC().Add(-time.Second))
}

// serves says whether the schedule makes summaries of a tenant.
func (s Schedule) serves(tenant string) bool {
	return s.Tenants == nil || slices.Contains(s.Tenants, tenant)
}
