package detectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"
)

// Run wakes each rule on its schedule until ctx ends, and each once at the start:
// what arrived while nothing ran is not passed over, because watermarks, not
// ticks, decide what a run looks at. It returns nil on a clean cancel.
func (r *Runner) Run(ctx context.Context) error {
	return runSchedule(ctx, r.rules, r.options.Log, r.Wake)
}

// runSchedule wakes rules in UTC. A run that panics or fails leaves the others and
// its own next run alone; a tick during a run is skipped.
func runSchedule(ctx context.Context, rules []Rule, log *slog.Logger, wake func(context.Context, Rule) error) error {
	logger := cronLog{log}
	// Recover inside Skip: the other way round, one panic would leave the rule
	// marked as running for ever.
	chain := cron.NewChain(cron.SkipIfStillRunning(logger), cron.Recover(logger))
	clock := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(logger))
	jobs := make([]cron.Job, len(rules))
	for i, rule := range rules {
		schedule, err := parseSchedule(rule.Schedule)
		if err != nil {
			return fmt.Errorf("schedule rule %s: %w", rule.ID, err)
		}
		jobs[i] = chain.Then(cron.FuncJob(func() {
			if err := wake(ctx, rule); err != nil && !errors.Is(err, context.Canceled) {
				log.Error("rule run failed", "rule", rule.ID, "error", err)
			}
		}))
		clock.Schedule(schedule, jobs[i])
	}
	clock.Start()
	for _, job := range jobs {
		if ctx.Err() != nil {
			break
		}
		job.Run()
	}
	<-ctx.Done()
	<-clock.Stop().Done()
	return nil
}

// cronLog writes the scheduler's messages; its ticks are of no interest.
type cronLog struct{ log *slog.Logger }

func (l cronLog) Info(message string, pairs ...any) {
	if message == "skip" {
		l.log.Debug("rule still running, tick skipped")
	}
}

func (l cronLog) Error(err error, message string, pairs ...any) {
	l.log.Error("rule run panicked", append([]any{"error", err}, pairs...)...)
}
