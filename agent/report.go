package agent

import (
	"time"
)

// Status says in a word what became of one file.
type Status string

// The statuses of a file.
const (
	StatusOK Status = "ok"
	// StatusEmpty is a file without a byte.
	StatusEmpty Status = "empty"
	// StatusHeaderOnly is a file with a header and no record.
	StatusHeaderOnly Status = "header only"
	// StatusNotRecognised is a file of no known format.
	StatusNotRecognised Status = "not recognised"
	// StatusUnreadable is a file that could not be opened or read at all.
	StatusUnreadable Status = "unreadable"
	// StatusPartlyRead is a file whose reading ended before its end.
	StatusPartlyRead Status = "partly read"
	// StatusRepeated is a second name of a file that is read under its first.
	StatusRepeated Status = "same file"
)

// FileReport says what became of one file.
type FileReport struct {
	File   string `json:"file"`
	Status Status `json:"status"`
	// Reason says why the status is not ok, and the mend.
	Reason string `json:"reason,omitempty"`
	// Format is the log family, Why how it was recognised.
	Format string `json:"format,omitempty"`
	Why    string `json:"why,omitempty"`
	// Packed names the packing, such as "gzip" or "zip, gzip".
	Packed string `json:"packed,omitempty"`
	// Bytes counts what was read, after unpacking.
	Bytes int64 `json:"bytes"`
	// Records is what was read, and always Events + Quarantined + Filtered.
	Records     int64            `json:"records"`
	Events      int64            `json:"events"`
	Quarantined int64            `json:"quarantined"`
	Filtered    int64            `json:"filtered"`
	Reasons     map[string]int64 `json:"quarantined_by_reason,omitempty"`
	// FirstEvent and LastEvent are event times in UTC.
	FirstEvent time.Time `json:"first_event,omitzero"`
	LastEvent  time.Time `json:"last_event,omitzero"`
	// FirstRejection is the first quarantined record, in words.
	FirstRejection string `json:"first_rejection,omitempty"`
}

// Totals adds up the files. Records = Stored + StoredQuarantined + Filtered + Pending.
type Totals struct {
	Files       int              `json:"files"`
	ByStatus    map[Status]int   `json:"by_status"`
	Bytes       int64            `json:"bytes"`
	Records     int64            `json:"records"`
	Events      int64            `json:"events"`
	Quarantined int64            `json:"quarantined"`
	Filtered    int64            `json:"filtered"`
	Reasons     map[string]int64 `json:"quarantined_by_reason,omitempty"`
	// Stored and StoredQuarantined are acknowledged by the database, Pending is not
	// yet; 0 after a load that ran to its end.
	Stored            int64     `json:"stored"`
	StoredQuarantined int64     `json:"stored_quarantined"`
	Pending           int64     `json:"pending"`
	FirstEvent        time.Time `json:"first_event,omitzero"`
	LastEvent         time.Time `json:"last_event,omitzero"`
}

// Report says what a load read, file by file in the order of Walk.
type Report struct {
	Files  []FileReport `json:"files"`
	Totals Totals       `json:"totals"`
}

// NothingRead says that not one record was read, although files were named.
func (r *Report) NothingRead() bool { return r.Totals.Records == 0 }

// Problems lists the files that a person should look at: all that are not ok, and
// those with records in quarantine.
func (r *Report) Problems() []FileReport {
	var problems []FileReport
	for _, f := range r.Files {
		if f.Status != StatusOK || f.Quarantined > 0 {
			problems = append(problems, f)
		}
	}
	return problems
}

// addUp fills in the totals from the files.
func (r *Report) addUp(stored, storedQuarantined int64) {
	t := Totals{Files: len(r.Files), ByStatus: map[Status]int{}, Stored: stored, StoredQuarantined: storedQuarantined}
	for i := range r.Files {
		f := &r.Files[i]
		t.ByStatus[f.Status]++
		t.Bytes += f.Bytes
		t.Records += f.Records
		t.Events += f.Events
		t.Quarantined += f.Quarantined
		t.Filtered += f.Filtered
		for reason, n := range f.Reasons {
			if t.Reasons == nil {
				t.Reasons = map[string]int64{}
			}
			t.Reasons[reason] += n
		}
		if !f.FirstEvent.IsZero() && (t.FirstEvent.IsZero() || f.FirstEvent.Before(t.FirstEvent)) {
			t.FirstEvent = f.FirstEvent
		}
		if f.LastEvent.After(t.LastEvent) {
			t.LastEvent = f.LastEvent
		}
	}
	t.Pending = t.Records - t.Stored - t.StoredQuarantined - t.Filtered
	r.Totals = t
}
