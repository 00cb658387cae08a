package subject

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// prepare finds out which rows are concerned, and what is put in the place of what. It
// begins anew when it is repeated.
func (e *erasure) prepare(ctx context.Context) error {
	for _, statement := range []string{"DROP TABLE IF EXISTS erasure_rows SYNC", "DROP TABLE IF EXISTS erasure_values SYNC", createRows, createValues} {
		if err := e.store.Exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare the erasure: %w", withoutPerson(err))
		}
	}
	for _, l := range e.layouts {
		var err error
		switch l.name {
		case "events":
			err = e.prepareEvents(ctx, l)
		default:
			err = e.prepareTable(ctx, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *erasure) do(ctx context.Context, what string, parts ...string) error {
	if err := e.store.Exec(named(ctx), strings.Join(parts, "\n"), e.parameters...); err != nil {
		return fmt.Errorf("%s: %w", what, withoutPerson(err))
	}
	return nil
}

func (e *erasure) prepareEvents(ctx context.Context, l layout) error {
	if err := e.do(ctx, "find the person's events", "INSERT INTO erasure_rows (name, part, id, own)",
		"SELECT 'events', toString(toYYYYMMDD(time)) AS part, event_uid, max("+acts()+") FROM events WHERE", l.names(), "GROUP BY part, event_uid"); err != nil {
		return err
	}
	for _, c := range l.columns {
		x := "toString(" + quoted(c.name) + ")"
		unless := "value != ''"
		token := "concat({prefix:String}, '-', lower(substring(hex(sipHash128Keyed(({k0:UInt64}, {k1:UInt64}), value)), 1, 10)))"
		switch c.use {
		case place:
		case tool:
			// Salesforce writes a number for the client of a call, which is nobody's.
			unless = "NOT match(value, '^[0-9.]*$')"
			// Rules look at which program it was; the rest tells people apart.
			token = `concat(trimBoth(replaceRegexpAll(value, '\\([^)]*\\)|(/)[^ ]*', '\\1')), ' (', ` + token + ", ')')"
		default:
			continue
		}
		if err := e.do(ctx, "find out where only the person was", "INSERT INTO erasure_values (kind, value, token)",
			"SELECT 'place', value,", token, "FROM (SELECT", x, "AS value FROM events GROUP BY", quoted(c.name), "HAVING min("+acts()+") = 1 AND", unless, ")",
			"WHERE value NOT IN", places); err != nil {
			return err
		}
	}
	return nil
}

func (e *erasure) prepareTable(ctx context.Context, l layout) error {
	if len(l.naming()) == 0 && !l.has(eventUID) && !l.has(findingUID) && !l.has(alertUID) {
		return nil
	}
	if l.name == "findings" || l.name == "suppressed_findings" {
		if err := e.prepareFindings(ctx, l); err != nil {
			return err
		}
	}
	if l.name == "alerts" {
		if err := e.do(ctx, "find the person's alerts", "INSERT INTO erasure_values (kind, value, token)",
			"SELECT DISTINCT 'alert', toString(alert_uid), toString("+keyed("alert_uid")+") FROM alerts WHERE", l.concerned()); err != nil {
			return err
		}
	}
	own := "0"
	if l.own {
		own = l.names()
	}
	return e.do(ctx, "find what "+l.name+" has of the person", "INSERT INTO erasure_rows (name, part, id, own)",
		"SELECT DISTINCT '"+l.name+"', '',", l.fingerprint()+",", own, "FROM", l.name, "WHERE", l.concerned())
}

// prepareFindings finds the new identities of findings: those that their rules would
// give them, looked they at the same stretch again. Their evidence that is not stored
// any more is replaced too.
func (e *erasure) prepareFindings(ctx context.Context, l layout) error {
	if err := e.do(ctx, "find evidence that is gone", "INSERT INTO erasure_rows (name, part, id, own)",
		"SELECT DISTINCT 'events', '', arrayJoin(evidence) AS uid, 0 FROM", l.name, "WHERE", l.names(), "AND uid NOT IN (SELECT event_uid FROM events)",
		"AND uid NOT IN", knownEvents); err != nil {
		return err
	}
	var entity column
	for _, c := range l.columns {
		if c.name == "entity_uid" {
			entity = c
		}
	}
	query := strings.Join([]string{"SELECT DISTINCT toString(finding_uid), toString(rule), toString(metadata_tenant_uid), toString(metadata_product_name), toString(entity_type), entity_uid, window_from,",
		e.subject.erased(entity, l), "AS new FROM", l.name, "WHERE new != entity_uid"}, "\n")
	rows, err := e.store.Query(named(ctx), query, e.parameters...)
	if err != nil {
		return fmt.Errorf("find the person's findings: %w", withoutPerson(err))
	}
	defer rows.Close()
	type move struct{ from, to string }
	var moves []move
	for rows.Next() {
		var uid, rule, tenant, product, kind, before, entity string
		var from time.Time
		if err := rows.Scan(&uid, &rule, &tenant, &product, &kind, &before, &from, &entity); err != nil {
			return fmt.Errorf("find the person's findings: %w", err)
		}
		moved := schema.RuleFindingUID(rule, tenant, product, kind, entity, from)
		if uid == schema.FindingUID(rule, tenant, kind, before, from).String() {
			// What crmwatch says of itself knows no product.
			moved = schema.FindingUID(rule, tenant, kind, entity, from)
		}
		moves = append(moves, move{uid, moved.String()})
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("find the person's findings: %w", withoutPerson(err))
	}
	if len(moves) == 0 {
		return nil
	}
	batch, err := e.store.PrepareBatch(named(ctx), "INSERT INTO erasure_values (kind, value, token)")
	if err != nil {
		return fmt.Errorf("keep the findings' new identities: %w", err)
	}
	defer batch.Close()
	for _, m := range moves {
		if err := batch.Append("finding", m.from, m.to); err != nil {
			return fmt.Errorf("keep the findings' new identities: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("keep the findings' new identities: %w", err)
	}
	return nil
}
