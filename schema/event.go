// Package schema is crmwatch's domain: events in the terms of OCSF 1.8.0, the
// batches that carry them, findings, alerts and quarantine, and the tables that
// hold them. It imports no other package of the project.
package schema

import "time"

// Event is one normalised record. A decoder fills one Event again and again, so
// its strings may point into the decoder's input: they are valid until the next
// record. Batch.Append copies what it keeps.
type Event struct {
	// Time is when the event happened, in milliseconds since 1970 UTC.
	Time int64
	// UID is the deterministic identity of the event; see UIDHasher.
	UID    UID
	Text   [TextCount]string
	Number [NumberCount]uint64
	// Unmapped holds what no column takes, by the source's own field names.
	Unmapped []Attribute
}

// Attribute is a source field that has no column of its own.
type Attribute struct{ Name, Value string }

// Reset empties e and keeps its memory.
func (e *Event) Reset() {
	unmapped := e.Unmapped[:0]
	*e = Event{Unmapped: unmapped}
}

// AddUnmapped keeps a source field under its own name; an empty value is dropped.
func (e *Event) AddUnmapped(name, value string) {
	if value != "" {
		e.Unmapped = append(e.Unmapped, Attribute{name, value})
	}
}

// SetTime sets the event's time.
func (e *Event) SetTime(t time.Time) { e.Time = t.UnixMilli() }

// When is the event's time in UTC.
func (e *Event) When() time.Time { return time.UnixMilli(e.Time).UTC() }
