package schema

import "time"

// AlertStatus is where an alert is in its life.
type AlertStatus string

// The states of an alert.
const (
	AlertOpen     AlertStatus = "open"
	AlertResolved AlertStatus = "resolved"
	// AlertMerged is an alert whose story turned out to be part of an earlier
	// one; MergedInto names it.
	AlertMerged AlertStatus = "merged"
)

// Alert is the findings of one story about one entity, grouped for a person.
type Alert struct {
	UID UID
	// Version counts the saves of the alert from 1; 0 is not saved yet.
	Version   uint64
	UpdatedAt time.Time
	Status    AlertStatus
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
	// SeenAfter is how long after its last event the alert was raised, in whole
	// seconds; 0 where that says nothing, as in a scan of old exports.
	SeenAfter time.Duration
	Attack    []string
	// FindingUIDs names every finding of the story in the order of their first
	// events; Findings holds those of them that were loaded, in the same order.
	FindingUIDs []UID
	Findings    []Finding
}
