package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
)

// profiled writes a CPU profile of one load to path, for go tool pprof and for the
// compiler (default.pgo).
func profiled(path string, load func(context.Context, *database, string) (string, error)) func(context.Context, *database, string) (string, error) {
	return func(ctx context.Context, db *database, logs string) (table string, err error) {
		f, err := os.Create(path)
		if err != nil {
			return "", fmt.Errorf("create profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return "", fmt.Errorf("start profile: %w", err)
		}
		table, err = load(ctx, db, logs)
		pprof.StopCPUProfile()
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("write profile: %w", closed)
		}
		return table, err
	}
}
