package enginetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/schema"
)

// The clusters that the tests' engine knows. It reaches no network, so each of their
// shards is the engine itself, and a shard has no replica and no Keeper.
const (
	// OneShard behaves as a cluster with one shard does.
	OneShard = "one_shard"
	// TwoShards is planned as two shards are, but both read and write the same tables: a
	// query finds each row twice.
	TwoShards = "two_shards"
)

const clusterConfig = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers>
    <one_shard>%[1]s</one_shard>
    <two_shards>%[1]s%[1]s</two_shards>
  </remote_servers>
</clickhouse>
`

const shardConfig = `<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>9000</port></replica></shard>`

// writeClusters puts the clusters where ClickHouse adds them to its configuration.
func writeClusters(dir string) error {
	folder := filepath.Join(dir, "config", "conf.d")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("configure the tests' clusters: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "clusters.xml"), fmt.Appendf(nil, clusterConfig, shardConfig), 0o600); err != nil {
		return fmt.Errorf("configure the tests' clusters: %w", err)
	}
	return nil
}

var (
	onCluster        = regexp.MustCompile(" ON CLUSTER `\\w+`")
	replicatedEngine = regexp.MustCompile(`ENGINE = Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?`)
	replicatedWindow = regexp.MustCompile(`replicated_deduplication_window_seconds = \d+, replicated_(deduplication_window)`)
)

// OpenCluster returns a connection to a new database with the tables that a cluster
// gets, made by the same statements, but for what needs a Keeper: they are not
// replicated. Its settings are those of every connection to a server.
func OpenCluster(t testing.TB, cluster string) driver.Conn {
	t.Helper()
	admin, name := OpenDatabase(t)
	migrations, err := schema.MigrationNames()
	if err != nil {
		t.Fatal(err)
	}
	script, err := schema.Script(schema.Place{Database: name, Cluster: cluster}, migrations)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range script {
		statement = onCluster.ReplaceAllString(statement, "")
		statement = replicatedEngine.ReplaceAllString(statement, "ENGINE = $1(")
		statement = replicatedWindow.ReplaceAllString(statement, "non_replicated_$1")
		if strings.Contains(statement, "Replicated") {
			t.Fatalf("this statement needs a Keeper:\n%s", statement)
		}
		if err := admin.Exec(context.Background(), statement); err != nil {
			t.Fatalf("make a cluster's tables: %v\n%s", err, statement)
		}
	}
	options, err := Start(t).Endpoint().ClientOptions(engine.Admin)
	if err != nil {
		t.Fatalf("open the engine: %v", err)
	}
	options.Auth.Database, options.Settings = name, schema.ServerSettings()
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatalf("open the engine: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
