package hold

import (
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// table says by which columns a table tells what a hold asks for. What a table does not
// know is taken to be held.
type table struct {
	// from and to are the first and last moment that a row tells of.
	from, to                string
	tenant, product, class  string
	users, entities, within []string
}

// userColumns are where an event names somebody.
var userColumns = []string{"actor_user_uid", "actor_user_name", "actor_user_email_addr", "user_uid", "user_name"}

var tables = map[string]table{
	"events": {
		from: "time", to: "time", tenant: "metadata_tenant_uid", product: "metadata_product_name", class: "class_uid", users: userColumns,
		entities: slices.Concat(userColumns, []string{"actor_app_uid", "actor_app_name", "x_actor_client_name", "actor_session_uid", "session_credential_uid", "src_endpoint_ip", "x_src_endpoint_network"}),
	},
	"findings": {
		from: "first_seen", to: "last_seen", tenant: "metadata_tenant_uid", product: "metadata_product_name",
		users: []string{"entity_uid", "entity"}, entities: []string{"entity_uid", "entity"}, within: []string{"message"},
	},
	"suppressed_findings": {
		from: "first_seen", to: "last_seen", tenant: "metadata_tenant_uid", product: "metadata_product_name",
		users: []string{"entity_uid", "entity"}, entities: []string{"entity_uid", "entity"}, within: []string{"message"},
	},
	"alerts": {
		from: "first_seen", to: "last_seen", tenant: "metadata_tenant_uid",
		users: []string{"entity_uid", "entity"}, entities: []string{"entity_uid", "entity"}, within: []string{"title"},
	},
	// A record was there before it arrived, and nobody knows when else.
	"quarantine": {to: "ingested_at", within: []string{"content", "x_source_file"}},
	// These know no more of an alert than its id.
	"alert_transitions": {to: "at"},
	"alert_requests":    {to: "requested_at"},
	"notifications":     {to: "updated_at"},
}

// Tables lists the tables whose rows can be held.
func Tables() []string {
	return []string{"events", "quarantine", "findings", "suppressed_findings", "alerts", "alert_transitions", "alert_requests", "notifications"}
}

// Condition is an expression over a table's columns, in SQL: whether one of the holds
// covers a row. It is made of literals, because table expressions take no parameters, and
// can be negated as it is. Holds that were released cover nothing; what no hold can cover
// has the condition 0. The holds have to pass Check.
func Condition(name string, holds []Hold) string {
	known, can := tables[name]
	if !can {
		return "0"
	}
	var covered []string
	for i := range holds {
		if holds[i].Stands() {
			covered = append(covered, known.condition(&holds[i]))
		}
	}
	switch len(covered) {
	case 0:
		return "0"
	case 1:
		return covered[0]
	}
	slices.Sort(covered)
	return "(" + strings.Join(slices.Compact(covered), " OR ") + ")"
}

func (t *table) condition(h *Hold) string {
	var all []string
	equal := func(column, value string) {
		if column != "" && value != "" {
			all = append(all, "("+column+" = "+schema.Literal(value)+")")
		}
	}
	equal(t.tenant, h.Tenant)
	equal(t.product, h.Product)
	if t.class != "" && h.Class != 0 {
		all = append(all, "("+t.class+" = "+schema.ClassText(h.Class)+")")
	}
	if who := t.names(h.Users, t.users); who != "" {
		all = append(all, who)
	}
	if who := t.names(h.Entities, t.entities); who != "" {
		all = append(all, who)
	}
	if !h.From.IsZero() && t.to != "" {
		all = append(all, "("+t.to+" >= "+moment(h.From)+")")
	}
	if !h.To.IsZero() && t.from != "" {
		all = append(all, "("+t.from+" < "+moment(h.To)+")")
	}
	switch len(all) {
	case 0:
		return "1"
	case 1:
		return all[0]
	}
	return "(" + strings.Join(all, " AND ") + ")"
}

// names asks whether a row names one of several, in columns of names or within texts.
func (t *table) names(wanted, columns []string) string {
	if len(wanted) == 0 || len(columns)+len(t.within) == 0 {
		return ""
	}
	lower := make([]string, len(wanted))
	for i, name := range wanted {
		lower[i] = strings.ToLower(strings.TrimSpace(name))
	}
	slices.Sort(lower)
	lower = slices.Compact(lower)
	var any []string
	for _, column := range columns {
		any = append(any, "(lowerUTF8("+column+") IN "+schema.Literals(lower)+")")
	}
	for _, column := range t.within {
		for _, name := range lower {
			any = append(any, "(positionCaseInsensitiveUTF8("+column+", "+schema.Literal(name)+") > 0)")
		}
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

func moment(at time.Time) string {
	return "toDateTime64('" + at.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}
