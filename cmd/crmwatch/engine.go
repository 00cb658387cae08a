package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/crmwatch/crmwatch/engine"
)

type engineCommand struct {
	Data   string   `required:"" placeholder:"DIR" help:"Data directory."`
	Listen string   `default:"127.0.0.1:8123" help:"Loopback address, or unix:/path; port 0 takes any free one."`
	Files  []string `placeholder:"PATH" help:"Files and folders that the administrator may read with file(); nothing outside the data directory otherwise."`
}

func (engineCommand) Help() string {
	return `Serves the directory until it is interrupted. The credentials of the administrator and of the reader are
written to DIR/endpoint.json, which only you can read. They change at every start.

Example:
  crmwatch engine --data ./data
  curl -u "reader:$(jq -r .reader.password data/endpoint.json)" http://127.0.0.1:8123/ -d 'SELECT version()'`
}

func (e *engineCommand) Run(ctx context.Context, term terminal) error {
	if endpoint, err := engine.ReadEndpoint(ctx, e.Data); err == nil {
		return fmt.Errorf("an engine already serves %s at %s", e.Data, endpoint.URL)
	}
	db, err := openDatabase(ctx, e.Data, databaseOptions{listen: e.Listen, files: e.Files, exclusive: true})
	if err != nil {
		return err
	}
	defer db.close()
	own := &life{command: "engine", began: time.Now()}
	if err := own.start(ctx, db.conn); err != nil {
		return err
	}
	fmt.Fprintf(term.out, "Serving %s at %s\nCredentials: %s/endpoint.json\n", e.Data, db.endpoint.URL, e.Data)
	select {
	case <-ctx.Done():
		own.stop(ctx, db.conn, nil, slog.New(slog.NewTextHandler(term.err, nil)))
		return nil
	case <-db.engine.Done():
		return fmt.Errorf("the engine ended and could not be started again")
	}
}

// engineChildCommand is the process that loads the engine library. Other commands
// start it; it takes its instructions on standard input.
type engineChildCommand struct{}

func (engineChildCommand) Run(ctx context.Context) error { return engine.RunChild(ctx) }
