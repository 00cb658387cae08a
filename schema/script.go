package schema

import (
	"context"
	"fmt"
	"slices"
)

// Script are the statements that make the database and apply the named migrations
// there, in order, for a person to read and to hand to clickhouse-client. All of them
// can be repeated. Only one server's script needs the USE in it.
func Script(place Place, migrations []string) ([]string, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	steps, err := Migrations()
	if err != nil {
		return nil, err
	}
	script := []string{createDatabase(place)}
	if place.Cluster == "" {
		script = append(script, "USE `"+place.Database+"`")
	}
	table, err := Render(createMigrationsTable, place)
	if err != nil {
		return nil, err
	}
	script = append(script, table...)
	for _, step := range steps {
		if !slices.Contains(migrations, step.Name) {
			continue
		}
		for _, statement := range step.Statements {
			rendered, err := Render(statement, place)
			if err != nil {
				return nil, fmt.Errorf("migration %s: %w", step.Name, err)
			}
			script = append(script, rendered...)
		}
		// The name is that of a file of this package.
		script = append(script, "INSERT INTO "+place.table("schema_migrations")+" (name) VALUES ('"+step.Name+"')")
	}
	return script, nil
}

// MigrationNames lists all migrations in order.
func MigrationNames() ([]string, error) {
	steps, err := Migrations()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = step.Name
	}
	return names, nil
}

// CreateDatabase makes the place's database, unless the server has it, and says whether
// it did. The connection must not name the database itself: a server refuses one that
// it does not have.
func CreateDatabase(ctx context.Context, conn Store, place Place) (made bool, err error) {
	if err := place.Check(); err != nil {
		return false, err
	}
	there, err := HasDatabase(ctx, conn, place.Database)
	if err != nil || there {
		return false, err
	}
	if err := conn.Exec(ctx, createDatabase(place)); err != nil {
		return false, fmt.Errorf("create database %s: %w", place.Database, err)
	}
	return true, nil
}

// DropDatabase removes a database with everything in it from one server, if it is there.
func DropDatabase(ctx context.Context, conn Store, name string) error {
	if err := (Place{Database: name}).Check(); err != nil {
		return err
	}
	if err := conn.Exec(ctx, "DROP DATABASE IF EXISTS `"+name+"` SYNC"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// HasDatabase says whether the server has a database of that name.
func HasDatabase(ctx context.Context, conn Store, name string) (there bool, err error) {
	if err := conn.QueryRow(ctx, "SELECT count() > 0 FROM system.databases WHERE name = {name:String}", Named("name", name)).Scan(&there); err != nil {
		return false, fmt.Errorf("look for database %s: %w", name, err)
	}
	return there, nil
}

func createDatabase(place Place) string {
	return "CREATE DATABASE IF NOT EXISTS `" + place.Database + "`" + place.onCluster()
}
