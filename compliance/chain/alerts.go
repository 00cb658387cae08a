package chain

import (
	"context"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// entryItems bounds how much one entry covers.
const entryItems = 10_000

// giveUp is how long an entry waits for what may yet be written again.
const giveUp = 7 * 24 * time.Hour

// Alerts covers what has happened to alerts since the last such entry, as far as it is
// old enough. It returns how much; 0 writes nothing.
func (l *Ledger) Alerts(ctx context.Context) (covered int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := milliseconds(l.options.Clock())
	if err := l.checkClock(ctx, now); err != nil {
		return 0, err
	}
	for {
		n, err := l.coverAlerts(ctx, now)
		if covered += n; err != nil || n < entryItems {
			return covered, err
		}
	}
}

// checkClock refuses to cover what happened by a clock that is wrong: what another
// instance writes a little later could seem to be older, as if it had been put in.
func (l *Ledger) checkClock(ctx context.Context, now time.Time) error {
	var server time.Time
	if err := l.store.QueryRow(ctx, "SELECT now64(3, 'UTC')").Scan(&server); err != nil {
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	if ahead := now.Sub(server); ahead > l.options.Settle/2 {
		return fmt.Errorf("this machine's clock is %s ahead of the database's: set both, or the history of alerts gets no entries in the evidence chain", ahead.Truncate(time.Second))
	}
	return nil
}

func (l *Ledger) coverAlerts(ctx context.Context, now time.Time) (int, error) {
	after, err := l.coveredUpTo(ctx)
	if err != nil {
		return 0, err
	}
	upTo := now.Add(-l.options.Settle)
	waits, err := unsettled(ctx, l.store, later(after, now.Add(-giveUp)))
	if err != nil {
		return 0, err
	}
	if !waits.IsZero() && !waits.After(upTo) {
		upTo = waits.Add(-time.Millisecond)
	}
	if !upTo.After(after) {
		return 0, nil
	}
	happened, err := transitions(ctx, l.store, after, upTo)
	if err != nil || len(happened) == 0 {
		return 0, err
	}
	if len(happened) > entryItems {
		// All that happened in one millisecond stays together.
		upTo = happened[entryItems-1].at
		n := entryItems
		for n < len(happened) && happened[n].at.Equal(upTo) {
			n++
		}
		happened = happened[:n]
	}
	content := AlertsContent{After: after, UpTo: upTo, Items: make([]ItemValue, len(happened))}
	for i, t := range happened {
		content.Items[i] = ItemValue{TransitionItem(t.uid), t.at, t.hash}
	}
	_, err = l.append(ctx, KindAlerts, schema.HashUID("alerts up to", upTo.Format(timeForm)), 0, content)
	return len(happened), err
}

// coveredUpTo is how far the entries about alerts have come.
func (l *Ledger) coveredUpTo(ctx context.Context) (upTo time.Time, err error) {
	var text string
	err = l.store.QueryRow(ctx, `SELECT argMax(content, sequence) FROM evidence_chain FINAL WHERE kind = 'alerts'`).Scan(&text)
	if err != nil {
		return upTo, fmt.Errorf("read evidence chain: %w", err)
	}
	if text == "" {
		return firstTime, nil
	}
	content, err := decode[AlertsContent](Entry{Content: text})
	return content.UpTo, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
