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
	DSNFile string `name:"dsn-file" placeholder:"FILE" xor:"where" help:"File (mode 0600) with the server's DSN, such as https://user:password@host:8443/crmwatch."`
	Data    string `placeholder:"DIR" xor:"where" help:"A data directory with the embedded engine."`
	Cluster string `placeholder:"NAME" help:"Make the tables on all servers of this cluster, replicated and sharded."`
	DryRun  bool   `name:"dry-run" help:"Print what would be run, and run nothing. Without --dsn-file: all statements, and no server is asked."`
}

func (migrateCommand) Help() string {
	return `The embedded engine and a single server are migrated by crmwatch itself when it starts. A cluster is migrated by this
command alone, so that one person decides when. Running it again does nothing.

Examples:
  crmwatch migrate --cluster crm --dry-run
  crmwatch migrate --cluster crm --dsn-file clickhouse.dsn`
}

func (c *migrateCommand) Run(ctx context.Context, term terminal) error {
	if c.Cluster != "" {
		if err := schema.CheckCluster(c.Cluster); err != nil {
			return err
		}
		if c.Data != "" {
			return errors.New("the embedded engine is one server: leave out --cluster, or name the cluster's --dsn-file")
		}
	}
	if c.DSNFile == "" && c.Data == "" {
		if !c.DryRun {
			return errors.New("name a server with --dsn-file or a directory with --data, or add --dry-run to see the statements")
		}
		statements, err := schema.Statements(c.Cluster)
		if err != nil {
			return err
		}
		fmt.Fprintln(term.out, strings.Join(statements, ";\n\n")+";")
		return nil
	}
	conn, done, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer done()
	if c.DryRun {
		if err := schema.CheckServer(ctx, conn); err != nil {
			return err
		}
		pending, err := schema.Pending(ctx, conn)
		if err != nil {
			return err
		}
		return c.tell(term, "would apply", pending)
	}
	var applied []string
	if c.Cluster != "" {
		applied, err = schema.MigrateCluster(ctx, conn, c.Cluster)
	} else {
		applied, err = schema.Migrate(ctx, conn)
	}
	return errors.Join(c.tell(term, "applied", applied), err)
}

func (c *migrateCommand) tell(term terminal, what string, steps []string) error {
	for _, step := range steps {
		fmt.Fprintf(term.out, "%s %s\n", what, step)
	}
	if len(steps) == 0 {
		fmt.Fprintln(term.out, "the tables are up to date")
	}
	return nil
}

// connect opens the server or the directory without changing its tables.
func (c *migrateCommand) connect(ctx context.Context) (schema.Store, func(), error) {
	if c.DSNFile != "" {
		options, err := serverOptions(c.DSNFile)
		if err != nil {
			return nil, nil, err
		}
		// A statement on a cluster waits for all its servers.
		options.Settings["distributed_ddl_task_timeout"] = 120
		conn, err := clickhouse.Open(options)
		if err != nil {
			return nil, nil, fmt.Errorf("open ClickHouse server: %w", err)
		}
		return conn, func() { _ = conn.Close() }, nil
	}
	db := &database{dir: c.Data}
	if err := db.connect(ctx, c.Data, databaseOptions{}); err != nil {
		db.close()
		return nil, nil, err
	}
	return db.conn, db.close, nil
}
