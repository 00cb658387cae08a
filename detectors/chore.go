package detectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// CheckSchedule says what is wrong with a schedule: a cron line of five fields in
// UTC, or @daily and its kind.
func CheckSchedule(line string) error {
	_, err := parseSchedule(line)
	return err
}

// RunChore does some work on a schedule until ctx ends, beside the rules. Work that
// fails or panics is logged, and done again at the next time; work that takes longer
// than its time misses the times in between. It returns nil on a clean cancel.
func RunChore(ctx context.Context, name, schedule string, log *slog.Logger, work func(context.Context) error) error {
	due, err := parseSchedule(schedule)
	if err != nil {
		return fmt.Errorf("schedule %s: %w", name, err)
	}
	for {
		next := due.Next(time.Now().UTC())
		if next.IsZero() {
			<-ctx.Done()
			return nil
		}
		wait := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
		if err := recovered(ctx, work); err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			log.Error(name+" failed", "error", err)
		}
	}
}

// recovered turns a panic into an error.
func recovered(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return work(ctx)
}
