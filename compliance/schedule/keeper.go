package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/robfig/cron/v3"
)

// Options of a Keeper. Ledger and, where there are schedules, Build are needed.
type Options struct {
	Ledger    *chain.Ledger
	Schedules []Schedule
	Build     BuildFunc
	// Announcers are those whom schedules can name.
	Announcers []alerting.Announcer
	// CatchUp is how many periods of a schedule are made at most after a stop, the latest
	// ones; 0 means 31. What is older is named in the chain as not made.
	CatchUp int
	// Kept is for how long what the chain covers is kept, as the configuration has it: the
	// chain says so, and what goes by its age is then not missing.
	Kept chain.RetentionContent
	// Host is where the files are, for messages.
	Host string
	// Lease is asked before each step that others see. Nil where there is only one.
	Lease func() error
	// Clock is time.Now by default.
	Clock func() time.Time
	Log   *slog.Logger
}

// Keeper makes the summaries of schedules, gives what was kept its entry in the chain,
// and tells of it. One process may have one on a database: the one that leads.
type Keeper struct {
	store   schema.Store
	options Options
	times   []cron.Schedule
	// done is up to when the periods of each line are made or skipped; nil is not read yet.
	done map[line]time.Time
	// covered is when the history of alerts got its last entry.
	covered time.Time
	tenants tenants
	// troubles are what was logged, so that it is once.
	troubles map[string]string
}

// line is what a schedule makes of one tenant.
type line struct {
	tenant string
	kind   compliance.PeriodKind
}

// errNotMade marks what went wrong with one summary, which says nothing about the next.
var errNotMade = errors.New("a summary was not made")

type tenants struct {
	known []string
	at    time.Time
}

const (
	// stepEvery is how often a keeper looks whether there is something to do.
	stepEvery = 5 * time.Second
	// alertsEvery is how often the history of alerts gets an entry, where there is any.
	alertsEvery = time.Hour
	// tenantsEvery is how often it is asked which tenants there are.
	tenantsEvery = 10 * time.Minute
)

// New makes a keeper. Its schedules must be in order; see ParseAt.
func New(store schema.Store, o Options) (*Keeper, error) {
	if o.CatchUp <= 0 {
		o.CatchUp = 31
	}
	if o.Lease == nil {
		o.Lease = func() error { return nil }
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{store: store, options: o, troubles: map[string]string{}}
	for _, s := range o.Schedules {
		at, err := ParseAt(s.At)
		if err != nil {
			return nil, fmt.Errorf("schedule of %s summaries: %w", s.Kind, err)
		}
		k.times = append(k.times, at)
	}
	return k, nil
}

// Run does what is due until ctx ends. What goes wrong is logged once, and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		if err := k.recovered(ctx); err != nil && ctx.Err() == nil {
			k.trouble("summaries", err)
		} else {
			k.trouble("summaries", nil)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(stepEvery):
		}
	}
}

// recovered is Step, with a panic as an error: summaries are not to end the monitor.
func (k *Keeper) recovered(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			k.done = nil
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return k.Step(ctx)
}

// trouble logs an error unless it is the one that was logged last.
func (k *Keeper) trouble(what string, err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	if k.troubles[what] == said {
		return
	}
	k.troubles[what] = said
	if err != nil {
		k.options.Log.Error("work on summaries does not succeed, it is tried again", "what", what, "error", err)
	}
}

// Step does once all that is due: entries in the chain, summaries, messages.
func (k *Keeper) Step(ctx context.Context) error {
	if err := k.options.Lease(); err != nil {
		return err
	}
	var failed []error
	if _, err := k.options.Ledger.Summaries(ctx); err != nil {
		failed = append(failed, err)
	} else if err := k.make(ctx); err != nil {
		failed = append(failed, err)
	}
	if now := k.options.Clock(); now.Sub(k.covered) >= alertsEvery || now.Before(k.covered) {
		if _, err := k.options.Ledger.Alerts(ctx); err != nil {
			failed = append(failed, err)
		} else {
			k.covered = now
		}
	}
	if err := k.tell(ctx); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// make makes every summary that is due, the oldest first.
func (k *Keeper) make(ctx context.Context) (err error) {
	if len(k.options.Schedules) == 0 && k.done != nil {
		return nil
	}
	defer func() {
		if err != nil {
			// What was stored and not answered is found when it is read again.
			k.done = nil
		}
	}()
	now := k.options.Clock().UTC()
	if k.done == nil {
		if err := k.read(ctx); err != nil {
			return err
		}
		if err := k.options.Ledger.Retention(ctx, k.options.Kept); err != nil {
			return err
		}
		if err := k.end(ctx, now); err != nil {
			return err
		}
	}
	if len(k.options.Schedules) == 0 {
		return nil
	}
	if err := k.readTenants(ctx, now); err != nil {
		return err
	}
	if err := k.endWhole(ctx, now); err != nil {
		return err
	}
	type task struct {
		schedule int
		line     line
		period   compliance.Period
	}
	var due []task
	for i, s := range k.options.Schedules {
		for _, tenant := range k.tenantsOf(s) {
			l := line{tenant, s.Kind}
			periods, err := k.due(ctx, i, l, now)
			if err != nil {
				return err
			}
			for _, p := range periods {
				due = append(due, task{i, l, p})
			}
		}
	}
	slices.SortStableFunc(due, func(a, b task) int { return a.period.To.Compare(b.period.To) })
	stuck := map[line]bool{}
	var failed []error
	for _, t := range due {
		if stuck[t.line] {
			continue
		}
		if err := k.one(ctx, k.options.Schedules[t.schedule], t.line, t.period); err != nil {
			if !errors.Is(err, errNotMade) {
				return err
			}
			// The periods of this line come in their order; others go on.
			stuck[t.line] = true
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// one makes one summary.
func (k *Keeper) one(ctx context.Context, s Schedule, l line, p compliance.Period) error {
	if err := k.options.Lease(); err != nil {
		return err
	}
	began := k.options.Clock()
	made, err := Make(ctx, k.store, k.options.Build, k.options.Clock, Order{
		Tenant: l.tenant, Period: p, Formats: s.Formats, Directory: s.Directory, Sent: k.sent(s), By: "crmwatch", For: chain.MadeForSchedule, PublicKey: k.options.Ledger.PublicKey(),
		Prepare: func(ctx context.Context, kept chain.Summary) error {
			if err := k.options.Lease(); err != nil {
				return err
			}
			return k.notify(ctx, kept, s.Notify)
		},
	})
	if err != nil {
		return fmt.Errorf("%w: %s of tenant %q: %w", errNotMade, Label(p), l.tenant, err)
	}
	k.done[l] = p.To
	if _, err := k.options.Ledger.Summaries(ctx); err != nil {
		return err
	}
	k.options.Log.Info("a summary was made", "tenant", l.tenant, "period", Label(p), "summary_uid", made.Kept.UID.String(), "version", made.Kept.Version, "files", len(made.Kept.Files),
		"took", k.options.Clock().Sub(began))
	return nil
}

// due lists the periods of a line that are to be made now. It begins a line that is new,
// with the last period that is over, and skips what is too much.
func (k *Keeper) due(ctx context.Context, schedule int, l line, now time.Time) ([]compliance.Period, error) {
	from, begun := k.done[l]
	if !begun {
		current, err := compliance.PeriodAt(l.kind, now)
		if err != nil {
			return nil, err
		}
		first := current.Before()
		if err := k.state(ctx, l, chain.ScheduleBegun, first.From); err != nil {
			return nil, err
		}
		from = first.From
		k.done[l] = from
	}
	p, err := compliance.PeriodAt(l.kind, from)
	if err != nil {
		return nil, err
	}
	if p.From.Before(from) {
		p = next(p)
	}
	var due []compliance.Period
	for ; ; p = next(p) {
		if at := ready(k.times[schedule], p); at.IsZero() || at.After(now) || p.To.After(now) {
			break
		}
		due = append(due, p)
	}
	if extra := len(due) - k.options.CatchUp; extra > 0 {
		skipped := chain.SkippedContent{
			Tenant: l.tenant, Period: string(l.kind), From: due[0].From, To: due[extra-1].To, Periods: extra,
			Reason: fmt.Sprintf("crmwatch did not run, and catches up with %d periods at most", k.options.CatchUp),
		}
		uid := schema.HashUID("skipped", l.tenant, string(l.kind), skipped.From.Format(time.RFC3339), skipped.To.Format(time.RFC3339))
		if _, err := k.options.Ledger.Append(ctx, chain.KindSkipped, uid, 0, skipped); err != nil {
			return nil, err
		}
		k.options.Log.Warn("summaries are not made, because there are more than catch_up", "tenant", l.tenant, "period", l.kind, "from", Label(due[0]), "to", Label(due[extra-1]), "periods", extra)
		k.done[l] = skipped.To
		due = due[extra:]
	}
	return due, nil
}

// tenantsOf are those of whom a schedule makes summaries: of a schedule without a list
// each that has events, or the installation as a whole where no event names one.
func (k *Keeper) tenantsOf(s Schedule) []string {
	if s.Tenants != nil {
		return s.Tenants
	}
	all := slices.Clone(k.tenants.known)
	for l := range k.done {
		// Whoever once had events is asked about still: that there are none any more is news.
		if l.kind == s.Kind && !slices.Contains(all, l.tenant) {
			all = append(all, l.tenant)
		}
	}
	if len(all) == 0 {
		return []string{""}
	}
	slices.Sort(all)
	return all
}

// endWhole ends the summaries of the installation as a whole, where tenants have become
// known and no list asks for them.
func (k *Keeper) endWhole(ctx context.Context, now time.Time) error {
	if len(k.tenants.known) == 0 || slices.Contains(k.tenants.known, "") {
		return nil
	}
	for _, s := range k.options.Schedules {
		whole := line{"", s.Kind}
		if _, begun := k.done[whole]; !begun || s.Tenants != nil {
			continue
		}
		if err := k.state(ctx, whole, chain.ScheduleEnded, now.Truncate(time.Millisecond)); err != nil {
			return err
		}
		delete(k.done, whole)
	}
	return nil
}

func (k *Keeper) readTenants(ctx context.Context, now time.Time) error {
	if !k.tenants.at.IsZero() && now.Sub(k.tenants.at) < tenantsEvery && !now.Before(k.tenants.at) {
		return nil
	}
	if !slices.ContainsFunc(k.options.Schedules, func(s Schedule) bool { return s.Tenants == nil }) {
		return nil
	}
	var found []string
	err := k.store.QueryRow(ctx, `SELECT arraySort(groupUniqArray(1000)(toString(metadata_tenant_uid))) FROM events WHERE metadata_product_name != 'crmwatch'`).Scan(&found)
	if err != nil {
		return fmt.Errorf("ask which tenants there are: %w", err)
	}
	k.tenants.known, k.tenants.at = found, now
	return nil
}

// state says in the chain that a line begins or ends.
func (k *Keeper) state(ctx context.Context, l line, state string, from time.Time) error {
	subject := schema.HashUID("schedule", l.tenant, string(l.kind))
	var version uint64
	if err := k.store.QueryRow(ctx, "SELECT max(subject_version) FROM evidence_chain WHERE kind = 'schedule' AND subject_uid = {subject:UUID}",
		schema.Named("subject", subject.String())).Scan(&version); err != nil {
		return fmt.Errorf("read evidence chain: %w", err)
	}
	_, err := k.options.Ledger.Append(ctx, chain.KindSchedule, subject, version+1, chain.ScheduleContent{Tenant: l.tenant, Period: string(l.kind), From: from, State: state})
	return err
}

// read finds out how far each line has come.
func (k *Keeper) read(ctx context.Context) error {
	progress, err := chain.ReadProgress(ctx, k.store)
	if err != nil {
		return err
	}
	k.done = map[line]time.Time{}
	for _, p := range progress {
		k.done[line{p.Tenant, compliance.PeriodKind(p.Period)}] = p.UpTo
	}
	return nil
}

// end says in the chain which lines no schedule makes any more.
func (k *Keeper) end(ctx context.Context, now time.Time) error {
	var over []line
	for l := range k.done {
		if !slices.ContainsFunc(k.options.Schedules, func(s Schedule) bool { return s.Kind == l.kind && s.serves(l.tenant) }) {
			over = append(over, l)
		}
	}
	slices.SortFunc(over, func(a, b line) int {
		return strings.Compare(a.tenant+"\x00"+string(a.kind), b.tenant+"\x00"+string(b.kind))
	})
	for _, l := range over {
		if err := k.state(ctx, l, chain.ScheduleEnded, now.Truncate(time.Millisecond)); err != nil {
			return err
		}
		delete(k.done, l)
	}
	return nil
}
