package main

import (
	"context"
	"fmt"

	"github.com/crmwatch/crmwatch/compliance/posture"
)

type postureTestCommand struct {
	Checks []string `placeholder:"DIR" help:"Folders with checks of your own, beside the built-in ones."`
	Only   []string `name:"check" placeholder:"ID" help:"Test only this check; may be repeated."`
}

func (c *postureTestCommand) Run(ctx context.Context, term terminal) error {
	shared, err := posture.BuiltinShared()
	if err != nil {
		return err
	}
	checks, err := posture.Load(c.Checks...)
	if err != nil {
		return exitError{exitFailed, "the checks have mistakes:\n" + err.Error()}
	}
	if checks, err = chosenChecks(checks, c.Only); err != nil {
		return err
	}
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	results, err := posture.TestChecks(ctx, db.conn, shared, checks)
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		if r.Problem != "" {
			failed++
			fmt.Fprintf(term.out, "FAIL  %s / %s\n%s\n", r.Check, r.Test, indented(r.Problem))
		}
	}
	fmt.Fprintf(term.out, "%s: %d passed, %d failed\n", plural(len(checks), "check"), len(results)-failed, failed)
	if failed > 0 {
		return exitError{code: exitFailed}
	}
	return nil
}

type postureShowCommand struct {
	Checks []string `placeholder:"DIR" help:"Folders with checks of your own."`
	Check  string   `arg:"" help:"The check's id; shared shows how people and integrations are told apart."`
}

func (c *postureShowCommand) Run(term terminal) error {
	text, err := posture.Text(c.Check, c.Checks...)
	if err != nil {
		return err
	}
	_, err = term.out.Write(text)
	return err
}
