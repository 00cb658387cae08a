package simulate

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Manifest says what was written: the files, and what a detector should find.
type Manifest struct {
	Seed    uint64    `json:"seed"`
	Company string    `json:"company"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Tenant is the Salesforce organisation, 18 characters.
	Tenant string `json:"tenant"`
	// Events counts records once each: daily twins are not counted.
	Events    int64      `json:"events"`
	Bytes     int64      `json:"bytes"`
	Incidents []Label    `json:"incidents"`
	Innocents []Identity `json:"innocents"`
	// Inventory names the integrations that the company knows of.
	Inventory []string `json:"inventory"`
	Files     []File   `json:"files"`
}

// Label is one incident: who, when, and the rules that should say so.
type Label struct {
	Kind    string `json:"kind"`
	Product string `json:"product"`
	Tenant  string `json:"tenant"`
	// EntityType is "user", "integration" or "network", as findings have it.
	EntityType string `json:"entity_type"`
	// EntityUID is the vendor's id (18 characters for Salesforce), or the prefix
	// of a network; Entity is the name people know.
	EntityUID string `json:"entity_uid"`
	Entity    string `json:"entity"`
	// Aliases are what else the logs and findings call it: a name typed at a login,
	// the service that fails, the log that stops, the identity that was let in.
	Aliases []string `json:"aliases,omitempty"`
	// From is the first event of the incident, To is just after the last.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Rules are the ids of the rules that should report it.
	Rules []string `json:"rules"`
	// Networks are the attacker's own; nobody else uses them.
	Networks []string `json:"networks,omitempty"`
}

// Identity is someone about whom there is nothing to report.
type Identity struct {
	Product    string `json:"product"`
	EntityType string `json:"entity_type"`
	EntityUID  string `json:"entity_uid"`
	Entity     string `json:"entity"`
	// Note says what this identity does that looks like an incident.
	Note string `json:"note,omitempty"`
}

// File is one file of the simulated logs.
type File struct {
	// Path is relative to the log folder, with "/".
	Path    string `json:"path"`
	Product string `json:"product"`
	// Log is the EventLogFile type, or the name of the stream.
	Log string `json:"log"`
	// From (inclusive) and To (exclusive) are the event times that it covers.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Sequence counts an hour's deliveries from 1; 0 is a daily file or a live log.
	Sequence int `json:"sequence"`
	// Delivered is when a finished export could be downloaded, and the file's
	// modification time; zero for a live log.
	Delivered time.Time `json:"delivered,omitzero"`
	Records   int64     `json:"records"`
	Bytes     int64     `json:"bytes"`
}

// write stores the manifest as JSON.
func (m Manifest) write(path string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}
