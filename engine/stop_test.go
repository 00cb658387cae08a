package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"go.uber.org/goleak"
)

func TestStop(t *testing.T) {
	enginetest.Start(t) // so that its goroutines are there before
	before := goleak.IgnoreCurrent()
	dir := filepath.Join(t.TempDir(), "data")
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command(), Socket: filepath.Join(t.TempDir(), "engine.sock")})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := engine.ReadEndpoint(context.Background(), dir)
	if err != nil || endpoint != e.Endpoint() {
		t.Fatalf("endpoint %v, %v", endpoint, err)
	}
	info, err := os.Stat(filepath.Join(dir, "endpoint.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the endpoint: %v, %v", info, err)
	}
	conn, err := endpoint.Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	const slow = "SELECT count() FROM numbers(20) WHERE NOT ignore(sleepEachRow(0.1)) SETTINGS max_block_size = 1"
	slept := make(chan error, 1)
	go func() {
		var n uint64
		err := conn.QueryRow(context.Background(), slow).Scan(&n)
		if err == nil && n != 20 {
			err = fmt.Errorf("slow query counted %d", n)
		}
		slept <- err
	}()
	waitFor(t, "the slow query to run", func() bool { return running(t, conn, slow) == 1 })
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-slept; err != nil {
		t.Errorf("a query that runs at the stop: %v", err)
	}
	if err := e.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	<-e.Done()
	if _, err := engine.ReadEndpoint(context.Background(), dir); !errors.Is(err, engine.ErrNotRunning) {
		t.Errorf("endpoint after the stop: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	e, err := engine.Start(context.Background(), engine.Options{Dir: dir, Command: enginetest.Command(), DrainTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const endless = "SELECT max(sipHash64(number)) FROM numbers(1000000000000)"
	ended := make(chan error, 1)
	go func() { ended <- conn.QueryRow(context.Background(), endless).Err() }()
	waitFor(t, "the query to run", func() bool { return running(t, conn, endless) == 1 })
	if err := e.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("an endless query has ended well")
	}
}
