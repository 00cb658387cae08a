package subject

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/crmwatch/crmwatch/schema"
)

// Erasing is what an erasure is to do.
type Erasing struct {
	Subject Subject
	// Delete removes the rows of what the person did in place of making them nobody's.
	Delete bool
	// Actor and Reason are written down; the reason must not name the person.
	Actor, Reason string
	// Folder keeps the secret of an erasure while it goes on: DATA/erasures.
	Folder string
	Now    func() time.Time
	// Step, unless nil, is told what is done next.
	Step func(what string)
	// Amend, unless nil, calls change, which changes rows, and accounts for what it has
	// changed where that is evidence; by is Erased.By. After a crash it is called again.
	Amend func(ctx context.Context, erasure schema.UID, by string, change func(context.Context) error) error
	// Record, unless nil, is told of an erasure that has changed all, before it counts as
	// done: after a crash it may be told again, of the same UID and Began.
	Record func(ctx context.Context, done Erased) error
}

// Erased is what an erasure did.
type Erased struct {
	UID schema.UID
	// Began is when it began, in milliseconds.
	Began time.Time
	// By is the actor as it is written down: where the actor is the person, the person's
	// token stands in it, or the record of the act would name whom it has erased.
	By string
	// Prefix begins all tokens that stand in the person's place.
	Prefix string
	// Method is anonymise or delete.
	Method string
	// Counts are the rows that were written anew or deleted, by table.
	Counts map[string]uint64
	// Resumed says that an erasure which had been cut off was completed.
	Resumed bool
}

// ErrNothing says that no row names the person.
var ErrNothing = errors.New("nothing in the database names the person")

// HeldError is the error of an erasure that a legal hold forbids.
type HeldError struct{ Holds []Held }

func (e *HeldError) Error() string {
	var parts []string
	for _, h := range e.Holds {
		parts = append(parts, fmt.Sprintf("hold %s of %s (%s)", h.Hold.UID, h.Hold.CreatedBy, h.Hold.Reason))
	}
	return "what names the person is under legal hold: " + strings.Join(parts, "; ") + ". Nothing was changed: release the hold first, if the matter allows it"
}

// maxPasses is how often rows that came meanwhile are gone after.
const maxPasses = 3

type erasure struct {
	Erasing
	store      schema.Store
	subject    Subject
	secret     secret
	journal    entry
	layouts    []layout
	parameters []any
	by         string
}

// Erase takes the person out of the database. It may be killed at any moment: the same
// call again, with the same identifiers, completes it.
func Erase(ctx context.Context, store schema.Store, o Erasing) (Erased, error) {
	e := &erasure{Erasing: o, store: store, subject: o.Subject}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Step == nil {
		e.Step = func(string) {}
	}
	if clustered, err := isCluster(ctx, store); err != nil || clustered {
		return Erased{}, errors.Join(err, errCluster)
	}
	re, err := o.Subject.find()
	if err != nil {
		return Erased{}, err
	}
	if strings.TrimSpace(o.Reason) == "" || re.MatchString(o.Reason) {
		return Erased{}, errors.New("the reason is kept: give one, such as the number of the request, that does not name the person")
	}
	if e.layouts, err = layouts(ctx, store); err != nil {
		return Erased{}, err
	}
	lock, err := lockFolder(o.Folder)
	if err != nil {
		return Erased{}, err
	}
	defer lock.Close()
	resumed, err := e.begin(ctx)
	if err != nil {
		return Erased{}, err
	}
	if e.journal.uid == (schema.UID{}) {
		return Erased{}, ErrNothing
	}
	e.parameters = e.subject.rewriting(e.secret)
	if err := e.run(ctx); err != nil {
		return Erased{}, err
	}
	done := e.done()
	done.Resumed = resumed
	return done, nil
}

func (e *erasure) done() Erased {
	return Erased{UID: e.journal.uid, Began: e.journal.started, By: e.by, Prefix: e.secret.prefix(), Method: e.journal.method, Counts: e.journal.counts}
}

func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lock erasures: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock erasures: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("another erasure is going on: wait for its end")
	}
	return f, nil
}

// begin goes on with the erasure of the same person that was cut off, or begins one.
func (e *erasure) begin(ctx context.Context) (resumed bool, err error) {
	open, err := unfinished(ctx, e.store)
	if err != nil {
		return false, err
	}
	method := "anonymise"
	if e.Delete {
		method = "delete"
	}
	for _, j := range open {
		key, err := readSecret(e.Folder, j.uid)
		switch {
		case err != nil:
			return false, err
		case key == nil && j.state == stateCleaning:
			// All was done but to say so.
			j.state, j.version = stateDone, j.version+1
			if err := j.save(ctx, e.store, e.Now().UTC()); err != nil {
				return false, err
			}
			continue
		case key == nil:
			return false, fmt.Errorf("erasure %s, begun by %s, is not complete, and its secret is not in %s: run it again where it was begun", j.uid, j.actor, e.Folder)
		case e.Subject.fingerprint(key) != j.subjectMAC:
			return false, fmt.Errorf("erasure %s, begun by %s at %s for %q, is not complete: run it again first, with its own identifiers", j.uid, j.actor, j.started.UTC().Format(time.DateTime), j.reason)
		case j.method != method:
			return false, fmt.Errorf("erasure %s was begun with the method %s: complete it with that", j.uid, j.method)
		}
		e.journal, e.secret = j, secret{j.uid, key}
		e.by = e.subject.masked(e.Actor, e.secret)
		return true, nil
	}
	// Nothing is begun for nothing: where a kill left no more to do than to say so, the
	// person is gone already.
	if found, err := Find(ctx, e.store, e.subject); err != nil || len(found) == 0 {
		return false, err
	}
	held, err := Holds(ctx, e.store, e.subject)
	if err != nil {
		return false, err
	}
	if len(held) > 0 {
		return false, &HeldError{held}
	}
	e.secret.key = make([]byte, secretSize)
	_, err = rand.Read(e.secret.uid[:])
	if _, again := rand.Read(e.secret.key); err != nil || again != nil {
		return false, errors.Join(err, again)
	}
	if err := makeSecret(e.Folder, e.secret.uid, e.secret.key); err != nil {
		return false, err
	}
	e.by = e.subject.masked(e.Actor, e.secret)
	e.journal = entry{uid: e.secret.uid, started: e.Now().UTC().Truncate(time.Millisecond), actor: e.by, reason: e.Reason, method: method, state: statePreparing,
		subjectMAC: e.Subject.fingerprint(e.secret.key), counts: map[string]uint64{}}
	return false, e.enter(ctx, statePreparing)
}

func (e *erasure) enter(ctx context.Context, state string) error {
	e.journal.state = state
	e.journal.version++
	return e.journal.save(ctx, e.store, e.Now().UTC())
}

func (e *erasure) run(ctx context.Context) error {
	change := e.change
	if e.Amend != nil {
		change = func(ctx context.Context) error { return e.Amend(ctx, e.journal.uid, e.by, e.change) }
	}
	if err := change(ctx); err != nil {
		return err
	}
	// Afterwards nothing would know any more that it is not recorded yet.
	if e.Record != nil {
		if err := e.Record(ctx, e.done()); err != nil {
			return err
		}
	}
	if err := Destroy(secretPath(e.Folder, e.secret.uid)); err != nil {
		return err
	}
	return e.enter(ctx, stateDone)
}

// change takes the person out of all rows, and the old rows out of the files.
func (e *erasure) change(ctx context.Context) error {
	for pass := 1; e.journal.state != stateCleaning; pass++ {
		if e.journal.state == statePreparing {
			e.Step("looking for the person's rows")
			if err := e.prepare(ctx); err != nil {
				return err
			}
			if err := e.tally(ctx); err != nil {
				return err
			}
			if err := e.enter(ctx, stateRewriting); err != nil {
				return err
			}
		}
		if err := e.rewrite(ctx); err != nil {
			return err
		}
		e.Step("looking whether anything is left")
		left, err := Find(ctx, e.store, e.subject)
		if err != nil {
			return err
		}
		switch {
		case len(left) == 0:
			if err := e.enter(ctx, stateCleaning); err != nil {
				return err
			}
		case pass == maxPasses:
			return fmt.Errorf("rows of the person keep coming (now %d in %s): stop what reads the logs, and run this again", left[0].Rows, left[0].Table)
		default:
			if err := e.enter(ctx, statePreparing); err != nil {
				return err
			}
		}
	}
	e.Step("waiting for the old files to be deleted")
	return e.clean(ctx)
}

// tally counts the rows that this pass changes.
func (e *erasure) tally(ctx context.Context) error {
	rows, err := e.store.Query(ctx, "SELECT toString(name), count() FROM erasure_rows WHERE part != '' OR name != 'events' GROUP BY name")
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	defer rows.Close()
	counts := maps.Clone(e.journal.counts)
	for rows.Next() {
		var name string
		var n uint64
		if err := rows.Scan(&name, &n); err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
		counts[name] += n
	}
	e.journal.counts = counts
	return rows.Err()
}

// touched are the tables in which something was changed.
func (e *erasure) touched() []string { return slices.Sorted(maps.Keys(e.journal.counts)) }
