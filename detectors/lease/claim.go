package lease

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// The states of a claim.
const (
	candidate = "candidate"
	leader    = "leader"
)

// claim is what one instance said last in one term; all times are the server's.
type claim struct {
	term             uint64
	holder, state    string
	since, at, until time.Time
}

func (c claim) leads(now time.Time) bool { return c.state == leader && c.until.After(now) }

func (c claim) stands(now time.Time) bool {
	return c.state == candidate && c.at.Add(candidacy).After(now)
}

// view is the claims of the last terms, and the server's time at which they were read.
type view struct {
	now    time.Time
	claims []claim
}

// The time comes also where nothing is claimed, as a claim of term 0.
const readClaims = `SELECT if({pretended:Int64} = 0, now64(3, 'UTC'), fromUnixTimestamp64Milli({pretended:Int64}, 'UTC')) AS now, *
FROM
(
    SELECT toUInt64(0) AS term, '' AS holder, '' AS state, toDateTime64(0, 3, 'UTC') AS since, toDateTime64(0, 3, 'UTC') AS at, toDateTime64(0, 3, 'UTC') AS until
    UNION ALL
    SELECT term, holder, toString(state), min(leaders.since), max(leaders.at), argMax(leaders.until, leaders.at)
    FROM leaders
    WHERE name = {name:String}
        AND term + 50 > (SELECT max(term) FROM leaders WHERE name = {name:String})
    GROUP BY term, holder, state
)
ORDER BY term, since, holder`

func (l *Lease) read(ctx context.Context) (v view, err error) {
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	rows, err := l.store.Query(ctx, readClaims, schema.Named("name", l.name), schema.Named("pretended", l.serverTime()))
	if err != nil {
		return v, fmt.Errorf("read who leads: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c claim
		if err := rows.Scan(&v.now, &c.term, &c.holder, &c.state, &c.since, &c.at, &c.until); err != nil {
			return v, fmt.Errorf("read who leads: %w", err)
		}
		if c.term > 0 {
			v.claims = append(v.claims, c)
		}
	}
	if err := rows.Err(); err != nil {
		return v, fmt.Errorf("read who leads: %w", err)
	}
	return v, nil
}

// write says that this instance stands or leads, for so long from now by the server's
// clock.
func (l *Lease) write(ctx context.Context, state string, length time.Duration) error {
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	err := l.store.Exec(ctx, `INSERT INTO leaders (name, term, holder, state, since, at, until)
WITH if({pretended:Int64} = 0, now64(3, 'UTC'), fromUnixTimestamp64Milli({pretended:Int64}, 'UTC')) AS now
SELECT {name:String}, {term:UInt64}, {holder:String}, {state:String},
    if(said.since > toDateTime64(0, 3), said.since, now), now, now + toIntervalMillisecond({length:UInt64})
FROM (SELECT min(since) AS since FROM leaders WHERE name = {name:String} AND term = {term:UInt64} AND holder = {holder:String} AND state = {state:String}) AS said`,
		schema.Named("name", l.name), schema.Named("term", l.term), schema.Named("holder", l.holder), schema.Named("state", state),
		schema.Named("length", uint64(length.Milliseconds())), schema.Named("pretended", l.serverTime()))
	if err != nil {
		return fmt.Errorf("write that this instance is %s: %w", state, err)
	}
	return nil
}

// bounded is a context for one statement: neither here nor on the server may it take
// longer than WriteWithin.
func (l *Lease) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, WriteWithin)
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "session_timezone": "UTC", "max_execution_time": WriteWithin.Seconds(),
	})), cancel
}
