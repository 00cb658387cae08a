package detectors

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// nameReach is how far before the findings a name is looked for.
const nameReach = 30 * day

// shownNamesQuery tells the names of each day from the digest, by when they were first and
// last shown.
const shownNamesQuery = `SELECT tenant, uid, value AS name, min(event_facets.first) AS first_shown, max(event_facets.last) AS last_shown
FROM event_facets
WHERE kind = 'name' AND day >= toDate({from:DateTime64(3)}) AND day <= toDate({to:DateTime64(3)}) AND uid IN {uids:Array(String)}
GROUP BY tenant, uid, day, name`

// lastNameQuery finds the name that an id showed last in a stretch.
const lastNameQuery = `SELECT argMax(actor_user_name, (time, actor_user_name)) AS name
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND metadata_tenant_uid = {tenant:String}
  AND actor_user_uid IN {uids:Array(String)} AND actor_user_name != ''`

// namedEntity is an entity at the end of a finding's window.
type namedEntity struct {
	tenant, uid string
	from, to    time.Time
}

// nameKey bounds where a finding's entity may have got its name: up to the end of its
// window, whichever windows are evaluated together, and what it is called by now, is not to
// change what a finding says. A name may come from a log that the rule does not read, and
// later than the finding; then the finding is named when its window is evaluated again.
func nameKey(rule Rule, f schema.Finding) namedEntity {
	return namedEntity{f.TenantUID, f.EntityUID, gridWindow(gridIndex(f.FirstSeen.Add(-nameReach), rule.Window), rule.Window).From,
		gridWindow(gridIndex(f.WindowTo.Add(-time.Millisecond), rule.Window), rule.Window).To}
}

// names finds the names of the entities whose rows carried none. A name is that of the last
// event that has one; of those of one moment the greatest.
func (r *Runner) names(ctx context.Context, rule Rule, drafts []draft) (map[namedEntity]string, error) {
	var uids []string
	var from, to time.Time
	seen := map[string]bool{}
	wanted := map[namedEntity]bool{}
	for _, d := range drafts {
		f := d.finding
		if f.Entity != "" || f.EntityUID == "" || f.EntityType == "network" {
			continue
		}
		key := nameKey(rule, f)
		wanted[key] = true
		if !seen[f.EntityUID] {
			seen[f.EntityUID] = true
			uids = append(uids, f.EntityUID)
		}
		if from.IsZero() || key.from.Before(from) {
			from = key.from
		}
		if key.to.After(to) {
			to = key.to
		}
	}
	names := map[namedEntity]string{}
	if len(uids) == 0 {
		return names, nil
	}
	shown := map[[2]string][]shownName{}
	if r.usesDigest() {
		records, err := r.askNames(ctx, shownNamesQuery, from, to, "", uids)
		if err != nil {
			return nil, err
		}
		for _, row := range records {
			key := [2]string{textOf(row["tenant"]), textOf(row["uid"])}
			n := shownName{name: textOf(row["name"])}
			n.first, _ = row["first_shown"].(time.Time)
			n.last, _ = row["last_shown"].(time.Time)
			shown[key] = append(shown[key], n)
		}
	}
	for key := range wanted {
		name, ask := lastShown(shown[[2]string{key.tenant, key.uid}], key.from, key.to)
		begin := key.to.Add(-time.Millisecond).Truncate(day)
		if !r.usesDigest() {
			begin, ask = key.from, true
		}
		if ask {
			records, err := r.askNames(ctx, lastNameQuery, begin, key.to, key.tenant, []string{key.uid})
			if err != nil {
				return nil, err
			}
			name = textOf(records[0]["name"])
		}
		names[key] = name
	}
	return names, nil
}

func (r *Runner) askNames(ctx context.Context, query string, from, to time.Time, tenant string, uids []string) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(maxSeriesRows)
	settings["final"] = 0
	return readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, query,
		clickhouse.DateNamed("from", from, clickhouse.MilliSeconds), clickhouse.DateNamed("to", to, clickhouse.MilliSeconds),
		schema.Named("tenant", tenant), schema.Named("uids", uids))
}

// shownName is a name that an entity had on a day, and when it showed it first and last.
type shownName struct {
	first, last time.Time
	name        string
}

// lastShown is the name that was shown last in [from, to), which is longer than a day. Where
// the day on which it ends goes on and knows several names, only its events can tell.
func lastShown(shown []shownName, from, to time.Time) (name string, unsure bool) {
	var latest time.Time
	goesOn, onLastDay := false, map[string]bool{}
	lastDay := to.Add(-time.Millisecond).Truncate(day)
	for _, s := range shown {
		if s.last.Before(from) || !s.first.Before(to) {
			continue
		}
		last := s.last
		if s.last.UTC().Truncate(day).Equal(lastDay) {
			onLastDay[s.name] = true
			if !last.Before(to) {
				goesOn, last = true, s.first
			}
		}
		if last.After(latest) || last.Equal(latest) && s.name > name {
			latest, name = last, s.name
		}
	}
	return name, goesOn && len(onLastDay) > 1
}
