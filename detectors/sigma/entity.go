package sigma

import (
	"slices"
	"strings"
)

// entity is whom a finding is about: the first of the columns that is filled.
type entity struct {
	kind    string
	columns []string
	// name is the column with the name, or nothing.
	name string
}

var entities = map[string]entity{
	"user":        {"user", []string{"actor_user_uid", "actor_user_name", "actor_app_uid", "src_endpoint_ip"}, "actor_user_name"},
	"integration": {"integration", []string{"actor_app_uid", "actor_app_name", "session_credential_uid", "actor_user_uid", "actor_user_name", "src_endpoint_ip"}, "actor_app_name"},
	"network":     {"network", []string{"src_endpoint_ip", "http_request_x_forwarded_for"}, ""},
}

// nobody is the entity of events that name none.
const nobody = "the whole organisation"

var (
	userColumns    = []string{"actor_user_uid", "actor_user_name", "actor_user_email_addr", "user_uid", "user_name"}
	appColumns     = []string{"actor_app_uid", "actor_app_name", "x_actor_client_name", "session_credential_uid"}
	addressColumns = []string{"src_endpoint_ip", "x_src_endpoint_network", "http_request_x_forwarded_for"}
)

// entityOf chooses the entity by what the rule looks at: a rule that names apps is
// about an app, one that names users about a user; else the log tells.
func (d *detection) entityOf() entity {
	users, apps := false, false
	d.where.matches(func(m *match) {
		users = users || slices.Contains(userColumns, m.field.column)
		apps = apps || slices.Contains(appColumns, m.field.column)
	})
	switch {
	case users:
		return entities["user"]
	case apps:
		return entities["integration"]
	}
	return entities[d.source.entity]
}

// sql is the entity's id.
func (e entity) sql() string {
	var out strings.Builder
	out.WriteString("multiIf(")
	for _, column := range e.columns {
		out.WriteString(column + " != '', " + column + ", ")
	}
	out.WriteString("'" + nobody + "')")
	return out.String()
}

// of is the entity's id in an event.
func (e entity) of(row event) string {
	for _, column := range e.columns {
		if row[column] != "" {
			return row[column]
		}
	}
	return nobody
}

// ordinary is an event of everyday life of the entity in a log.
func (e entity) ordinary(src source) event {
	row := event{"metadata_tenant_uid": "acme", "src_endpoint_ip": "203.0.113.7"}
	switch e.kind {
	case "user":
		row["actor_user_uid"], row["actor_user_name"] = "u-1001", "alice@acme.example"
	case "integration":
		row["actor_app_uid"], row["actor_app_name"] = "app-17", "Warehouse Sync"
	}
	for _, c := range src.where {
		row[c.column] = c.values[0]
	}
	return row
}
