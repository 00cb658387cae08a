package posture

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Caller is an integration that was seen, for an inventory that is to be begun.
type Caller struct {
	Name, Product string
	// Account says that Name is a user's; otherwise it is an app's, a client's or a key's.
	Account bool
	Events  uint64
	Last    time.Time
}

// Callers lists the integrations of a report's period, the busiest first.
func Callers(ctx context.Context, store schema.Store, shared Shared, o Options, r Report) ([]Caller, error) {
	o = o.filled()
	ctx, cancel := o.context(ctx)
	defer cancel()
	args := []any{clickhouse.DateNamed("from", r.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", r.To, clickhouse.MilliSeconds), schema.Named("tenants", o.tenants())}
	for _, p := range shared.Params {
		args = append(args, schema.Named(p.Name, p.Value))
	}
	rows, err := store.Query(ctx, shared.with(`SELECT who, product, max(actor_user_name != '' OR actor_user_uid != '') > 0, toUInt64(count()) AS n, max(time)
FROM calls
INNER JOIN (SELECT tenant, product, who FROM accounts WHERE kind = 'integration') AS integrations USING (tenant, product, who)
WHERE empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)}
GROUP BY who, product
ORDER BY n DESC, who
LIMIT 200`), args...)
	if err != nil {
		return nil, wrap("list the integrations", err)
	}
	defer rows.Close()
	var callers []Caller
	for rows.Next() {
		var c Caller
		if err := rows.Scan(&c.Name, &c.Product, &c.Account, &c.Events, &c.Last); err != nil {
			return nil, wrap("list the integrations", err)
		}
		callers = append(callers, c)
	}
	return callers, wrap("list the integrations", rows.Err())
}

// InventoryYAML is what can be pasted into the configuration, once it was checked.
func InventoryYAML(callers []Caller, plain func(string) string) string {
	lists := map[bool][]string{}
	for _, c := range callers {
		name := plain(c.Name)
		if strings.Contains(name, " # ") {
			continue // what an inventory cannot hold
		}
		quoted := "\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + "\""
		lists[c.Account] = append(lists[c.Account], fmt.Sprintf("      - %s   # %s, %d calls, last %s", quoted, strings.ReplaceAll(plain(c.Product), "#", ""), c.Events, c.Last.UTC().Format("2006-01-02")))
	}
	var b strings.Builder
	b.WriteString("inventory:\n")
	for _, kind := range []struct {
		account bool
		name    string
	}{{true, "  users:\n    service-accounts:\n"}, {false, "  apps:\n    integrations:\n"}} {
		if len(lists[kind.account]) > 0 {
			b.WriteString(kind.name + strings.Join(lists[kind.account], "\n") + "\n")
		}
	}
	return b.String()
}
