package interaction

import (
	"sync"
	"time"
)

const (
	// memoryTime is twice as long as a request is good for, which may bear a time
	// before or after ours.
	memoryTime = 2 * maxAge
	// maxRemembered bounds the memory. Only what Slack has signed or sent gets there.
	maxRemembered = 20_000
)

// memory knows what has come already.
type memory struct {
	clock func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time
}

func newMemory(clock func() time.Time) *memory {
	return &memory{clock: clock, seen: map[string]time.Time{}}
}

// add remembers keys: taken is that all of them are new. A memory that is full takes
// nothing, and is busy: to forget what has come would let it come again.
func (m *memory) add(keys ...string) intake {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	if len(m.seen)+len(keys) > maxRemembered {
		for key, at := range m.seen {
			if now.Sub(at) > memoryTime {
				delete(m.seen, key)
			}
		}
		if len(m.seen)+len(keys) > maxRemembered {
			return busy
		}
	}
	for _, key := range keys {
		if at, known := m.seen[key]; known && now.Sub(at) <= memoryTime {
			return repeated
		}
	}
	for _, key := range keys {
		m.seen[key] = now
	}
	return taken
}

func (m *memory) forget(keys ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		delete(m.seen, key)
	}
}

// tally lets something that a stranger can cause be logged once a minute, with how
// often it happened.
type tally struct {
	clock func() time.Time

	mu     sync.Mutex
	count  int
	logged time.Time
}

// add counts one, and says whether it is time to log, and how many.
func (t *tally) add() (n int, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	now := t.clock()
	if now.Sub(t.logged) < time.Minute {
		return 0, false
	}
	n, t.count, t.logged = t.count, 0, now
	return n, true
}
