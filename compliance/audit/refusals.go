package audit

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Refusals turns refusals into records: the first of a source one by one, the rest as
// one event a minute and source, with its count. However fast somebody knocks, memory
// and the number of events are bounded; what cannot be stored now waits, and what does
// not fit is counted.
type Refusals struct {
	// Write stores records; see Write.
	Write func(context.Context, ...Record) error
	// Every is how often what was gathered is written; a second by default.
	Every time.Duration
	// Clock is time.Now by default.
	Clock func() time.Time
	Log   *slog.Logger

	mu      sync.Mutex
	sources map[source]*knocking
	waiting []Record
	// lost counts the records that did not fit into waiting.
	lost uint64
	// singly counts the records of one refusal each in the minute that began at minute.
	singly int
	minute time.Time
	// life and number name each record, so that one that is written again counts once.
	life    string
	number  uint64
	trouble bool
}

// Refused takes a refusal. It never waits.
func (r *Refusals) Refused(refusal Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if refusal.At.IsZero() {
		refusal.At = r.now()
	}
	key := source{refusal.Action, refusal.Service, refusal.Address}
	k := r.sources[key]
	alone := true
	if k == nil {
		if r.sources == nil {
			r.sources = map[source]*knocking{}
		}
		if len(r.sources) >= maxSources {
			key.address, alone = others, false
			k = r.sources[key]
		}
		if k == nil {
			k = &knocking{}
			r.sources[key] = k
		}
	}
	if refusal.At.Sub(r.minute) >= time.Minute {
		r.minute, r.singly = refusal.At, 0
	}
	if record, tell := k.gather(refusal, alone && r.singly < maxSingly); tell {
		r.singly++
		r.wait(record)
	}
}

func (r *Refusals) now() time.Time {
	if r.Clock != nil {
		return r.Clock()
	}
	return time.Now()
}

// wait queues a record to be written. It is called with the lock held.
func (r *Refusals) wait(record Record) {
	if len(r.waiting) >= maxWaiting {
		r.lost++
		return
	}
	if r.life == "" {
		r.life = rand.Text()
	}
	r.number++
	record.UID = schema.HashUID("refusal", r.life, strconv.FormatUint(r.number, 10))
	r.waiting = append(r.waiting, record)
}

// collect makes records of what was gathered for a minute, or of all, and forgets
// sources that are calm. It returns a copy of what is to be written.
func (r *Refusals) collect(all bool) []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for key, k := range r.sources {
		if k.count > 0 && (all || now.Sub(k.sumSince) >= sumEvery) {
			r.wait(k.sum(key))
		}
		if k.count == 0 && now.Sub(k.last) >= calm {
			delete(r.sources, key)
		}
	}
	if r.lost > 0 && len(r.waiting) < maxWaiting {
		lost := r.lost
		r.lost = 0
		r.wait(Record{
			At: now, Via: ViaItself, Action: "audit.lose", ObjectType: "service", Object: LogName, Failed: true,
			Detail:     strconv.FormatUint(lost, 10) + " records of refused requests were not kept, because the database was away for long.",
			Attributes: map[string]string{"records": strconv.FormatUint(lost, 10)},
		})
	}
	return append([]Record(nil), r.waiting...)
}

// Flush writes what waits; all includes what is gathered for less than a minute. What
// could not be written waits on.
func (r *Refusals) Flush(ctx context.Context, all bool) error {
	records := r.collect(all)
	if len(records) == 0 {
		return nil
	}
	err := r.Write(ctx, records...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.waiting = append([]Record(nil), r.waiting[len(records):]...)
	}
	if r.Log != nil && ctx.Err() == nil && (err != nil) != r.trouble {
		r.trouble = err != nil
		if r.trouble {
			r.Log.Warn("refused requests cannot be recorded now; they wait", "waiting", len(r.waiting), "error", err)
		} else {
			r.Log.Info("refused requests are recorded again")
		}
	}
	return err
}

// flushTime bounds the last write after Run's context has ended.
const flushTime = 5 * time.Second

// Run writes what is refused until ctx ends, and then what is left.
func (r *Refusals) Run(ctx context.Context) {
	every := r.Every
	if every <= 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
			defer cancel()
			_ = r.Flush(last, true) // it is logged
			return
		case <-ticker.C:
			_ = r.Flush(ctx, false) // it is logged, and tried again
		}
	}
}
