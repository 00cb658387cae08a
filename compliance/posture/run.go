package posture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Options say what is looked at.
type Options struct {
	// Days is the length of the period; 0 is 30.
	Days int
	// Tenant restricts it to one; nil is all.
	Tenant *string
	// Now is the present: an event that claims to be later does not end the period.
	Now time.Time
	// QueryTimeout bounds each check, 0 is two minutes; QueryMemory the bytes that each
	// may use, 0 is 2 GiB.
	QueryTimeout time.Duration
	QueryMemory  uint64
}

// maxThings bounds what one check may return.
const maxThings = 100_000

// row is one thing that a check looked at.
type row struct {
	tenant, product, thing, verdict, says string
	events                                uint64
	first, last                           time.Time
}

// place is the logs of one product of one tenant.
type place struct{ tenant, product string }

// Run asks all checks of what the store holds. The report has no results where there are
// no events. A check that cannot run is judged as such, with the reason; the error is
// what keeps any from running.
func Run(ctx context.Context, store schema.Store, shared Shared, checks []Check, o Options) (Report, error) {
	o = o.filled()
	at, places, err := o.look(ctx, store)
	report := Report{RanAt: o.Now.UTC(), From: at.From, To: at.To, Results: []Result{}}
	if err != nil || len(places) == 0 {
		return report, err
	}
	for _, c := range checks {
		var rows []row
		unset := c.unset()
		if len(unset) == 0 {
			if rows, err = o.ask(ctx, store, shared, c, at); err != nil {
				if ctx.Err() != nil {
					return report, ctx.Err()
				}
				report.Results = append(report.Results, c.failed(places, err, c.repeat(shared, at))...)
				continue
			}
		}
		report.Results = append(report.Results, c.judge(places, rows, unset, c.repeat(shared, at))...)
	}
	report.sort()
	return report, nil
}

func (o Options) filled() Options {
	if o.Days == 0 {
		o.Days = 30
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.QueryTimeout == 0 {
		o.QueryTimeout = 2 * time.Minute
	}
	if o.QueryMemory == 0 {
		o.QueryMemory = 2 << 30
	}
	return o
}

// context bounds one query, and keeps it to reading each event once.
func (o Options) context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, o.QueryTimeout)
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"final": 1, "do_not_merge_across_partitions_select_final": 1, "optimize_move_to_prewhere_if_final": 1, "readonly": 2, "max_memory_usage": o.QueryMemory,
		"max_result_rows": maxThings, "result_overflow_mode": "throw", "session_timezone": "UTC",
	})), cancel
}

// tenants are those that are looked at; none is all.
func (o Options) tenants() []string {
	if o.Tenant == nil {
		return []string{}
	}
	return []string{*o.Tenant}
}

// AuditProduct is the product of the events about crmwatch itself, which are not judged.
const AuditProduct = "crmwatch"

// look finds the period, which ends with the latest event, and the places in it.
func (o Options) look(ctx context.Context, store schema.Store) (period, []place, error) {
	ctx, cancel := o.context(ctx)
	defer cancel()
	var latest time.Time
	var events uint64
	err := store.QueryRow(ctx, `SELECT max(time), count() FROM events WHERE time <= {now:DateTime64(3)} AND metadata_product_name != {audit:String}
    AND (empty({tenants:Array(String)}) OR metadata_tenant_uid IN {tenants:Array(String)})`,
		clickhouse.DateNamed("now", o.Now, clickhouse.MilliSeconds), schema.Named("audit", AuditProduct), schema.Named("tenants", o.tenants())).Scan(&latest, &events)
	if err != nil || events == 0 {
		return period{}, nil, wrap("find the latest event", err)
	}
	to := latest.UTC().Add(time.Millisecond)
	at := period{To: to, From: to.Add(-time.Duration(o.Days) * 24 * time.Hour), HistoryFrom: to.Add(-history)}
	rows, err := store.Query(ctx, `SELECT DISTINCT metadata_tenant_uid, metadata_product_name FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND metadata_product_name != {audit:String}
    AND (empty({tenants:Array(String)}) OR metadata_tenant_uid IN {tenants:Array(String)})
ORDER BY 1, 2`,
		clickhouse.DateNamed("from", at.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", at.To, clickhouse.MilliSeconds),
		schema.Named("audit", AuditProduct), schema.Named("tenants", o.tenants()))
	if err != nil {
		return at, nil, wrap("list the products", err)
	}
	defer rows.Close()
	var places []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.tenant, &p.product); err != nil {
			return at, nil, wrap("list the products", err)
		}
		places = append(places, p)
	}
	return at, places, wrap("list the products", rows.Err())
}

// ask runs a check's query.
func (o Options) ask(ctx context.Context, store schema.Store, shared Shared, c Check, at period) (found []row, err error) {
	ctx, cancel := o.context(ctx)
	defer cancel()
	args := []any{clickhouse.DateNamed("from", at.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", at.To, clickhouse.MilliSeconds),
		clickhouse.DateNamed("history_from", at.HistoryFrom, clickhouse.MilliSeconds), schema.Named("audit", AuditProduct), schema.Named("tenants", o.tenants())}
	for _, p := range shared.Params {
		args = append(args, schema.Named(p.Name, p.Value))
	}
	for _, p := range c.Params {
		args = append(args, schema.Named(p.Name, p.Value))
	}
	rows, err := store.Query(ctx, `SELECT toString(tenant), toString(product), toString(thing), toString(verdict), toString(says), toUInt64(events), toDateTime64(first_seen, 3, 'UTC'), toDateTime64(last_seen, 3, 'UTC')
FROM
(
`+shared.with(c.Query)+`
)
WHERE product != {audit:String} AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.tenant, &r.product, &r.thing, &r.verdict, &r.says, &r.events, &r.first, &r.last); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
