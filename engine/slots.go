package engine

import (
	"context"
	"sync/atomic"
)

// slots bounds how many statements run at once; more wait in line, up to a limit.
type slots struct {
	free     chan struct{}
	waiting  atomic.Int64
	maxQueue int64
}

func newSlots(running, queued int) *slots {
	return &slots{free: make(chan struct{}, running), maxQueue: int64(queued)}
}

// acquire waits for a slot until ctx ends; the error is ClickHouse's 202 when the line is too long.
func (s *slots) acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.maxQueue {
		return refuse(codeTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES",
			"Too many simultaneous queries. Maximum: %d, and %d waiting", cap(s.free), s.maxQueue)
	}
	select {
	case s.free <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slots) release() { <-s.free }
