package alerting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Notifier tells people about alerts in one place. The Desk calls it from one
// goroutine at a time, and keeps in the database how far each alert has come.
//
// Errors say what the Desk may do next: ErrOutcomeUnknown (the message may have
// arrived), *HoldError (it did not; wait), *RefusedError (it will not, until a
// person mends something), ErrMessageGone (from Update). Any other error means
// that nothing was sent and that trying again later may help.
type Notifier interface {
	// Name identifies the notifier in the database; it must not change.
	Name() string
	// Pace is the shortest time between two messages.
	Pace() time.Duration
	// Post sends an alert for the first time, or again with a label.
	Post(ctx context.Context, a schema.Alert, repeat Repeat) (Receipt, error)
	// Update changes the message in place. Sending it twice does no harm.
	Update(ctx context.Context, at Receipt, a schema.Alert, repeat Repeat) error
	// Find looks for an alert's message among those posted since a time. The error
	// is ErrCannotFind where this notifier has no way to look.
	Find(ctx context.Context, alert schema.UID, since time.Time) (at Receipt, found bool, err error)
}

// Receipt is where a message stands.
type Receipt struct {
	// Channel is the channel's id; Message is the message's id in it.
	Channel, Message string
}

// Errors of a Notifier.
var (
	ErrOutcomeUnknown = errors.New("nobody knows whether the message arrived")
	ErrMessageGone    = errors.New("the message does not exist any more")
	ErrCannotFind     = errors.New("messages cannot be looked up")
)

// HoldError says that the notifier takes no message for a while.
type HoldError struct {
	After time.Duration
	Err   error
}

// Error names the wait.
func (e *HoldError) Error() string { return fmt.Sprintf("%v: wait %s", e.Err, e.After) }

// Unwrap is the cause.
func (e *HoldError) Unwrap() error { return e.Err }

// RefusedError says that a message was refused for good.
type RefusedError struct {
	// Code is the refusing side's word for the reason.
	Code string
	// Mend says what a person can do about it.
	Mend string
	// ThisMessage is true where other messages may still be taken.
	ThisMessage bool
}

// Error names the reason and the mend.
func (e *RefusedError) Error() string { return e.Code + ": " + e.Mend }
