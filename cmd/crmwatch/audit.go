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
	started time.Time
}

// record writes that the program has started or stopped; cause is why it stopped, nil
// where it was asked to.
func (l *life) record(ctx context.Context, store schema.Store, action string, cause error) error {
	r := audit.Record{
		At: time.Now(), Actor: whoami(), Via: audit.ViaCLI, Action: action, ObjectType: "program", Object: "crmwatch " + l.command,
		Attributes: map[string]string{"version": version, "configuration": l.config}, Failed: cause != nil,
	}
	verb := "started"
	if action == "crmwatch.stop" {
		verb = "stopped"
		r.Attributes["ran"] = time.Since(l.started).Round(time.Second).String()
	} else {
		l.started = r.At
	}
	r.Detail = fmt.Sprintf("crmwatch %s has %s, version %s, for %s.", l.command, verb, version, r.Actor)
	if cause != nil {
		r.Attributes["error"] = cause.Error()
	}
	return audit.Write(ctx, store, r)
}

// stopTime bounds the record of a stop.
const stopTime = 5 * time.Second

// stop writes that the program has stopped. It cannot keep the program from stopping.
func (l *life) stop(ctx context.Context, store schema.Store, cause error, log *slog.Logger) {
	if l.started.IsZero() {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := l.record(last, store, "crmwatch.stop", cause); err != nil {
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
