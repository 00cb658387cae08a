package schema

import "time"

// AlertStatus is where an alert is in its life.
type AlertStatus string

// The states of an alert.
const (
	AlertOpen     AlertStatus = "open"
	AlertResolved AlertStatus = "resolved"
)

// Alert is the findings of one story about one entity, grouped for a person.
type Alert struct {
	UID        UID
	UpdatedAt  time.Time
	Status     AlertStatus
	Severity   Severity
	Title      string
	TenantUID  string
	EntityType string
	EntityUID  string
	Entity     string
	FirstSeen  time.Time
	LastSeen   time.Time
	Attack     []string
	// Findings are in the order of their first event.
	Findings []Finding
}
