package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// Inlet is a source whose records come over the network.
type Inlet struct {
	// Name is in x_source_name, as that of a Source is.
	Name string
	// Format is the format of all messages.
	Format string
	// Tenant and Zone are for messages that name none.
	Tenant string
	Zone   *time.Location
	// Privacy says what is stored of people; nil means all that messages have.
	Privacy *redact.PrivacyOptions
}

// Check says what is wrong with the inlet's settings.
func (i *Inlet) Check() error {
	if !sourceName.MatchString(i.Name) {
		return fmt.Errorf("receiver name %q: use 1 to 64 lower case letters, digits, dots, dashes and underscores", i.Name)
	}
	format, err := formats.ByName(i.Format)
	if err != nil {
		return fmt.Errorf("receiver %s: %w", i.Name, err)
	}
	if !format.Line {
		return fmt.Errorf("receiver %s: a record of %s does not stand for itself, so it cannot be received", i.Name, i.Format)
	}
	return nil
}

// Message is what a sender sent at once. It belongs to the intake when it is put in.
type Message struct {
	// Inlet is the name of the one through which it came, Place the port, such as
	// syslog+udp://127.0.0.1:5514, for x_source_file.
	Inlet, Place string
	// From is who sent it: often a relay, and not the client that the record is about.
	From netip.Addr
	// Data is one line of the inlet's format with its end, unless Lines says how it is
	// cut into such lines, in pieces that are valid until the next one.
	Data  []byte
	Lines func(data []byte) iter.Seq[[]byte]
	// Rejected, if not nil, says why Data, as it was sent, is no message.
	Rejected *formats.Rejection
	// Answer, if not nil, is called once, when all records of the message are kept for
	// good or it is known that they are not. Who waits for an answer repeats what had
	// none: the identity of such a record is its content and its ordinal among the
	// identical ones of the message. Other messages are never repeated; each of their
	// records has an identity of its own.
	Answer func(Receipt)
}

// Receipt says what became of a message.
type Receipt struct {
	Events, Quarantined int64
	// Filtered belong into the store of another region.
	Filtered int64
	// FirstRejection describes the first quarantined record, without its content.
	FirstRejection string
	// Err is nil when all records are kept.
	Err error
}

// errNotKept is what those hear whose batch came to nothing.
var errNotKept = errors.New("the batch was not kept: crmwatch is stopping")

// Bounds of what was received and waits to be decoded.
const (
	intakeBytes    = 32 << 20
	intakeMessages = 8192
	// messageCost is what a message takes beside its bytes.
	messageCost = 256
)

// Intake takes messages in, in order, and makes those who bring them wait when batches
// do not leave as fast as they fill. It may be used by many at once.
type Intake struct {
	messages chan Message
	room     *semaphore.Weighted
	ledger   *ledger
	log      *slog.Logger
	now      func() time.Time
	once     sync.Once
}

// Put waits until there is room for the message. The error is that of ctx: the message
// was not taken then.
func (i *Intake) Put(ctx context.Context, m Message) error {
	if err := i.room.Acquire(ctx, m.cost()); err != nil {
		return err
	}
	select {
	case i.messages <- m:
		return nil
	case <-ctx.Done():
		i.room.Release(m.cost())
		return context.Cause(ctx)
	}
}

// Lost counts messages that were not taken. The log tells it once a minute at most.
func (i *Intake) Lost(inlet, reason string, messages, bytes int64) {
	if i.ledger.lost(inlet, reason, messages, bytes, i.now()) {
		i.log.Warn("what was received is not taken; the status counts it", "receiver", inlet, "reason", reason, "messages", messages, "bytes", bytes)
	}
}

func (m *Message) cost() int64 { return min(intakeBytes, int64(cap(m.Data))+messageCost) }

func (m *Message) answer(r Receipt) {
	if m.Answer != nil {
		m.Answer(r)
	}
}

func (i *Intake) close() { i.once.Do(func() { close(i.messages) }) }

// openIntake checks the inlets. names are those of the sources.
func (w *Watcher) openIntake(names map[string]bool) error {
	if (len(w.Inlets) > 0) != (w.Receive != nil) {
		return errors.New("the options Inlets and Receive belong together")
	}
	for i := range w.Inlets {
		in := &w.Inlets[i]
		if err := in.Check(); err != nil {
			return err
		}
		if names[in.Name] {
			return fmt.Errorf("two sources or receivers are named %s", in.Name)
		}
		names[in.Name] = true
	}
	w.intake = &Intake{messages: make(chan Message, intakeMessages), room: semaphore.NewWeighted(intakeBytes), ledger: &w.ledger, log: w.Log, now: w.Now}
	return nil
}
