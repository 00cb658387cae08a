package detectors

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmwatch/crmwatch/schema"
)

// parallelWindows is how many windows of a rule are evaluated at once.
const parallelWindows = 2

// Options are what a Runner needs besides the store and the rules; the zero value
// of each field stands for what is written beside it.
type Options struct {
	// Clock tells the time: time.Now. It stamps findings and runs, and bounds what
	// has arrived; what is found does not depend on it.
	Clock func() time.Time
	// Settle is how long after its arrival a row is looked at, so that inserts that
	// began earlier and end later are not passed over: 15 s. Below 0 means none.
	Settle time.Duration
	// QueryTimeout and QueryMemory bound each query of a rule: 3 min, 2 GiB. What
	// groups more than half of that goes on on disk.
	QueryTimeout time.Duration
	QueryMemory  uint64
	// OnFindings is given what a scheduled run found, before the run counts as
	// done: when it fails, the same arrivals are looked at again. Findings that were
	// given before come again when their window is evaluated again.
	OnFindings func(context.Context, []schema.Finding) error
	// OnSuppressed is told what the exceptions of a rule suppress in a Scan or Replay; what
	// they suppress in a scheduled run is stored.
	OnSuppressed func([]schema.Finding)
	// Horizon says how long events are kept, so that what begins to go is left as it was
	// found. Nothing: for ever.
	Horizon Horizon
	// OwnEngine says that nobody else has much read by the engine: then what it counts
	// during a scheduled run is what the run has cost. Otherwise the summaries of the
	// answers are summed, which leave out subqueries.
	OwnEngine bool
	// Lease is asked before a scheduled run changes what is stored: its error says that
	// another instance does that now. Nothing: this one always may.
	Lease func() error
	// Progress is told how many of how many windows Scan has evaluated.
	Progress func(done, total int)
	// Log takes what Run cannot return.
	Log *slog.Logger
}

// Runner evaluates rules against a store.
type Runner struct {
	store   schema.Store
	rules   []Rule
	options Options
	// turn lets one scheduled run work at a time: the engine uses all cores itself.
	turn chan struct{}
	// began is when the runner was made, ran when each rule ran last and well.
	began time.Time
	ran   sync.Map
	// rounds are what has arrived for rules that have not asked yet.
	rounds rounds
}

// NewRunner makes a runner; it starts nothing.
func NewRunner(store schema.Store, rules []Rule, options Options) *Runner {
	if options.Clock == nil {
		options.Clock = time.Now
	}
	switch {
	case options.Settle == 0:
		options.Settle = 15 * time.Second
	case options.Settle < 0:
		options.Settle = 0
	}
	if options.QueryTimeout == 0 {
		options.QueryTimeout = 3 * time.Minute
	}
	if options.QueryMemory == 0 {
		options.QueryMemory = 2 << 30
	}
	if options.Log == nil {
		options.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return &Runner{store: store, rules: rules, options: options, turn: make(chan struct{}, 1), began: options.Clock()}
}

// Rules lists the runner's rules.
func (r *Runner) Rules() []Rule { return slices.Clone(r.rules) }

// Evaluate runs a rule over every grid window that meets [from, to), in event
// time, and returns its findings in the order of their first event. The same
// events give the same findings, whatever order they arrived in.
func (r *Runner) Evaluate(ctx context.Context, rule Rule, from, to time.Time) ([]schema.Finding, error) {
	if err := r.digest(ctx); err != nil {
		return nil, err
	}
	all, err := r.evaluate(ctx, rule, gridWindows(from, to, rule.Window), func() {})
	findings, _ := parted(all)
	return findings, err
}

// Scan runs every rule over all event time in the store. Findings are in the
// order of their first event.
func (r *Runner) Scan(ctx context.Context) ([]schema.Finding, error) { return r.scan(ctx, nil) }

// Replay is Scan over the grid windows that hold events within a stretch of event
// time. Nothing is stored and nobody is told, so it can be done with rules that
// are only being tried.
func (r *Runner) Replay(ctx context.Context, within Window) ([]schema.Finding, error) {
	return r.scan(ctx, &within)
}

func (r *Runner) scan(ctx context.Context, within *Window) ([]schema.Finding, error) {
	type job struct {
		rule    Rule
		windows []int64
	}
	if err := r.digest(ctx); err != nil {
		return nil, err
	}
	var jobs []job
	total, done := 0, 0
	for _, rule := range r.rules {
		windows, err := r.windowsHolding(ctx, rule, within)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job{rule, windows})
		total += len(windows)
	}
	var findings []schema.Finding
	for _, j := range jobs {
		found, err := r.evaluate(ctx, j.rule, j.windows, func() {
			done++
			if r.options.Progress != nil {
				r.options.Progress(done, total)
			}
		})
		if err != nil {
			return nil, err
		}
		kept, suppressed := parted(found)
		findings = append(findings, kept...)
		if r.options.OnSuppressed != nil && len(suppressed) > 0 {
			r.options.OnSuppressed(suppressed)
		}
	}
	sortFindings(findings)
	return findings, nil
}

// evaluate runs a rule over grid windows and completes the findings.
func (r *Runner) evaluate(ctx context.Context, rule Rule, windows []int64, step func()) ([]schema.Finding, error) {
	var drafts []draft
	var err error
	switch {
	case rule.Kind == KindSpike:
		drafts, err = r.spikes(ctx, rule, windows, step)
	case rule.Kind.remembers():
		drafts, err = r.remembered(ctx, rule, windows, step)
	default:
		drafts, err = r.matches(ctx, rule, windows, step)
	}
	if err != nil {
		return nil, err
	}
	findings, err := r.finish(ctx, rule, drafts)
	if err == nil && rule.Kind == KindSpike {
		findings = together(rule, findings)
	}
	return findings, err
}

// matches runs a query rule over grid windows, a few at a time: planning a small
// query keeps one core busy.
func (r *Runner) matches(ctx context.Context, rule Rule, windows []int64, step func()) ([]draft, error) {
	all := len(windows)
	windows, err := r.screen(ctx, rule, windows)
	if err != nil {
		return nil, err
	}
	for range all - len(windows) {
		step()
	}
	found := make([][]draft, len(windows))
	var steps sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelWindows)
	for i, index := range windows {
		group.Go(func() error {
			window := gridWindow(index, rule.Window)
			records, err := r.read(ctx, rule, window.From, window.To, map[string]any{"lookback_from": window.From.Add(-rule.Lookback)})
			if err == nil {
				found[i], err = draftsOf(rule, window, records)
			}
			if err != nil {
				return fmt.Errorf("evaluate rule %s over %s: %w", rule.ID, window.From.Format(time.RFC3339), err)
			}
			steps.Lock()
			defer steps.Unlock()
			step()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func sortFindings(findings []schema.Finding) {
	slices.SortFunc(findings, func(a, b schema.Finding) int {
		if c := a.FirstSeen.Compare(b.FirstSeen); c != 0 {
			return c
		}
		return slices.Compare(a.UID[:], b.UID[:])
	})
}
