package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// reloading serves with what load returns, until ctx ends. SIGHUP loads it anew: what
// runs is stopped as by an interrupt, and goes on with the new. What cannot be loaded
// is logged, and the old stays.
func reloading[T any](ctx context.Context, log *slog.Logger, first T, load func() (T, error), serve func(context.Context, T) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for current := first; ; {
		next, taken, err := untilReload(ctx, log, signals, current, load, serve)
		if !taken || err != nil || ctx.Err() != nil {
			return err
		}
		log.Info("the new configuration is taken")
		current = next
	}
}

func untilReload[T any](ctx context.Context, log *slog.Logger, signals <-chan os.Signal, current T, load func() (T, error), serve func(context.Context, T) error) (next T, taken bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		for !taken {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			if loaded, err := load(); err != nil {
				log.Error("the new configuration has mistakes; the old one stays", "error", err)
			} else {
				next, taken = loaded, true
			}
		}
		cancel()
	})
	err = serve(ctx, current)
	cancel()
	waiting.Wait()
	return next, taken, err
}
