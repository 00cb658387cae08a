package agent

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

// SourceStatus is how one source stands. Events + Quarantined = Stored + Pending,
// at every moment.
type SourceStatus struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Files are there now; Following is how many of them are open logs.
	Files     int `json:"files"`
	Following int `json:"following"`
	// Leaving counts those of them that left the source's paths: only this run still has
	// them, until they stood still.
	Leaving int `json:"leaving"`
	// LagBytes is what is there and not read, WaitingBytes what of it are finished
	// exports in the queue. When no source has any, every export that was queued is
	// handed on to be stored.
	LagBytes     int64 `json:"lag_bytes"`
	WaitingBytes int64 `json:"waiting_bytes"`
	// Counts since the start of this run. Stored includes stored quarantine.
	Events      int64 `json:"events"`
	Quarantined int64 `json:"quarantined"`
	Stored      int64 `json:"stored"`
	Pending     int64 `json:"pending"`
	Truncations int64 `json:"truncations"`
	// LastEvent is the latest event time.
	LastEvent time.Time `json:"last_event,omitzero"`
	// Files that a person should look at, the latest last.
	Problems []FileReport `json:"problems,omitempty"`
}

// maxProblems is how many files a status names.
const maxProblems = 100

// Status says how every source stands, in the order of the configuration.
func (w *Watcher) Status() []SourceStatus {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	all := make([]SourceStatus, 0, len(w.sources))
	for _, s := range w.sources {
		status := *w.ledger.of(s.Name)
		status.Name, status.Kind = s.Name, s.Kind
		status.Pending = status.Events + status.Quarantined - status.Stored
		status.LagBytes += status.WaitingBytes
		status.Problems = slices.Clone(status.Problems)
		all = append(all, status)
	}
	return all
}

// Polls counts how often all sources were looked at.
func (w *Watcher) Polls() uint64 { return w.polls.Load() }

// publish notes what the poll found.
func (w *Watcher) publish(now time.Time) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, s := range w.sources {
		status := w.ledger.of(s.Name)
		status.Files, status.Following, status.Leaving, status.LagBytes = len(s.files), 0, 0, 0
		for _, g := range s.generations {
			if g.file != nil {
				status.Following++
				if g.path == "" {
					status.Leaving++
				}
				status.LagBytes += max(0, g.state.size-g.position.Offset)
			}
		}
	}
}

// ledger counts every record from when it is read until it is stored.
type ledger struct {
	mu      sync.Mutex
	sources map[string]*SourceStatus
	known   map[string]string
}

// of must be called with the lock held.
func (l *ledger) of(source string) *SourceStatus {
	if l.sources == nil {
		l.sources, l.known = map[string]*SourceStatus{}, map[string]string{}
	}
	s := l.sources[source]
	if s == nil {
		s = &SourceStatus{}
		l.sources[source] = s
	}
	return s
}

func (l *ledger) read(source string, events, quarantined, latest int64) {
	if events+quarantined == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(source)
	s.Events += events
	s.Quarantined += quarantined
	if t := time.UnixMilli(latest).UTC(); events > 0 && t.After(s.LastEvent) {
		s.LastEvent = t
	}
}

func (l *ledger) shipped(counts []sourceCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		l.of(c.source).Stored += c.events + c.quarantined
	}
}

// wait notes that so many bytes more (or less) are queued.
func (l *ledger) wait(source string, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(source).WaitingBytes += bytes
}

func (l *ledger) truncated(source string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(source).Truncations++
}

// unreadable notes the files that a listing could not get at.
func (l *ledger) unreadable(source string, reports []FileReport, log *slog.Logger) {
	for _, report := range reports {
		l.file(source, report, log)
	}
}

// file notes what became of a file, and logs it when it is a problem and new.
func (l *ledger) file(source string, report FileReport, log *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(source)
	key := source + "\x00" + report.File
	s.Problems = slices.DeleteFunc(s.Problems, func(r FileReport) bool { return r.File == report.File })
	if report.Status == StatusOK && report.Quarantined == 0 {
		delete(l.known, key)
		return
	}
	s.Problems = append(s.Problems, report)
	if extra := len(s.Problems) - maxProblems; extra > 0 {
		s.Problems = slices.Delete(s.Problems, 0, extra)
	}
	if text := string(report.Status) + report.Reason + report.FirstRejection; l.known[key] != text {
		l.known[key] = text
		log.Warn("a file needs a look", "source", source, "file", report.File, "status", report.Status, "reason", report.Reason, "quarantined", report.Quarantined, "first", report.FirstRejection)
	}
}
