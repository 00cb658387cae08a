package schema

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A cluster has the same tables as one server, made from the same migrations. What
// grows with the logs is sharded: NAME_local holds a shard's part, and NAME is the
// Distributed table over it, which everybody reads and writes. The small tables are
// replicated to every server as they are, so that all see the same alerts.
//
// The sharding key depends on the row alone, so an event that arrives again comes to
// the same shard, where its event_uid makes it one. All events of an integration share
// a shard; what names neither user nor app is spread by address.
var shardedBy = map[string]string{
	"events": "cityHash64(metadata_tenant_uid, metadata_product_name, actor_app_uid, actor_user_uid, " +
		"if(actor_app_uid = '' AND actor_user_uid = '', src_endpoint_ip, ''))",
	"quarantine": "cityHash64(x_source_file, x_source_offset)",
}

var clusterName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// CheckCluster says whether a cluster may be called so in statements.
func CheckCluster(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("the cluster's name is %q: write it as in the server's remote_servers, of letters, digits, dot, dash, underscore", name)
	}
	return nil
}

var (
	createTable = regexp.MustCompile(`(?s)^CREATE TABLE IF NOT EXISTS (\w+)\n(\(\n.*\n\))\nENGINE = ((?:Replacing)?MergeTree)(?:\(([\w, ]+)\))?\n(.*)$`)
	alterTable  = regexp.MustCompile(`(?s)^ALTER TABLE (\w+)\s+((?:ADD|MODIFY|DROP|RENAME|COMMENT) COLUMN .*)$`)
	alterLocal  = regexp.MustCompile(`(?s)^ALTER TABLE (\w+)\s+((?:ADD|DROP|MATERIALIZE) (?:INDEX|PROJECTION) .*|MODIFY (?:TTL|SETTING) .*)$`)
	comment     = regexp.MustCompile(`(?m)^\s*--.*\n`)
)

// ForCluster renders a statement of the migrations for a cluster. A statement of a
// form that it does not know is an error: a guess would be found out too late.
func ForCluster(statement, cluster string) ([]string, error) {
	if err := CheckCluster(cluster); err != nil {
		return nil, err
	}
	on := " ON CLUSTER `" + cluster + "`"
	if m := createTable.FindStringSubmatch(statement); m != nil {
		return createOnCluster(m[1], m[2], m[3], m[4], m[5], cluster, on), nil
	}
	if m := alterTable.FindStringSubmatch(statement); m != nil {
		if shardedBy[m[1]] == "" {
			return []string{"ALTER TABLE " + m[1] + on + " " + m[2]}, nil
		}
		return []string{"ALTER TABLE " + m[1] + "_local" + on + " " + m[2], "ALTER TABLE " + m[1] + on + " " + m[2]}, nil
	}
	if m := alterLocal.FindStringSubmatch(statement); m != nil {
		table := m[1]
		if shardedBy[table] != "" {
			table += "_local"
		}
		return []string{"ALTER TABLE " + table + on + " " + m[2]}, nil
	}
	first, _, _ := strings.Cut(statement, "\n")
	return nil, errors.New("no rule says how this statement is written for a cluster: " + first)
}

func createOnCluster(table, columns, engine, arguments, rest, cluster, on string) []string {
	rest = strings.ReplaceAll(rest, "non_replicated_deduplication_window", "replicated_deduplication_window")
	replicated := func(name, path, replica string) string {
		all := []string{"'" + path + "'", "'" + replica + "'"}
		if arguments != "" {
			all = append(all, arguments)
		}
		return "CREATE TABLE IF NOT EXISTS " + name + on + "\n" + columns + "\nENGINE = Replicated" + engine + "(" + strings.Join(all, ", ") + ")\n" + rest
	}
	key := shardedBy[table]
	if key == "" {
		return []string{replicated(table, "/clickhouse/tables/{database}/"+table, "{shard}-{replica}")}
	}
	local := table + "_local"
	return []string{
		replicated(local, "/clickhouse/tables/{shard}/{database}/"+local, "{replica}"),
		"CREATE TABLE IF NOT EXISTS " + table + on + " AS " + local + "\nENGINE = Distributed('" + cluster + "', currentDatabase(), '" + local + "',\n    " + key + ")",
	}
}

// Statements are all statements that make the tables, in order: for one server, or for
// a cluster if it is named.
func Statements(cluster string) ([]string, error) {
	steps, err := Migrations()
	if err != nil {
		return nil, err
	}
	all, err := render(createMigrationsTable, cluster)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		for _, statement := range step.Statements {
			rendered, err := render(statement, cluster)
			if err != nil {
				return nil, fmt.Errorf("migration %s: %w", step.Name, err)
			}
			all = append(all, rendered...)
		}
	}
	return all, nil
}

func render(statement, cluster string) ([]string, error) {
	if cluster == "" {
		return []string{statement}, nil
	}
	return ForCluster(comment.ReplaceAllString(statement, ""), cluster)
}
