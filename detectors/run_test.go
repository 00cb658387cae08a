package detectors

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunScheduleSurvivesPanicsAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		wakes := map[string][]time.Time{}
		rules := []Rule{{ID: "panics", Schedule: "*/10 * * * *"}, {ID: "fails", Schedule: "0 * * * *"}}
		done := make(chan error)
		go func() {
			done <- runSchedule(ctx, rules, slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, rule Rule) error {
				wakes[rule.ID] = append(wakes[rule.ID], time.Now().UTC())
				if rule.ID == "panics" {
					panic("broken rule")
				}
				return errors.New("no answer")
			})
		}()
		start := time.Now()
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
		// Once at the start, then by the clock; 2000-01-01 00:00 UTC is where it stands.
		if got := len(wakes["panics"]); got != 1+6 {
			t.Errorf("the rule that panics woke %d times in an hour, want 7: %v", got, wakes["panics"])
		}
		if got := wakes["fails"]; len(got) != 2 || !got[0].Equal(start) || got[1].Minute() != 0 {
			t.Errorf("the rule that fails woke at %v", got)
		}
		if !strings.Contains(log.String(), "rule run panicked") || !strings.Contains(log.String(), "rule run failed") {
			t.Errorf("the log says %s", log.String())
		}
	})
}

func TestRunScheduleSkipsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		running, most, runs := 0, 0, 0
		done := make(chan error)
		go func() {
			done <- runSchedule(ctx, []Rule{{ID: "slow", Schedule: "* * * * *"}}, slog.New(slog.DiscardHandler), func(context.Context, Rule) error {
				running++
				runs++
				most = max(most, running)
				time.Sleep(150 * time.Second)
				running--
				return nil
			})
		}()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		cancel()
		time.Sleep(3 * time.Minute)
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
		if most != 1 || runs < 3 {
			t.Errorf("%d runs, %d at once", runs, most)
		}
	})
}

func TestRunScheduleRefusesBadSchedules(t *testing.T) {
	err := runSchedule(t.Context(), []Rule{{ID: "odd", Schedule: "TZ=UTC"}}, slog.New(slog.DiscardHandler), nil)
	if err == nil || !strings.Contains(err.Error(), "odd") {
		t.Errorf("error %v", err)
	}
}

func TestNextWakes(t *testing.T) {
	wakes, err := NextWakes(Rule{Schedule: "*/5 * * * *"}, time.Date(2026, 3, 29, 0, 58, 0, 0, time.UTC), 3)
	if err != nil || len(wakes) != 3 || wakes[0].Format(time.RFC3339) != "2026-03-29T01:00:00Z" || wakes[2].Sub(wakes[0]) != 10*time.Minute {
		t.Errorf("wakes %v, %v", wakes, err)
	}
}
