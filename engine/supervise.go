package engine

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// supervise starts the child again whenever it ends, until Stop.
func (e *Engine) supervise(running *child) {
	defer close(e.done)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 30*time.Second
	for {
		began := time.Now()
		<-running.exited
		if e.isStopping() {
			return
		}
		cause := running.failure()
		e.options.Log.Error("engine ended and is started again", "error", cause)
		if time.Since(began) > time.Minute {
			pause.Reset()
		}
		next, ok := e.restart(pause)
		if !ok {
			return
		}
		running = next
		e.restarts.Add(1)
		e.options.Log.Info("engine serves again", "restarts", e.restarts.Load())
		if e.options.OnRestart != nil {
			e.options.OnRestart(cause)
		}
	}
}

// restart tries until a child answers; false means that Stop came first.
func (e *Engine) restart(pause *backoff.ExponentialBackOff) (*child, bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		wait := time.NewTimer(pause.NextBackOff())
		select {
		case <-e.stop:
			wait.Stop()
			return nil, false
		case <-wait.C:
		}
		next, err := e.startChild(ctx)
		if err != nil {
			if e.isStopping() {
				return nil, false
			}
			e.options.Log.Error("engine does not start", "error", err)
			continue
		}
		e.mutex.Lock()
		if e.stopping {
			e.mutex.Unlock()
			next.kill()
			return nil, false
		}
		e.child = next
		e.mutex.Unlock()
		return next, true
	}
}
