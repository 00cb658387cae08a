package agent

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// Limits of one batch. A block of this size costs the engine least per row, and
// few of them are in memory at once.
const (
	batchRows  = 65_536
	batchBytes = 32 << 20
)

// sealer collects events, quarantined records and the positions behind them, and
// seals them in batches. It is not safe for concurrent use.
type sealer struct {
	*filling
	redactor  *redact.Redactor
	positions map[string]SourcePosition
	counts    map[string]*sourceCount
	// since is when the oldest thing in the open batch came in.
	since time.Time
	// waiting want to know what becomes of the open batch.
	waiting []func(error)
	free    chan *filling
	out     chan<- Sealed
}

// newSealer makes a sealer. The redactor cleans what repeats within a batch; the rest
// is clean when it comes.
func newSealer(redactor *redact.Redactor, free chan *filling, out chan<- Sealed) *sealer {
	s := &sealer{
		filling:   &filling{},
		redactor:  redactor,
		positions: map[string]SourcePosition{},
		counts:    map[string]*sourceCount{},
		free:      free,
		out:       out,
	}
	s.filling.reset(redactor)
	return s
}

func (s *sealer) add(source string, e *schema.Event) {
	s.batch.Append(e)
	s.count(source).events++
}

func (s *sealer) reject(source string, q *schema.Quarantined) {
	s.quarantine.Add(q)
	s.count(source).quarantined++
}

// cover records that everything up to position p is in this batch or before it.
func (s *sealer) cover(p SourcePosition) { s.positions[p.ID] = p }

func (s *sealer) count(source string) *sourceCount {
	c := s.counts[source]
	if c == nil {
		c = &sourceCount{source: source}
		s.counts[source] = c
	}
	return c
}

func (s *sealer) empty() bool {
	return s.batch.Rows() == 0 && s.quarantine.Rows() == 0 && len(s.positions) == 0
}

func (s *sealer) full() bool {
	return s.batch.Rows() >= batchRows || s.batch.Bytes() >= batchBytes || s.quarantine.Rows() >= quarantineRows || s.quarantine.Bytes() >= quarantineBytes
}

// seal hands the open batch on; it waits until there is another to fill.
func (s *sealer) seal(ctx context.Context) error {
	if s.empty() {
		return nil
	}
	select {
	case next := <-s.free:
		return s.hand(ctx, next)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// trySeal hands the open batch on, unless it would have to wait.
func (s *sealer) trySeal(ctx context.Context) (bool, error) {
	if s.empty() {
		return true, nil
	}
	select {
	case next := <-s.free:
		return true, s.hand(ctx, next)
	default:
		return false, nil
	}
}

// hand never waits for long: out has room for every filling that is not free.
func (s *sealer) hand(ctx context.Context, next *filling) error {
	sealed := Sealed{filling: s.filling, waiting: s.waiting}
	s.waiting = nil
	for _, id := range slices.Sorted(maps.Keys(s.positions)) {
		sealed.Positions = append(sealed.Positions, s.positions[id])
	}
	for _, c := range s.counts {
		sealed.counts = append(sealed.counts, *c)
	}
	next.reset(s.redactor)
	s.filling = next
	clear(s.positions)
	clear(s.counts)
	s.since = time.Time{}
	select {
	case s.out <- sealed:
		return nil
	case <-ctx.Done():
		sealed.settle(errNotKept)
		return context.Cause(ctx)
	}
}
