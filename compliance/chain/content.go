package chain

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Item names something in the database that an entry covers.
type Item string

// TransitionItem is something that happened to an alert, with the request that asked for
// it; SummaryItem the row of a summary; ContentItem a summary's canonical JSON.
func TransitionItem(uid schema.UID) Item { return Item("transition/" + uid.String()) }

// SummaryItem is the row of one version of a summary.
func SummaryItem(uid schema.UID, version uint64) Item {
	return Item(fmt.Sprintf("summary/%s/%d", uid, version))
}

// ContentItem is the canonical JSON of one version of a summary.
func ContentItem(uid schema.UID, version uint64) Item {
	return Item(fmt.Sprintf("content/%s/%d", uid, version))
}

// SummaryContent is what an entry says of a summary.
type SummaryContent struct {
	UID     string `json:"summary_uid"`
	Version uint64 `json:"version"`
	// Replaces is the version in whose place it is, 0 for the first.
	Replaces uint64    `json:"replaces,omitempty"`
	Tenant   string    `json:"tenant"`
	Period   string    `json:"period"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	MadeAt   time.Time `json:"made_at"`
	MadeFor  string    `json:"made_for"`
	// Row is the hash of the row, Content that of the canonical JSON, as it is in a file.
	Row     Hash `json:"row"`
	Content Hash `json:"content"`
	// Files are those that were written, by name.
	Files []FileHash `json:"files,omitempty"`
}

// FileHash is a file that was written.
type FileHash struct {
	Name string `json:"name"`
	Hash Hash   `json:"sha256"`
}

// AlertsContent is what an entry says of the history of alerts: all that happened after
// one moment, up to and including another, by the clock of whoever keeps the alerts.
type AlertsContent struct {
	After time.Time   `json:"after"`
	UpTo  time.Time   `json:"up_to"`
	Items []ItemValue `json:"items"`
}

// ItemValue is an item, when it happened, and what it was.
type ItemValue struct {
	Item Item      `json:"item"`
	At   time.Time `json:"at"`
	Hash Hash      `json:"sha256"`
}

// ScheduleContent says that a schedule makes summaries of a tenant, or does no more.
type ScheduleContent struct {
	Tenant string `json:"tenant"`
	Period string `json:"period"`
	// From is the beginning of the first period, where it begins.
	From  time.Time `json:"from"`
	State string    `json:"state"`
}

// The states of a schedule.
const (
	ScheduleBegun = "begun"
	ScheduleEnded = "ended"
)

// SkippedContent names periods for which no summary is made, and why.
type SkippedContent struct {
	Tenant  string    `json:"tenant"`
	Period  string    `json:"period"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Periods int       `json:"periods"`
	Reason  string    `json:"reason"`
}

// ErasureContent announces an erasure. Differs are the items that were not as the chain
// has them when it began: it does not answer for them.
type ErasureContent struct {
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Differs []Item `json:"differs,omitempty"`
	// Unknown are rows and requests that no entry accounted for when it began.
	Unknown []string `json:"unknown,omitempty"`
}

// AmendmentContent says what an erasure has changed.
type AmendmentContent struct {
	Erasure string   `json:"erasure_uid"`
	By      string   `json:"by"`
	Reason  string   `json:"reason"`
	Changes []Change `json:"changes"`
	// Added are rows that have a new identity by it, in the time that earlier entries
	// cover; Requests those of which the history tells under another identity now.
	Added    []ItemValue `json:"added,omitempty"`
	Requests []string    `json:"requests,omitempty"`
}

// Change is an item that is not any more as an earlier entry says. Now is the zero hash
// where it was removed.
type Change struct {
	Item Item `json:"item"`
	Was  Hash `json:"was"`
	Now  Hash `json:"now"`
}

// RetentionContent says how long rows are kept from now on, in seconds; 0 is for ever.
// Where tenants have times of their own, it is the shortest.
type RetentionContent struct {
	Alerts    int64 `json:"alerts_seconds"`
	Summaries int64 `json:"summaries_seconds"`
}

// StrayContent names entries beside the chain by their hashes.
type StrayContent struct {
	Strays []Hash `json:"strays"`
}

func encode(content any) (string, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("write entry of the evidence chain: %w", err)
	}
	return string(text), nil
}

func decode[T any](e Entry) (content T, err error) {
	if err := json.Unmarshal([]byte(e.Content), &content); err != nil {
		return content, fmt.Errorf("read entry %d of the evidence chain: %w", e.Sequence, err)
	}
	return content, nil
}
