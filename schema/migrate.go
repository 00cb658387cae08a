package schema

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration is one step of the database schema: a file of statements.
type Migration struct {
	Name       string
	Statements []string
}

// Migrations lists the steps in the order in which they are applied.
func Migrations() ([]Migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	sort.Strings(names)
	steps := make([]Migration, 0, len(names))
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		steps = append(steps, Migration{
			Name:       strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql"),
			Statements: splitStatements(string(text)),
		})
	}
	return steps, nil
}

// splitStatements cuts a migration file at the semicolons that end its lines, and
// drops comment lines, which may hold semicolons of their own.
func splitStatements(text string) []string {
	var code strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			code.WriteString(line)
		}
	}
	var statements []string
	for _, s := range strings.Split(code.String(), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			statements = append(statements, s)
		}
	}
	return statements
}

const createMigrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY name`

// Migrate applies the steps that the database does not have yet and returns
// their names. Each statement can be repeated, so a step that was cut off is
// simply applied again. A server that is too old is refused, and so is the database
// of a cluster that lacks steps, because its tables are made by MigrateCluster.
func Migrate(ctx context.Context, conn Store) ([]string, error) { return migrate(ctx, conn, "") }

// MigrateCluster is Migrate for all servers of a cluster.
func MigrateCluster(ctx context.Context, conn Store, cluster string) ([]string, error) {
	if cluster == "" {
		return nil, errors.New("migrate a cluster: it has no name")
	}
	return migrate(ctx, conn, cluster)
}

// Pending are the steps that the database does not have yet.
func Pending(ctx context.Context, conn Store) ([]string, error) {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT count() > 0 FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'").Scan(&exists); err != nil {
		return nil, fmt.Errorf("look for schema_migrations: %w", err)
	}
	done := map[string]bool{}
	if exists {
		var err error
		if done, err = appliedMigrations(ctx, conn); err != nil {
			return nil, err
		}
	}
	steps, err := Migrations()
	if err != nil {
		return nil, err
	}
	var pending []string
	for _, step := range steps {
		if !done[step.Name] {
			pending = append(pending, step.Name)
		}
	}
	return pending, nil
}

func migrate(ctx context.Context, conn Store, cluster string) ([]string, error) {
	if err := CheckServer(ctx, conn); err != nil {
		return nil, err
	}
	pending, err := Pending(ctx, conn)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	place := Place{Cluster: cluster}
	var clustered, exists bool
	if err := conn.QueryRow(ctx, `SELECT currentDatabase(), countIf(name = 'events_local') > 0, count() > 0
FROM system.tables WHERE database = currentDatabase() AND name IN ('events', 'events_local')`).Scan(&place.Database, &clustered, &exists); err != nil {
		return nil, fmt.Errorf("look for the events table: %w", err)
	}
	switch {
	case clustered && cluster == "":
		return nil, fmt.Errorf("this is the database of a cluster, and it lacks %s: run crmwatch migrate --cluster NAME first", strings.Join(pending, ", "))
	case exists && !clustered && cluster != "":
		return nil, errors.New("this database has the tables of a single server: make the cluster's in a database of their own")
	}
	if err := execAll(ctx, conn, createMigrationsTable, place); err != nil {
		return nil, fmt.Errorf("create table schema_migrations: %w", err)
	}
	steps, err := Migrations()
	if err != nil {
		return nil, err
	}
	var applied []string
	for _, step := range steps {
		if !slices.Contains(pending, step.Name) {
			continue
		}
		for i, statement := range step.Statements {
			if err := execAll(ctx, conn, statement, place); err != nil {
				return applied, fmt.Errorf("apply migration %s, statement %d: %w", step.Name, i+1, err)
			}
		}
		if err := conn.Exec(ctx, "INSERT INTO schema_migrations (name) VALUES ({name:String})", Named("name", step.Name)); err != nil {
			return applied, fmt.Errorf("record migration %s: %w", step.Name, err)
		}
		applied = append(applied, step.Name)
	}
	return applied, nil
}

func execAll(ctx context.Context, conn Store, statement string, place Place) error {
	rendered, err := Render(statement, place)
	if err != nil {
		return err
	}
	for _, s := range rendered {
		if err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func appliedMigrations(ctx context.Context, conn Store) (map[string]bool, error) {
	rows, err := conn.Query(ctx, "SELECT DISTINCT name FROM schema_migrations")
	if err != nil {
		return nil, fmt.Errorf("read schema_migrations: %w", err)
	}
	defer rows.Close()
	done := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read schema_migrations: %w", err)
		}
		done[name] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read schema_migrations: %w", err)
	}
	return done, nil
}
