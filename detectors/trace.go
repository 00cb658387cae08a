package detectors

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// trace is what a finding's events say of where they came from and who is in them.
type trace struct {
	addresses []string
	// users and apps are the names of each of the events; nil where the evidence does not
	// show all events, so that others may name somebody else.
	users, apps [][]string
}

// wholeList is the length below which a finding's list of addresses has all of them: no
// rule cuts its list at less.
const wholeList = 5

// maxAddresses bounds what is looked at; what came from more is not covered.
const maxAddresses = 1000

const traceQuery = `SELECT DISTINCT toString(src_endpoint_ip) AS address,
    [toString(actor_user_uid), toString(actor_user_name), toString(actor_user_email_addr)] AS users,
    [toString(actor_app_uid), toString(actor_app_name), toString(x_actor_client_name), toString(session_credential_uid)] AS apps
FROM events
WHERE time >= {from:DateTime64(3)} AND time <= {to:DateTime64(3)}
    AND metadata_tenant_uid = {tenant:String} AND toString(event_uid) IN {uids:Array(String)}`

// likeQuery finds all addresses of events such as those of the evidence: of the same
// kind, with the same outcome and actor.
const likeQuery = `SELECT DISTINCT toString(src_endpoint_ip) AS address
FROM events
WHERE time >= {from:DateTime64(3)} AND time <= {to:DateTime64(3)} AND metadata_tenant_uid = {tenant:String} AND src_endpoint_ip != ''
    AND (class_uid, activity_id, status_id, actor_user_uid, actor_user_name, actor_app_uid, session_credential_uid) IN
    (
        SELECT class_uid, activity_id, status_id, actor_user_uid, actor_user_name, actor_app_uid, session_credential_uid
        FROM events
        WHERE time >= {from:DateTime64(3)} AND time <= {to:DateTime64(3)}
            AND metadata_tenant_uid = {tenant:String} AND toString(event_uid) IN {uids:Array(String)}
    )
LIMIT {most:UInt64}`

// applyExceptions marks what the rule's exceptions cover.
func (r *Runner) applyExceptions(ctx context.Context, rule Rule, findings []schema.Finding) error {
	if len(rule.Exceptions) == 0 {
		return nil
	}
	for i, f := range findings {
		t, err := r.traceOf(ctx, rule, f)
		if err != nil {
			return fmt.Errorf("apply exceptions to rule %s: %w", rule.ID, err)
		}
		findings[i] = except(rule, f, t)
	}
	return nil
}

// traceOf reads what the exceptions of a rule ask for about one finding.
func (r *Runner) traceOf(ctx context.Context, rule Rule, f schema.Finding) (t trace, err error) {
	if len(f.Evidence) == 0 {
		return t, nil
	}
	uids := make([]string, len(f.Evidence))
	for i, uid := range f.Evidence {
		uids[i] = uid.String()
	}
	ask := func(query string) ([]record, error) {
		ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
		defer cancel()
		settings := r.readerSettings(maxResultRows)
		settings["final"] = 0
		return readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, query,
			clickhouse.DateNamed("from", f.FirstSeen, clickhouse.MilliSeconds), clickhouse.DateNamed("to", f.LastSeen, clickhouse.MilliSeconds),
			schema.Named("tenant", f.TenantUID), schema.Named("uids", uids), schema.Named("most", uint64(maxAddresses+1)))
	}
	records, err := ask(traceQuery)
	if err != nil {
		return t, err
	}
	whole := f.Count <= uint64(len(f.Evidence))
	for _, row := range records {
		t.addresses = append(t.addresses, textOf(row["address"]))
		if whole {
			users, _ := row["users"].([]string)
			apps, _ := row["apps"].([]string)
			t.users, t.apps = append(t.users, users), append(t.apps, apps)
		}
	}
	listed := addressesOf(f)
	t.addresses = append(t.addresses, listed...)
	byNetwork := slices.ContainsFunc(rule.Exceptions, func(e Exception) bool { return e.Networks != nil })
	if byNetwork && !whole && (len(listed) == 0 || len(listed) >= wholeList) {
		if records, err = ask(likeQuery); err != nil {
			return t, err
		}
		if len(records) > maxAddresses {
			records = append(records, record{"address": "more"})
		}
		for _, row := range records {
			t.addresses = append(t.addresses, textOf(row["address"]))
		}
	}
	// Not every log has an address in every row.
	t.addresses = slices.DeleteFunc(t.addresses, func(a string) bool { return a == "" })
	return t, nil
}

// addressAttributes are the columns in which rules list the addresses that a finding is
// about.
var addressAttributes = []string{"address", "addresses", "addresses_new", "addresses_used"}

func addressesOf(f schema.Finding) (addresses []string) {
	for _, name := range addressAttributes {
		for address := range strings.SplitSeq(f.Attributes[name], ", ") {
			if _, err := ParseNetwork(address); err == nil {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}
