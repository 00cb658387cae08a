// Package incident writes what Article 33 of the GDPR wants to know of a personal data
// breach, as far as the logs and the history of an alert tell it, and names what they
// cannot tell as questions to be answered by people. It decides nothing: whether there
// was a breach, and whether an authority has to be told, is for the controller to say.
package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
)

// notifyWithin is Article 33(1): not later than 72 hours after having become aware of it.
const notifyWithin = 72 * time.Hour

// Record is what is known of one alert.
type Record struct {
	Alert    string    `json:"alert_uid"`
	Title    string    `json:"title"`
	Tenant   string    `json:"tenant,omitempty"`
	Severity string    `json:"severity"`
	Status   string    `json:"status"`
	MadeAt   time.Time `json:"made_at"`
	Clock    Clock     `json:"clock"`
	Nature   Nature    `json:"nature"`
	// Timeline is what happened, by the logs; Measures what was done about it.
	Timeline []Step    `json:"timeline"`
	Measures []Measure `json:"measures"`
	// Questions are what the law asks and logs cannot answer.
	Questions []Question `json:"questions"`
}

// Clock is about the 72 hours. crmwatch noticing is the earliest moment at which anybody
// can be said to have become aware; when that was is for the controller to say.
type Clock struct {
	// FirstEvent and LastEvent are by the logs.
	FirstEvent time.Time `json:"first_event"`
	LastEvent  time.Time `json:"last_event"`
	Detected   time.Time `json:"detected"`
	// Told is when a notifier took the first message, Taken when a person took the alert
	// in hand; nil is not known, or never.
	Told  *time.Time `json:"told,omitempty"`
	Taken *time.Time `json:"taken_in_hand,omitempty"`
	// Ends is 72 hours after Detected. Left is what is left of them in whole minutes, and
	// negative when they are over.
	Ends        time.Time `json:"ends"`
	LeftMinutes int64     `json:"left_minutes"`
}

// Nature is Article 33(3)(a).
type Nature struct {
	EntityType string   `json:"entity_type"`
	Entity     string   `json:"entity"`
	EntityUID  string   `json:"entity_uid"`
	Products   []string `json:"products"`
	Addresses  []string `json:"addresses"`
	Techniques []string `json:"techniques"`
	// Events is how many events of the entity there are in the alert's time, Records and
	// Bytes what they say that was read or changed.
	Events  uint64 `json:"events"`
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"`
	// Data is by type of record.
	Data []DataType `json:"data"`
	// PersonRecords is how many records of types that hold people were touched at most;
	// Subjects how many different ones of them the logs name, 0 where they name none.
	PersonRecords uint64 `json:"person_records"`
	Subjects      uint64 `json:"subjects_named"`
	// Gone says that events of the alert are not stored any more.
	Gone bool `json:"events_gone"`
}

// DataType is what was touched of one type of record.
type DataType struct {
	Type     string `json:"type"`
	Category string `json:"category"`
	Events   uint64 `json:"events"`
	Records  uint64 `json:"records"`
	Named    uint64 `json:"named"`
}

// Step is a finding.
type Step struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Rule    string    `json:"rule"`
	Message string    `json:"message"`
}

// Measure is something that was done with the alert.
type Measure struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	By   string    `json:"by"`
	Note string    `json:"note,omitempty"`
}

// Build collects what is known of an alert.
func Build(ctx context.Context, store schema.Store, a schema.Alert, now time.Time) (Record, error) {
	r := Record{
		Alert: a.UID.String(), Title: a.Title, Tenant: a.TenantUID, Severity: a.Severity.String(), Status: a.Status.String(), MadeAt: now.UTC().Truncate(time.Second),
		Nature: Nature{EntityType: a.EntityType, Entity: a.Entity, EntityUID: a.EntityUID, Techniques: a.Attack, Products: []string{}, Addresses: []string{}, Data: []DataType{}},
		Clock:  Clock{FirstEvent: a.FirstSeen.UTC(), LastEvent: a.LastSeen.UTC()}, Timeline: []Step{}, Measures: []Measure{}, Questions: questions(),
	}
	for _, f := range a.Findings {
		if d := f.DetectedAt.UTC(); r.Clock.Detected.IsZero() || d.Before(r.Clock.Detected) {
			r.Clock.Detected = d
		}
		from, to := f.FirstSeen, f.LastSeen
		if from.Unix() <= 0 {
			from, to = f.WindowFrom, f.WindowTo
		}
		r.Timeline = append(r.Timeline, Step{from.UTC(), to.UTC(), f.Rule, f.Title + ": " + f.Message})
	}
	slices.SortStableFunc(r.Timeline, func(a, b Step) int { return a.From.Compare(b.From) })
	history, err := alerting.Transitions(ctx, store, a.UID)
	if err != nil {
		return r, err
	}
	r.measures(history)
	if err := r.told(ctx, store, a.UID); err != nil {
		return r, err
	}
	if err := r.touched(ctx, store, a); err != nil {
		return r, err
	}
	r.Clock.Ends = r.Clock.Detected.Add(notifyWithin)
	r.Clock.LeftMinutes = int64(r.Clock.Ends.Sub(now) / time.Minute)
	return r, nil
}

// measures takes the history of the alert.
func (r *Record) measures(history []schema.AlertTransition) {
	for _, t := range history {
		// What opened first is when crmwatch knew: a finding that is evaluated again is
		// stamped anew.
		if t.Action == schema.ActionOpen && (r.Clock.Detected.IsZero() || t.At.Before(r.Clock.Detected)) {
			r.Clock.Detected = t.At.UTC()
		}
		by := t.Actor
		if by == "" {
			by = schema.ViaItself
		}
		what := strings.ReplaceAll(string(t.Action), "_", " ")
		if t.Refused != "" {
			what += ", which was refused: " + t.Refused
		} else if t.Via != schema.ViaItself && r.Clock.Taken == nil {
			at := t.At.UTC()
			r.Clock.Taken = &at
		}
		r.Measures = append(r.Measures, Measure{t.At.UTC(), what, by, t.Note})
	}
}

func (r *Record) told(ctx context.Context, store schema.Store, alert schema.UID) error {
	var n uint64
	var at time.Time
	err := store.QueryRow(ctx, `SELECT countIf(toUnixTimestamp64Milli(sent_at) > 0), minIf(first_attempt_at, toUnixTimestamp64Milli(sent_at) > 0) FROM notifications FINAL WHERE alert_uid = {alert:UUID}`,
		schema.Named("alert", alert.String())).Scan(&n, &at)
	if err != nil {
		return fmt.Errorf("read who was told: %w", err)
	}
	if n > 0 {
		at = at.UTC()
		r.Clock.Told = &at
	}
	return nil
}
