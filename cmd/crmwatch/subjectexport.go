package main

import "context"

type subjectExportCommand struct{ subjectFlags }

func (c *subjectExportCommand) Run(ctx context.Context, term terminal) error { return nil }
