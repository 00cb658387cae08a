package schema

import "time"

// Finding is what a rule returned for one entity in one window (OCSF class
// 2004). Evaluating the window again yields the same UID with newer content.
type Finding struct {
	UID        UID
	DetectedAt time.Time
	Rule       string
	Severity   Severity
	Title      string
	// Message says in one or two sentences who, what, since when and how
	// unusual, for a person who reads nothing else.
	Message    string
	TenantUID  string
	Product    string
	EntityType string
	// EntityUID is the vendor's stable id; Entity is the name people know it by.
	EntityUID string
	Entity    string
	// WindowFrom (inclusive) and WindowTo (exclusive) are event times.
	WindowFrom, WindowTo time.Time
	FirstSeen, LastSeen  time.Time
	// Count is how many events the finding stands for: never records, bytes or
	// hours, which are attributes. 0 where there are none (what stopped), or where
	// nobody counted them.
	Count uint64
	// Attack lists MITRE ATT&CK technique ids.
	Attack []string
	// Controls lists what the finding's rule serves, such as "ISO 27001:2022 A.8.16".
	Controls   []string
	Attributes map[string]string
	// Evidence lists the event_uid of the rows that show it best, at most 50.
	Evidence []UID
	// EvidenceSQL is a query, ready to paste, that shows the rows.
	EvidenceSQL string
	// Suppressed is the reason of the exception by which this is no finding, but counted
	// as a suppressed one; empty for all others.
	Suppressed string
}

// FindingUID is the identity of a finding: the same rule, tenant, entity and
// window always have the same.
func FindingUID(rule, tenant, entityType, entityUID string, windowFrom time.Time) UID {
	return HashUID("finding", rule, tenant, entityType, entityUID, windowFrom.UTC().Format(time.RFC3339))
}

// RuleFindingUID is the identity of what a rule finds in events. The product goes in with
// the entity: two products may know one name, and those are two findings.
func RuleFindingUID(rule, tenant, product, entityType, entityUID string, windowFrom time.Time) UID {
	return FindingUID(rule, tenant, entityType, product+"\x1f"+entityUID, windowFrom)
}
