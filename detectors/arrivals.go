package detectors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Arrival is what a rule found in the windows that new rows touched.
type Arrival struct {
	Rule string
	// ArrivedFrom (exclusive) and ArrivedTo (inclusive) are arrival times: the rows
	// that were looked at.
	ArrivedFrom, ArrivedTo time.Time
	// Windows are the grid windows of event time that were evaluated.
	Windows  []Window
	Findings []schema.Finding
	// Suppressed are what the rule's exceptions keep from being findings.
	Suppressed []schema.Finding
	// LatenessMedian and LatenessMax say how late the rows came: arrival less event
	// time.
	LatenessMedian, LatenessMax time.Duration
	// Cost is what looking cost the engine.
	Cost schema.QueryCost

	// watermark is the name under which it is kept.
	watermark string
	// fresh is what arrived for a rule that keeps a state. scope is, for each entity
	// that was judged by it, the start of the first window for which Findings says all.
	fresh ruleState
	scope map[seriesKey]time.Time
	// horizon is what may still be judged.
	horizon *horizon
}

// Arrivals evaluates the windows that rows touched which arrived since the rule's
// watermark and settled before now: their own, and those that look back to them.
// It changes nothing in the store; Commit moves the watermark.
func (r *Runner) Arrivals(ctx context.Context, rule Rule, now time.Time) (a Arrival, err error) {
	ctx, meter := schema.MeasureCost(ctx)
	defer func() {
		a.Cost = meter.Cost()
		a.Findings = slices.DeleteFunc(a.Findings, func(f schema.Finding) bool { return a.horizon.passed(f.TenantUID, f.WindowFrom, f.WindowTo) })
		a.Findings, a.Suppressed = parted(a.Findings)
	}()
	from, found, err := r.arrived(ctx, rule, now)
	if err != nil {
		return Arrival{}, err
	}
	a = Arrival{Rule: rule.ID, ArrivedFrom: from, ArrivedTo: from, watermark: rule.stateName(), horizon: r.horizonOf(rule, now)}
	if found.latest.IsZero() {
		return a, nil
	}
	arrived := found.windows
	a.LatenessMedian, a.LatenessMax = found.median, found.longest
	// The last arrival seen, not the clock: a clock that runs ahead for a while must
	// not carry the watermark past rows that are still to come.
	a.ArrivedTo = found.latest
	if len(arrived) == 0 {
		return a, nil
	}
	if rule.Kind.remembers() {
		return r.stateArrivals(ctx, rule, a, arrived)
	}
	holding, err := r.windowsAround(ctx, rule, arrived, found.newest)
	if err != nil {
		return a, err
	}
	touched := touchedWindows(arrived, holding, rule.Window, rule.reach(), rule.overhang())
	if a.Findings, err = r.evaluate(ctx, rule, touched, func() {}); err != nil {
		return a, err
	}
	for _, index := range touched {
		a.Windows = append(a.Windows, gridWindow(index, rule.Window))
	}
	return a, nil
}

// Watermark is the arrival time up to which a rule has looked at rows; 1970 for a
// rule that never ran. A rule that keeps a state goes by the name of its state.
func (r *Runner) Watermark(ctx context.Context, rule string) (time.Time, error) {
	var at time.Time
	err := r.store.QueryRow(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"session_timezone": "UTC"})),
		"SELECT max(watermark) FROM watermarks WHERE rule = {rule:String}", schema.Named("rule", rule)).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("read watermark of rule %s: %w", rule, err)
	}
	return at.UTC(), nil
}

// Commit records that an arrival has been dealt with: it is added to the state of a
// rule that keeps one, and the next Arrivals begins after it.
func (r *Runner) Commit(ctx context.Context, a Arrival) error {
	if !a.ArrivedTo.After(a.ArrivedFrom) {
		return nil
	}
	if err := r.saveState(ctx, a.watermark, a.fresh); err != nil {
		return err
	}
	err := r.store.Exec(writing(ctx), `INSERT INTO watermarks (rule, version, watermark)
SELECT {rule:String}, {version:UInt64}, {watermark:DateTime64(3)}`,
		schema.Named("rule", a.watermark), schema.Named("version", uint64(a.ArrivedTo.UnixMilli())),
		clickhouse.DateNamed("watermark", a.ArrivedTo, clickhouse.MilliSeconds))
	if err != nil {
		return fmt.Errorf("save watermark of rule %s: %w", a.Rule, err)
	}
	return nil
}

// Wake is one scheduled run of a rule: look at what has arrived, save the
// findings, hand them on, and only then move the watermark. Whatever fails, the
// next run begins at the same arrivals.
func (r *Runner) Wake(ctx context.Context, rule Rule) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	started := r.options.Clock()
	arrival, err := r.Arrivals(ctx, rule, started)
	if err == nil {
		err = r.settle(ctx, arrival)
	}
	if err == nil {
		r.ran.Store(rule.ID, started)
	}
	return errors.Join(err, r.recordRun(ctx, rule, started, arrival, err))
}

// settle saves and hands on what an arrival found, then commits it.
func (r *Runner) settle(ctx context.Context, a Arrival) error {
	if r.options.Lease != nil {
		if err := r.options.Lease(); err != nil {
			return fmt.Errorf("settle what rule %s found: %w", a.Rule, err)
		}
	}
	findings, err := replaceFindings(ctx, r.store, a, r.options.Clock())
	if err != nil {
		return err
	}
	if err := replaceSuppressed(ctx, r.store, a, r.options.Clock()); err != nil {
		return err
	}
	if r.options.OnFindings != nil && len(findings) > 0 {
		if err := r.options.OnFindings(ctx, findings); err != nil {
			return fmt.Errorf("hand on findings of rule %s: %w", a.Rule, err)
		}
	}
	return r.Commit(ctx, a)
}

// recordRun keeps what a run did. A run over no new arrival leaves no row.
func (r *Runner) recordRun(ctx context.Context, rule Rule, started time.Time, a Arrival, cause error) error {
	if cause == nil && len(a.Windows) == 0 {
		return nil
	}
	text := ""
	if cause != nil {
		text = cause.Error()
	}
	// The run's own cancellation must not hide what it was doing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := r.store.Exec(writing(ctx), `INSERT INTO rule_runs (rule, started_at, duration_ms, arrived_from, arrived_to, windows, findings, error,
    queries, read_rows, read_bytes, memory_bytes, lateness_median_s, lateness_max_s, suppressed, noted)
SELECT {rule:String}, {started_at:DateTime64(3)}, {duration_ms:UInt32}, {arrived_from:DateTime64(3)}, {arrived_to:DateTime64(3)}, {windows:UInt32}, {findings:UInt32}, {error:String},
    {queries:UInt32}, {read_rows:UInt64}, {read_bytes:UInt64}, {memory_bytes:UInt64}, {lateness_median:UInt32}, {lateness_max:UInt32},
    {suppressed:UInt32}, {noted:UInt32}`,
		schema.Named("rule", rule.ID), clickhouse.DateNamed("started_at", started, clickhouse.MilliSeconds),
		schema.Named("duration_ms", uint32(max(0, r.options.Clock().Sub(started).Milliseconds()))),
		clickhouse.DateNamed("arrived_from", orEpoch(a.ArrivedFrom), clickhouse.MilliSeconds),
		clickhouse.DateNamed("arrived_to", orEpoch(a.ArrivedTo), clickhouse.MilliSeconds),
		schema.Named("windows", uint32(len(a.Windows))), schema.Named("findings", uint32(len(a.Findings))), schema.Named("error", text),
		schema.Named("queries", a.Cost.Queries), schema.Named("read_rows", a.Cost.ReadRows), schema.Named("read_bytes", a.Cost.ReadBytes),
		schema.Named("memory_bytes", a.Cost.MemoryBytes),
		schema.Named("lateness_median", seconds(a.LatenessMedian)), schema.Named("lateness_max", seconds(a.LatenessMax)),
		schema.Named("suppressed", uint32(len(a.Suppressed))), schema.Named("noted", noted(a.Findings)))
	if err != nil {
		return fmt.Errorf("record run of rule %s: %w", rule.ID, err)
	}
	return nil
}

// seconds is a duration as rule_runs keeps it.
func seconds(d time.Duration) uint32 { return uint32(min(d/time.Second, math.MaxUint32)) }

// orEpoch is 1970 for the zero time, which ClickHouse has no room for.
func orEpoch(at time.Time) time.Time {
	if at.IsZero() {
		return time.UnixMilli(0)
	}
	return at
}

// writing is the context of an insert: in one block, visible when it returns.
func writing(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0, "session_timezone": "UTC"}))
}
