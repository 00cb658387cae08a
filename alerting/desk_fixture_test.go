package alerting_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// office is a database, a fake Slack, and desks that come and go.
type office struct {
	t       *testing.T
	store   *shakyStore
	server  *fakeslack.Server
	clock   *clock
	channel string
	client  *http.Client
	console bytes.Buffer
	log     bytes.Buffer
	desk    *alerting.Desk
	// arrived gets every message that stands in the channel.
	arrived chan fakeslack.Message
	slack   *alerting.Slack
	// policy and others are those of the desks to come.
	policy    alerting.Policy
	others    []alerting.Notifier
	onRefusal func(context.Context, alerting.Refusal) error
	onRequest func(context.Context, schema.AlertRequest, schema.AlertTransition, schema.Alert) error
}

func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, store: &shakyStore{Conn: enginetest.OpenStore(t)}, clock: newClock(), arrived: make(chan fakeslack.Message, 100)}
	o.server = fakeslack.New(fakeslack.Options{Token: testToken, Clock: o.clock.Now, OnMessage: func(m fakeslack.Message) { o.arrived <- m }})
	o.restart()
	return o
}

// restart makes a new desk on the same database, as a new process would.
func (o *office) restart() {
	o.t.Helper()
	log := slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.slack = connect(o.t, o.server, alerting.SlackOptions{Channel: o.channel, HTTPClient: o.client, Log: log})
	o.desk = alerting.NewDesk(o.store, append([]alerting.Notifier{o.slack}, o.others...), alerting.Options{
		Fallback: alerting.NewConsole(&o.console, alerting.Style{}), Clock: o.clock.Now, Log: log, Policy: o.policy, OnRefusal: o.onRefusal, OnRequest: o.onRequest,
	})
}

// find stores findings and hands them to the desk.
func (o *office) find(findings ...schema.Finding) error {
	o.t.Helper()
	o.save(findings...)
	return o.desk.Handle(o.t.Context(), findings)
}

func (o *office) mustFind(findings ...schema.Finding) {
	o.t.Helper()
	if err := o.find(findings...); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) save(findings ...schema.Finding) {
	o.t.Helper()
	batch, err := o.store.Conn.PrepareBatch(o.t.Context(), `INSERT INTO findings (finding_uid, version, detected_at, rule, severity_id, title, message,
		metadata_tenant_uid, metadata_product_name, entity_type, entity_uid, entity, window_from, window_to, first_seen, last_seen, count,
		attack, attributes, evidence, evidence_sql, controls)`)
	if err != nil {
		o.t.Fatal(err)
	}
	o.store.saves++
	for _, f := range findings {
		var evidence []string
		for _, uid := range f.Evidence {
			evidence = append(evidence, uid.String())
		}
		if err := batch.Append(f.UID.String(), o.store.saves, f.DetectedAt, f.Rule, uint8(f.Severity), f.Title, f.Message, f.TenantUID, f.Product,
			f.EntityType, f.EntityUID, f.Entity, f.WindowFrom, f.WindowTo, f.FirstSeen, f.LastSeen, f.Count, f.Attack, f.Attributes, evidence,
			f.EvidenceSQL, f.Controls); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		o.t.Fatal(err)
	}
}

// flush flushes until nothing is due any more, and lets the time pass that the
// desk asks for, at most limit.
func (o *office) flush(limit time.Duration) {
	o.t.Helper()
	end := o.clock.Now().Add(limit)
	for range 1000 {
		next, err := o.desk.Flush(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if next.IsZero() || next.After(end) {
			return
		}
		if wait := next.Sub(o.clock.Now()); wait > 0 {
			o.clock.Advance(wait)
		}
	}
	o.t.Fatal("the desk is never done: a hot loop")
}

func (o *office) messages() []fakeslack.Message { return o.server.Messages("") }

// theMessage is the only message in the channel.
func (o *office) theMessage() fakeslack.Message {
	o.t.Helper()
	messages := o.messages()
	if len(messages) != 1 {
		o.t.Fatalf("%d messages, want 1", len(messages))
	}
	return messages[0]
}

func (o *office) calls(method string) int { return len(o.server.Calls(method)) }

// states lists the outbox as "notifier state reason".
func (o *office) states() []string {
	o.t.Helper()
	rows, err := o.store.Conn.Query(o.t.Context(), "SELECT notifier, state, repeat, reason FROM notifications FINAL ORDER BY notifier, state")
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	var states []string
	for rows.Next() {
		var parts [4]string
		if err := rows.Scan(&parts[0], &parts[1], &parts[2], &parts[3]); err != nil {
			o.t.Fatal(err)
		}
		states = append(states, strings.Join(strings.Fields(strings.Join(parts[:], " ")), " "))
	}
	return states
}

func labelled(m fakeslack.Message) bool { return strings.Contains(m.Text, "(repeat:") }

// shakyStore is the database, which fails once when a test says so.
type shakyStore struct {
	driver.Conn
	saves uint64
	// fail is the number of the insert that fails, from 1; after says whether its
	// rows are stored nevertheless.
	fail   int
	after  bool
	writes int
	// wrote is called after each insert.
	wrote func(writes int)
}

var errShaky = errors.New("the database went away")

func (s *shakyStore) PrepareBatch(ctx context.Context, query string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	s.writes++
	batch, err := s.Conn.PrepareBatch(ctx, query, options...)
	if err == nil && s.wrote != nil {
		return watchedBatch{batch, s}, nil
	}
	if err != nil || s.writes != s.fail {
		return batch, err
	}
	return shakyBatch{batch, s.after}, nil
}

type watchedBatch struct {
	driver.Batch
	store *shakyStore
}

func (b watchedBatch) Send() error {
	err := b.Batch.Send()
	b.store.wrote(b.store.writes)
	return err
}

type shakyBatch struct {
	driver.Batch
	after bool
}

func (b shakyBatch) Send() error {
	if b.after {
		if err := b.Batch.Send(); err != nil {
			return err
		}
		return errShaky
	}
	return errors.Join(errShaky, b.Abort())
}
