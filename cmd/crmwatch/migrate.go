package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

type migrateCommand struct {
	DSNFile  string   `name:"dsn-file" placeholder:"FILE" xor:"where" help:"File (mode 0600) with the server's DSN, such as https://user:password@host:8443/crmwatch."`
	Data     string   `placeholder:"DIR" xor:"where" help:"A data directory with the embedded engine."`
	Cluster  string   `placeholder:"NAME" help:"Make the tables on all servers of this cluster, replicated and sharded."`
	DryRun   bool     `name:"dry-run" help:"Print the statements that are missing, and run none. Without --dsn-file and --data: all statements, and no server is asked."`
	Roles    bool     `help:"Make the roles of a server or cluster as well, with their limits (docs/querying.md); the DSN's user needs ACCESS MANAGEMENT."`
	Tenant   []string `placeholder:"NAME" help:"With --roles: a role for this tenant's analysts, who see no other's rows. May be repeated."`
	Database string   `default:"crmwatch" placeholder:"NAME" help:"The database in a --dry-run that asks no server; otherwise the DSN names it."`
}

func (migrateCommand) Help() string {
	return `The embedded engine and a single server are migrated by crmwatch itself when it starts. A cluster is migrated by this
command alone, so that one person decides when. It makes the database that the DSN names, if it is not there. Running it
again does nothing.

Examples:
  crmwatch migrate --cluster crm --dry-run
  crmwatch migrate --cluster crm --dsn-file clickhouse.dsn
  crmwatch migrate --cluster crm --dry-run | clickhouse-client --multiquery
  crmwatch migrate --roles --tenant acme --dry-run > roles.sql`
}

// ddlPatience is how long a statement waits for all servers of a cluster, in seconds.
const ddlPatience = 120

func (c *migrateCommand) Run(ctx context.Context, term terminal) error {
	place := schema.Place{Database: c.Database, Cluster: c.Cluster}
	if err := place.Check(); err != nil {
		return err
	}
	switch {
	case len(c.Tenant) > 0 && !c.Roles:
		return errors.New("--tenant is for roles: add --roles")
	case c.Roles && c.Data != "":
		return errors.New("the embedded engine has no roles but its two credentials, crmwatch and reader (docs/engine.md): name a server's --dsn-file")
	case c.Cluster != "" && c.Data != "":
		return errors.New("the embedded engine is one server: leave out --cluster, or name the cluster's --dsn-file")
	case c.DSNFile != "":
		return c.onServer(ctx, term, place)
	case c.Data != "":
		return c.onData(ctx, term, place)
	case !c.DryRun:
		return errors.New("name a server with --dsn-file or a directory with --data, or add --dry-run to see the statements")
	}
	all, err := schema.MigrationNames()
	if err != nil {
		return err
	}
	return c.print(term, place, all)
}

func (c *migrateCommand) onData(ctx context.Context, term terminal, place schema.Place) error {
	db := &database{dir: c.Data}
	defer db.close()
	if err := db.connect(ctx, c.Data, databaseOptions{}); err != nil {
		return err
	}
	place.Database = "default"
	return c.migrate(ctx, term, db.conn, place)
}

func (c *migrateCommand) onServer(ctx context.Context, term terminal, place schema.Place) error {
	options, err := serverOptions(c.DSNFile)
	if err != nil {
		return err
	}
	options.Settings["distributed_ddl_task_timeout"] = ddlPatience
	if place.Database = options.Auth.Database; place.Database == "" {
		place.Database = "default"
	}
	missing, err := c.prepareDatabase(ctx, term, *options, place)
	if err != nil {
		return err
	}
	if missing {
		all, err := schema.MigrationNames()
		if err != nil {
			return err
		}
		return c.print(term, place, all)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return fmt.Errorf("open ClickHouse server: %w", err)
	}
	defer conn.Close()
	return c.migrate(ctx, term, conn, place)
}

// prepareDatabase makes the database, or says in a dry run that it is missing.
func (c *migrateCommand) prepareDatabase(ctx context.Context, term terminal, options clickhouse.Options, place schema.Place) (missing bool, err error) {
	options.Auth.Database = ""
	conn, err := clickhouse.Open(&options)
	if err != nil {
		return false, fmt.Errorf("open ClickHouse server: %w", err)
	}
	defer conn.Close()
	if err := schema.CheckServer(ctx, conn); err != nil {
		return false, err
	}
	if c.DryRun {
		there, err := schema.HasDatabase(ctx, conn, place.Database)
		return !there, err
	}
	made, err := schema.CreateDatabase(ctx, conn, place)
	if made {
		fmt.Fprintf(term.out, "created database %s\n", place.Database)
	}
	return false, err
}

func (c *migrateCommand) migrate(ctx context.Context, term terminal, conn schema.Store, place schema.Place) error {
	if c.DryRun {
		pending, err := schema.Pending(ctx, conn)
		if err != nil {
			return err
		}
		if len(pending) == 0 && !c.Roles {
			fmt.Fprintln(term.out, "-- nothing to do")
			return nil
		}
		return c.print(term, place, pending)
	}
	var applied []string
	var err error
	if place.Cluster != "" {
		applied, err = schema.MigrateCluster(ctx, conn, place.Cluster)
	} else {
		applied, err = schema.Migrate(ctx, conn)
	}
	for _, step := range applied {
		fmt.Fprintf(term.out, "applied %s\n", step)
	}
	if err != nil {
		return err
	}
	if len(applied) == 0 && !c.Roles {
		fmt.Fprintln(term.out, "nothing to do")
	}
	return c.makeRoles(ctx, term, conn, place)
}

// makeRoles makes the roles where they are asked for.
func (c *migrateCommand) makeRoles(ctx context.Context, term terminal, conn schema.Store, place schema.Place) error {
	if !c.Roles {
		return nil
	}
	statements, err := schema.RoleScript(place, c.Tenant)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("make roles: %w\n%s", err, s)
		}
	}
	fmt.Fprintf(term.out, "made %d roles\n", schema.RoleCount+len(c.Tenant))
	return nil
}

func (c *migrateCommand) print(term terminal, place schema.Place, steps []string) error {
	var statements []string
	var err error
	if len(steps) > 0 {
		if statements, err = schema.Script(place, steps); err != nil {
			return err
		}
	}
	if c.Roles {
		made, err := schema.RoleScript(place, c.Tenant)
		if err != nil {
			return err
		}
		statements = append(statements, made...)
	}
	fmt.Fprintln(term.out, strings.Join(statements, ";\n\n")+";")
	return nil
}
