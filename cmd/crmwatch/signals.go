package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruptible is done at the first SIGINT or SIGTERM: everything comes to a clean
// end then. A second one ends the program at once, with the code that shells give to
// it (130, 143); nothing is lost by that, it only is delivered later.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		if number, ok := (<-signals).(syscall.Signal); ok {
			os.Exit(128 + int(number))
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// hangups receives a value after one or more SIGHUPs: many that come at once are one.
func hangups() (received <-chan struct{}, stop func()) {
	signals, out := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-signals:
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, func() { signal.Stop(signals); close(done) }
}
