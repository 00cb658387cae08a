package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// Applied is what an Apply did.
type Applied struct {
	Policy  Policy
	Holds   []hold.Hold
	Changes []Change
}

// rounds bounds how often a change is followed by another because holds or the policy
// were changed by somebody else meanwhile.
const rounds = 20

// Apply brings a policy, and the holds that stand, into the tables. What is there already
// is not done again. A nil policy is the one that was applied last. by says who asks.
//
// Holds and policies may be changed by several at once: each looks again when it is done,
// so that the last has them all.
func Apply(ctx context.Context, store schema.Store, policy *Policy, rules []detectors.Rule, by audit.Record, at time.Time) (Applied, error) {
	var done Applied
	last, told, err := Stored(ctx, store)
	if err != nil {
		return done, err
	}
	if policy != nil {
		if err := remember(ctx, store, last, *policy, by, at); err != nil {
			return done, err
		}
		last = *policy
	}
	if last.Empty() && !told {
		// Nothing was ever told: a TTL that somebody set by hand is none of ours.
		return done, nil
	}
	for range rounds {
		if done.Holds, err = hold.Active(ctx, store); err != nil {
			return done, err
		}
		done.Policy = last
		changes, err := Plan(ctx, store, last, rules, done.Holds)
		if err != nil {
			return done, err
		}
		if len(changes) == 0 {
			return done, resume(ctx, store)
		}
		if err := carryOut(ctx, store, changes); err != nil {
			return done, err
		}
		done.Changes = append(done.Changes, changes...)
		if last, _, err = Stored(ctx, store); err != nil {
			return done, err
		}
	}
	return done, errors.New("apply the retention: several crmwatch change it in turn: give all of them the same configuration")
}

// carryOut changes tables. Meanwhile they delete nothing by age: parts that do not know
// their new times yet would be dropped by the old ones. Who dies in between leaves them
// so, which keeps too much and nothing less, and the next Apply starts them again.
func carryOut(ctx context.Context, store schema.Store, changes []Change) error {
	place, err := schema.FindPlace(ctx, store)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := store.Exec(ctx, place.TTLMerges(c.Table, false)); err != nil {
			return fmt.Errorf("stop deleting from %s by age: %w", c.Table, err)
		}
		for _, s := range c.Statements {
			if err := store.Exec(ctx, s); err != nil {
				return fmt.Errorf("change how long %s is kept: %w", c.Table, err)
			}
		}
	}
	return nil
}

// resume lets the tables delete by age again, but for those of which not every part knows
// its times yet.
func resume(ctx context.Context, store schema.Store) error {
	place, err := schema.FindPlace(ctx, store)
	if err != nil {
		return err
	}
	has, err := readNow(ctx, store)
	if err != nil {
		return err
	}
	var unfinished []string
	if err := store.QueryRow(ctx, "SELECT groupUniqArray(table) FROM system.mutations WHERE database = currentDatabase() AND NOT is_done AND command LIKE '%MATERIALIZE TTL%'").Scan(&unfinished); err != nil {
		return fmt.Errorf("look for changes that go on: %w", err)
	}
	for i := range tables {
		name := place.Stored(tables[i].name)
		if _, there := has[name]; !there || slices.Contains(unfinished, name) {
			continue
		}
		if err := store.Exec(ctx, place.TTLMerges(tables[i].name, true)); err != nil {
			return fmt.Errorf("delete from %s by age again: %w", tables[i].name, err)
		}
	}
	return nil
}

// Hold makes a hold and brings it into the tables. From when it returns, nothing that the
// hold covers and that is still there is deleted, whether crmwatch runs or not.
func Hold(ctx context.Context, store schema.Store, h hold.Hold, rules []detectors.Rule, by audit.Record, now time.Time) error {
	if err := h.Check(); err != nil {
		return err
	}
	place, err := schema.FindPlace(ctx, store)
	if err != nil {
		return err
	}
	has, err := readNow(ctx, store)
	if err != nil {
		return err
	}
	// Before the hold is known to anybody: what is due is not deleted any more.
	for _, name := range hold.Tables() {
		if _, there := has[place.Stored(name)]; !there {
			continue
		}
		if err := store.Exec(ctx, place.TTLMerges(name, false)); err != nil {
			return fmt.Errorf("stop deleting from %s by age: %w", name, err)
		}
	}
	err = hold.Save(ctx, store, h, now)
	if err == nil {
		_, err = Apply(ctx, store, nil, rules, by, now)
	}
	return errors.Join(err, resume(ctx, store))
}

// Release ends a hold: what it covered and is due is deleted from then on.
func Release(ctx context.Context, store schema.Store, h hold.Hold, rules []detectors.Rule, by audit.Record, now time.Time) error {
	if err := hold.Save(ctx, store, h, now); err != nil {
		return err
	}
	_, err := Apply(ctx, store, nil, rules, by, now)
	return err
}

// nothing is the rule of a policy without rules.
const nothing What = "nothing"

// Stored is the policy that was applied last; told says whether there ever was one.
func Stored(ctx context.Context, store schema.Store) (p Policy, told bool, err error) {
	rows, err := store.Query(ctx, `SELECT what, metadata_tenant_uid, class_uid, keep_s FROM retention_rules
WHERE version = (SELECT max(version) FROM retention_rules)`)
	if err != nil {
		return p, false, fmt.Errorf("read the retention: %w", err)
	}
	defer rows.Close()
	var list []Rule
	for rows.Next() {
		var r Rule
		var what string
		var keep uint64
		if err := rows.Scan(&what, &r.Tenant, &r.Class, &keep); err != nil {
			return p, false, fmt.Errorf("read the retention: %w", err)
		}
		told = true
		if r.What = What(what); r.What == nothing {
			continue
		}
		if keep != 0 && (keep < uint64(least/time.Second) || keep > uint64(most/time.Second)) || schema.CheckLiteral(r.Tenant) != nil {
			return p, false, fmt.Errorf("read the retention: the table retention_rules has a rule that no configuration can make, for %s", what)
		}
		r.Keep = time.Duration(keep) * time.Second
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return p, false, fmt.Errorf("read the retention: %w", err)
	}
	return NewPolicy(list...), told, nil
}

// remember stores a policy that differs from the last, and writes who changed it.
func remember(ctx context.Context, store schema.Store, last, p Policy, by audit.Record, now time.Time) error {
	if last.String() == p.String() {
		return nil
	}
	settings := clickhouse.Settings{"async_insert": 0, "session_timezone": "UTC"}
	batch, err := store.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(settings)),
		"INSERT INTO retention_rules (version, applied_at, applied_by, what, metadata_tenant_uid, class_uid, keep_s)")
	if err != nil {
		return fmt.Errorf("save the retention: %w", err)
	}
	defer batch.Close()
	list := p.rules
	if len(list) == 0 {
		list = []Rule{{What: nothing}}
	}
	for _, r := range list {
		if err := batch.Append(uint64(now.UnixMicro()), now.UTC(), by.Actor, string(r.What), r.Tenant, r.Class, uint64(r.Keep/time.Second)); err != nil {
			return fmt.Errorf("save the retention: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save the retention: %w", err)
	}
	by.At, by.Action, by.ObjectType, by.Object = now, "retention.change", "retention", ""
	by.Detail = "Kept from now on: " + p.String() + ". Before: " + last.String() + "."
	return audit.Write(ctx, store, by)
}
