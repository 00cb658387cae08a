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
// A sharding key names only columns of the table's sorting key: rows that one server
// would make one then come to one shard, whatever else differs in them, such as an app
// that a newer version of crmwatch has learnt to read. All events of a user, and so of
// an integration, share a shard; what names no user is spread.
var shardedBy = map[string]string{
	"events":     "if(actor_user_uid = '', sipHash64(event_uid), sipHash64(actor_user_uid))",
	"quarantine": "sipHash64(x_source_file, x_source_offset)",
}

// Place is where tables are made.
type Place struct {
	// Database holds the tables.
	Database string
	// Cluster is a name out of the servers' remote_servers; empty means one server.
	Cluster string
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Check says whether the names can be written into statements.
func (p Place) Check() error {
	if !plainName.MatchString(p.Database) {
		return fmt.Errorf("the database's name is %q: use letters, digits, dot, dash, underscore", p.Database)
	}
	if p.Cluster != "" && !plainName.MatchString(p.Cluster) {
		return fmt.Errorf("the cluster's name is %q: write it as in the server's remote_servers, of letters, digits, dot, dash, underscore", p.Cluster)
	}
	return nil
}

// table is the table's name in statements. The servers of a cluster run them in a
// database of their own choice, so the name is whole there.
func (p Place) table(name string) string {
	if p.Cluster == "" {
		return name
	}
	return "`" + p.Database + "`." + name
}

func (p Place) onCluster() string {
	if p.Cluster == "" {
		return ""
	}
	return " ON CLUSTER `" + p.Cluster + "`"
}

var (
	createTable = regexp.MustCompile(`(?s)^CREATE TABLE IF NOT EXISTS (\w+)\n(\(\n.*\n\))\nENGINE = ((?:Replacing|Aggregating)?MergeTree)(?:\(([\w, ]+)\))?\n(.*)$`)
	alterTable  = regexp.MustCompile(`(?s)^ALTER TABLE (\w+)\s+((?:ADD|MODIFY|DROP|RENAME|COMMENT) COLUMN .*)$`)
	alterLocal  = regexp.MustCompile(`(?s)^ALTER TABLE (\w+)\s+((?:ADD|DROP|MATERIALIZE) (?:INDEX|PROJECTION) .*|MODIFY (?:TTL|SETTING) .*)$`)
	comment     = regexp.MustCompile(`(?m)^\s*--.*\n`)
)

// Render writes a statement of the migrations for a place. For a cluster, a statement
// of a form that it does not know is an error: a guess would be found out too late.
func Render(statement string, place Place) ([]string, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	if place.Cluster == "" {
		return []string{statement}, nil
	}
	statement = comment.ReplaceAllString(statement, "")
	if m := createTable.FindStringSubmatch(statement); m != nil {
		return place.create(m[1], m[2], m[3], m[4], m[5]), nil
	}
	if m := alterTable.FindStringSubmatch(statement); m != nil {
		statements := []string{place.alter(m[1], m[2])}
		if shardedBy[m[1]] != "" {
			statements = []string{place.alter(m[1]+"_local", m[2]), statements[0]}
		}
		return statements, nil
	}
	if m := alterLocal.FindStringSubmatch(statement); m != nil {
		return []string{place.Alter(m[1], m[2])}, nil
	}
	first, _, _ := strings.Cut(statement, "\n")
	return nil, errors.New("no rule says how this statement is written for a cluster: " + first)
}

// Alter is a statement that changes how the rows of a table are kept, on every server.
// The change is trusted: it must hold no text but schema.Literal of one.
func (p Place) Alter(table, change string) string { return p.alter(p.Stored(table), change) }

// TTLMerges is a statement that stops or starts the merges that delete by age.
func (p Place) TTLMerges(table string, start bool) string {
	verb := "STOP"
	if start {
		verb = "START"
	}
	return "SYSTEM " + verb + " TTL MERGES" + p.onCluster() + " " + p.table(p.Stored(table))
}

// Stored is the table that has the rows: that of a shard, where it is sharded.
func (p Place) Stored(table string) string {
	if p.Cluster != "" && shardedBy[table] != "" {
		return table + "_local"
	}
	return table
}

func (p Place) alter(table, change string) string {
	return "ALTER TABLE " + p.table(table) + p.onCluster() + " " + change
}

func (p Place) create(table, columns, engine, arguments, rest string) []string {
	// A single server keeps its last tokens however old they are; a replicated table
	// forgets them after an hour unless it is told otherwise.
	rest = strings.ReplaceAll(rest, "non_replicated_deduplication_window = ",
		"replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = ")
	replicated := func(name, path, replica string) string {
		all := []string{"'" + path + "'", "'" + replica + "'"}
		if arguments != "" {
			all = append(all, arguments)
		}
		return "CREATE TABLE IF NOT EXISTS " + p.table(name) + p.onCluster() + "\n" + columns +
			"\nENGINE = Replicated" + engine + "(" + strings.Join(all, ", ") + ")\n" + rest
	}
	key := shardedBy[table]
	if key == "" {
		return []string{replicated(table, "/clickhouse/tables/{database}/"+table, "{shard}-{replica}")}
	}
	local := table + "_local"
	return []string{
		replicated(local, "/clickhouse/tables/{shard}/{database}/"+local, "{replica}"),
		"CREATE TABLE IF NOT EXISTS " + p.table(table) + p.onCluster() + " AS " + p.table(local) +
			"\nENGINE = Distributed('" + p.Cluster + "', '" + p.Database + "', '" + local + "',\n    " + key + ")",
	}
}
