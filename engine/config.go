package engine

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// Layout of a data directory: engine.lock, endpoint.json, config/ (written at each start), store/ (ClickHouse's own).
const (
	storeDirectory  = "store"
	configDirectory = "config"
)

// serverConfig is the engine's configuration file. The thread pools are for a machine that does other work too: ClickHouse's
// own sizes (128 threads only to delete old parts) are for a server of its own. Without it chDB would read ./config.xml or the user's own
// ClickHouse client configuration. It opens no port in any case.
const serverConfig = `<clickhouse>
  <path>%[1]s/</path>
  <tmp_path>%[1]s/tmp/</tmp_path>
  <users_config>%[2]s</users_config>
  <max_server_memory_usage>%[3]d</max_server_memory_usage>
  <max_server_memory_usage_to_ram_ratio>0.9</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>%[4]d</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>%[5]d</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <max_thread_pool_free_size>32</max_thread_pool_free_size>
  <max_io_thread_pool_size>16</max_io_thread_pool_size>
  <max_active_parts_loading_thread_pool_size>4</max_active_parts_loading_thread_pool_size>
  <max_outdated_parts_loading_thread_pool_size>2</max_outdated_parts_loading_thread_pool_size>
  <max_unexpected_parts_loading_thread_pool_size>2</max_unexpected_parts_loading_thread_pool_size>
  <max_parts_cleaning_thread_pool_size>2</max_parts_cleaning_thread_pool_size>
  <max_prefixes_deserialization_thread_pool_size>8</max_prefixes_deserialization_thread_pool_size>
  <max_format_parsing_thread_pool_size>8</max_format_parsing_thread_pool_size>
  <database_catalog_drop_table_concurrency>2</database_catalog_drop_table_concurrency>
  <default_database></default_database>
  <database>system</database>
  <max_open_files>65536</max_open_files>
  <timezone>UTC</timezone>
</clickhouse>
`

// defaultDatabase makes "default" an ordinary database. chDB would lay one over it in which every file of the machine is
// a table; server.xml turns that off with its empty default_database, but chDB's connections need the name.
const defaultDatabase = "ATTACH DATABASE _ UUID '%s'\nENGINE = Atomic\n"

// usersConfig gives every chDB session (they are all the user "default") two roles. Both are active at first; a reader's
// connection gives up the first one with SET ROLE before it sees the reader's statement, and SET ROLE is refused then.
//
// async_insert would acknowledge rows that are only in memory, and retries of it are not deduplicated. optimize_on_insert
// merges each block in memory before it is written: for 85 columns that costs 10 CPU seconds per million rows on top of 2,
// and readers of a ReplacingMergeTree have to ask for FINAL all the same.
//
// The constraints close the settings through which a statement could reach files or bring SQL in a string.
const usersConfig = `<clickhouse>
  <profiles><default>
    <max_threads>%d</max_threads>
    <async_insert>0</async_insert>
    <optimize_on_insert>0</optimize_on_insert>
    <allow_introspection_functions>0</allow_introspection_functions>
    <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
    <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
    <http_max_tries>1</http_max_tries>
    <implicit_select>0</implicit_select>
    <constraints>
      <format_schema><const/></format_schema>
      <output_format_schema><const/></output_format_schema>
      <format_template_row><const/></format_template_row>
      <format_template_resultset><const/></format_template_resultset>
      <dialect><const/></dialect>
    </constraints>
  </default></profiles>
  <roles>
    <crmwatch><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></crmwatch>
    <reader><grants><query>GRANT SELECT, SHOW, dictGet, CHECK ON *.*</query></grants></reader>
  </roles>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants><query>GRANT crmwatch</query><query>GRANT reader</query></grants>
  </default></users>
  <quotas><default></default></quotas>
</clickhouse>
`

// prepareDirectory makes the data directory and what the engine must find in it, with mode 0700.
func prepareDirectory(dir string) error {
	for _, part := range []string{"", configDirectory, storeDirectory, filepath.Join(storeDirectory, "metadata")} {
		if err := os.MkdirAll(filepath.Join(dir, part), 0o700); err != nil {
			return fmt.Errorf("create data directory: %w", err)
		}
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	return lock.Close()
}

// writeConfig writes the configuration and returns the arguments of the first chdb_connect. The caller holds the lock.
func writeConfig(o *ServeOptions) (arguments []string, err error) {
	store, config := filepath.Join(o.Dir, storeDirectory), filepath.Join(o.Dir, configDirectory)
	users, server := filepath.Join(config, "users.xml"), filepath.Join(config, "server.xml")
	var storeText, usersText strings.Builder
	if err := errors.Join(xml.EscapeText(&storeText, []byte(store)), xml.EscapeText(&usersText, []byte(users))); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	files := map[string]string{
		users:  fmt.Sprintf(usersConfig, o.Threads),
		server: fmt.Sprintf(serverConfig, storeText.String(), usersText.String(), o.Memory, o.Memory/20, max(2, o.Threads/2)),
	}
	database := filepath.Join(store, "metadata", "default.sql")
	if !isFile(database) {
		files[database] = fmt.Sprintf(defaultDatabase, uuid.NewString())
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write configuration: %w", err)
		}
	}
	return []string{"crmwatch", "--path=" + store, "--config-file=" + server}, nil
}
