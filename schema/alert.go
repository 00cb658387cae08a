package schema

import "time"

// AlertStatus is where an alert is in its life.
type AlertStatus string

// The states of an alert.
const (
	AlertOpen AlertStatus = "open"
	// AlertAcknowledged is in somebody's hands.
	AlertAcknowledged AlertStatus = "acknowledged"
	// AlertSnoozed wakes at SnoozedUntil, or when it gets worse: its severity rises, or an
	// episode rises far above its peak.
	AlertSnoozed  AlertStatus = "snoozed"
	AlertResolved AlertStatus = "resolved"
	// AlertFalsePositive is closed as nothing that anybody should have been told.
	AlertFalsePositive AlertStatus = "false_positive"
	// AlertMerged is an alert whose story turned out to be part of an earlier
	// one; MergedInto names it.
	AlertMerged AlertStatus = "merged"
	// AlertDigest is no alert: it stands for those that a notifier was not told one by
	// one, and is never stored.
	AlertDigest AlertStatus = "digest"
)

// Closed says that nobody has anything left to do about the alert.
func (s AlertStatus) Closed() bool {
	return s == AlertResolved || s == AlertFalsePositive || s == AlertMerged
}

// String is the status as people read it: "false positive".
func (s AlertStatus) String() string {
	if s == AlertFalsePositive {
		return "false positive"
	}
	return string(s)
}

// Alert is the findings of one story about one entity, grouped for a person.
type Alert struct {
	UID UID
	// Version counts the saves of the alert from 1; 0 is not saved yet.
	Version   uint64
	UpdatedAt time.Time
	Status    AlertStatus
	// StatusBy, StatusAt and StatusNote say who gave it its status, when and why.
	// They are empty for an alert that nobody has touched.
	StatusBy   string
	StatusAt   time.Time
	StatusNote string
	// SnoozedUntil and StatusBefore are set only while Status is AlertSnoozed.
	SnoozedUntil time.Time
	StatusBefore AlertStatus
	// Request is the request of a person that was carried out last.
	Request UID
	// MergedInto is set only while Status is AlertMerged.
	MergedInto UID
	// Severity never falls by itself.
	Severity   Severity
	Title      string
	TenantUID  string
	EntityType string
	EntityUID  string
	Entity     string
	FirstSeen  time.Time
	LastSeen   time.Time
	// JoinedAt is when a finding joined it last, by the desk's clock.
	JoinedAt time.Time
	// Peaks holds the largest value of each finding that has one, by the finding's uid, as
	// people were told of it; it never falls.
	Peaks map[UID]float64
	// RisenAt is when a finding was last at twice that value, by the desk's clock, and Risen
	// what it had risen to; empty while none was.
	RisenAt time.Time
	Risen   string
	// SeenAfter is how long after its last event the alert was raised, in whole
	// seconds; 0 where that says nothing, as in a scan of old exports.
	SeenAfter time.Duration
	Attack    []string
	// FindingUIDs names every finding of the story in the order of their first
	// events; Findings holds those of them that were loaded, in the same order.
	FindingUIDs []UID
	Findings    []Finding
}
