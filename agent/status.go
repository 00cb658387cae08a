package agent

import (
	"log/slog"
	"maps"
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
	// Filtered is what was read and is not to be stored, by the rule that says so; such
	// records are not in Events or Quarantined.
	Filtered map[string]int64 `json:"filtered,omitempty"`
	// Lost is what came over the network and was not taken, by the reason; such messages
	// are not in Events or Quarantined.
	Lost map[string]Loss `json:"lost,omitempty"`
	// LastEvent is the latest event time.
	LastEvent time.Time `json:"last_event,omitzero"`
	// Files that a person should look at, the latest last.
	Problems []FileReport `json:"problems,omitempty"`
}

// maxProblems is how many files a status names.
const maxProblems = 100

// Loss counts messages that were not taken. A stretch of bytes that was no whole message
// counts as one.
type Loss struct {
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

// Status says how every source stands, in the order of the configuration, and then
// every inlet.
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
		status.Filtered = maps.Clone(status.Filtered)
		all = append(all, status)
	}
	for _, in := range w.Inlets {
		status := *w.ledger.of(in.Name)
		status.Name, status.Kind = in.Name, KindReceive
		status.Pending = status.Events + status.Quarantined - status.Stored
		status.Lost = maps.Clone(status.Lost)
		status.Filtered = maps.Clone(status.Filtered)
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
	// told is when a loss was logged last.
	told map[string]time.Time
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

// filtered counts records that a rule keeps out.
func (l *ledger) filtered(source, rule string, n int64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(source)
	if s.Filtered == nil {
		s.Filtered = map[string]int64{}
	}
	s.Filtered[rule] += n
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

// lost notes what was not taken, and says whether it is time to log that.
func (l *ledger) lost(source, reason string, messages, bytes int64, now time.Time) (tell bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(source)
	if s.Lost == nil {
		s.Lost = map[string]Loss{}
	}
	loss := s.Lost[reason]
	s.Lost[reason] = Loss{loss.Messages + messages, loss.Bytes + bytes}
	key := source + "\x00" + reason
	if now.Sub(l.told[key]) < time.Minute {
		return false
	}
	if l.told == nil {
		l.told = map[string]time.Time{}
	}
	l.told[key] = now
	return true
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
	if report.Status == StatusOK && report.Quarantined+report.Filtered == 0 {
		delete(l.known, key)
		return
	}
	s.Problems = append(s.Problems, report)
	if extra := len(s.Problems) - maxProblems; extra > 0 {
		s.Problems = slices.Delete(s.Problems, 0, extra)
	}
	if text := string(report.Status) + report.Reason + report.FirstRejection + filteredText(report.Filtered); l.known[key] != text {
		l.known[key] = text
		log.Warn("a file needs a look", "source", source, "file", report.File, "status", report.Status, "reason", report.Reason, "quarantined", report.Quarantined, "filtered", report.Filtered, "first", report.FirstRejection)
	}
}

// filteredText tells a file of which something was kept out from one of which nothing was.
func filteredText(n int64) string {
	if n == 0 {
		return ""
	}
	return " filtered"
}
