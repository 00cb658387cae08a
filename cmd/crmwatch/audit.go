package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
)

// life records the start and the stop of a program that serves, such as run.
type life struct {
	// command is run, collector or engine.
	command string
	config  string
	// began is when the program began, and recorded says that this is recorded.
	began    time.Time
	recorded bool
}

// start records that the program has started, once.
func (l *life) start(ctx context.Context, store schema.Store) error {
	if l.recorded {
		return nil
	}
	r := l.record(l.began, "crmwatch.start", "started")
	if err := audit.Write(ctx, store, r); err != nil {
		return err
	}
	l.recorded = true
	return nil
}

func (l *life) record(at time.Time, action, verb string) audit.Record {
	who := whoami()
	return audit.Record{
		At: at, Actor: who, Via: audit.ViaCLI, Action: action, ObjectType: "program", Object: "crmwatch " + l.command,
		Detail:     fmt.Sprintf("crmwatch %s has %s, version %s, as %s.", l.command, verb, version, who),
		Attributes: map[string]string{"version": version, "configuration": l.config},
	}
}

// stopTime bounds the record of a stop.
const stopTime = 5 * time.Second

// stop records that a program which has started has stopped; cause is why, nil where it
// was asked to. It cannot keep the program from stopping.
func (l *life) stop(ctx context.Context, store schema.Store, cause error, log *slog.Logger) {
	if !l.recorded {
		return
	}
	r := l.record(time.Now(), "crmwatch.stop", "stopped")
	r.Attributes["ran"] = r.At.Sub(l.began).Round(time.Second).String()
	if cause != nil {
		r.Failed, r.Attributes["status_detail"] = true, cause.Error()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := audit.Write(last, store, r); err != nil {
		log.Warn("the stop cannot be recorded in the audit", "error", err)
	}
}

// keepRefusals makes what records refused requests in a store, until stop is called.
func keepRefusals(store func() schema.Store, log *slog.Logger) (refusals *audit.Refusals, run func() (stop func())) {
	refusals = &audit.Refusals{Log: log, Write: func(ctx context.Context, records ...audit.Record) error {
		return audit.Write(ctx, store(), records...)
	}}
	return refusals, func() func() {
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { refusals.Run(ctx) })
		return sync.OnceFunc(func() {
			cancel()
			running.Wait()
		})
	}
}

// engineRefusal is a refusal of the engine as it is recorded.
func engineRefusal(r engine.Refusal) audit.Refusal {
	refusal := audit.Refusal{At: r.At, Action: "statement.refuse", Service: "engine", Address: r.Address, Name: r.User, Reason: r.Reason, Others: r.Skipped}
	if r.Login {
		refusal.Action, refusal.Reason = "login.refuse", "unknown user or wrong password"
	}
	return refusal
}

// warnUnrecorded tells whoever gave a command that it is not in the audit.
func warnUnrecorded(what string, err error) {
	fmt.Fprintf(os.Stderr, "crmwatch: %s is not recorded in the audit: %v\n", what, err)
}
