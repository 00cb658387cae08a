// Package audit writes what is done with crmwatch itself into the table of events, as
// events of the product crmwatch: who did what, when, with what, and whether it was
// allowed. They are subject to the same rules, the same retention and the same queries
// as the logs that crmwatch watches. Names of people are kept: they are what an audit
// is for.
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/schema"
)

// What marks crmwatch's own events.
const (
	Product   = schema.OwnProduct
	LogName   = "audit"
	LogFormat = "crmwatch-audit"
)

// How an act came; a surface may have a name of its own.
const (
	ViaItself    = schema.ViaItself
	ViaCLI       = schema.ViaCLI
	ViaSlack     = schema.ViaSlack
	ViaConfig    = "configuration"
	ViaEngine    = "engine"
	ViaCollector = "collector"
)

// Record is one act.
type Record struct {
	// UID is the act's own identity where it has one, such as that of a request. Without
	// it, the identity is a hash of the whole record. A record with the same UID and At
	// counts once, however often it is written.
	UID schema.UID
	// At is when it was done; required. It is stored in milliseconds.
	At time.Time
	// Tenant is empty for what concerns the whole installation.
	Tenant string
	// Actor is who did it, such as alice@host for a terminal; empty is crmwatch itself.
	Actor string
	// Via is how it came: see ViaCLI.
	Via string
	// Action is a noun and a verb, such as silence.add; required. See class.
	Action string
	// ObjectType and Object name what it was done to.
	ObjectType, Object string
	// Detail says in a plain sentence what was done. Without it, the message is made of
	// action and object.
	Detail string
	// Attributes go into the event's columns where they have the name of one of those in
	// attributeColumns, and otherwise into unmapped.
	Attributes map[string]string
	// Failed is an act that was tried and refused, or that did not succeed.
	Failed bool
}

// patience bounds how long a Write tries.
const patience = 10 * time.Second

// Write stores records in the table events of a store, each once. Its error says that
// some of them may not be stored; they can be written again.
//
// Secrets in the texts of a record are cut out as they are from logs.
func Write(ctx context.Context, store schema.Store, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	delivery, err := encode(records)
	if err != nil {
		return err
	}
	inserter := insert.Inserter{Conn: store, FirstWait: 100 * time.Millisecond, LongestWait: 2 * time.Second, Watchdog: patience, GiveUpAfter: patience}
	if err := inserter.Insert(ctx, delivery); err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	return nil
}

// encode makes one block of the records. Its token follows from its bytes.
func encode(records []Record) (schema.Delivery, error) {
	batch := schema.NewBatch()
	clean := cleaner()
	for _, r := range records {
		if err := r.check(); err != nil {
			return schema.Delivery{}, err
		}
		e := r.Event()
		clean.Event(&e)
		batch.Append(&e)
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		return schema.Delivery{}, fmt.Errorf("write audit: %w", err)
	}
	return schema.Delivery{AgentUID: LogFormat, Events: schema.RawFrames(block, batch.Rows())}, nil
}

func (r *Record) check() error {
	switch {
	case r.Action == "":
		return errors.New("write audit: a record has no action")
	case r.At.IsZero():
		return fmt.Errorf("write audit: the record of %s has no time", r.Action)
	}
	return nil
}
