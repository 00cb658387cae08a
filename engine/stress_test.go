package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/engine"
)

// stressArgument makes the test binary run the stress load on a directory (next argument) for a time (the one after).
const stressArgument = "crmwatch-engine-stress"

// stressTimeEnv lengthens the stress test, which runs for a few seconds otherwise. Before a new chDB version is taken, run
// it for minutes.
const stressTimeEnv = "CRMWATCH_STRESS_TIME"

// TestStress has the engine's C++ and the Go runtime in one process under load at the same time: inserts, queries, forced
// garbage collections, and nil dereferences that Go must still turn into panics after the library has been loaded.
func TestStress(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	length := "3s"
	if text := os.Getenv(stressTimeEnv); text != "" {
		length = text
	}
	out, err := exec.Command(self, stressArgument, t.TempDir(), length).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func beStressed(dir, length string) error {
	duration, err := time.ParseDuration(length)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	endpoint := engine.Endpoint{URL: "http://" + listener.Addr().String(), Admin: engine.Credential{User: "a", Password: "b"}}
	ctx, stop := context.WithCancel(context.Background())
	ready, served := make(chan struct{}), make(chan error, 1)
	go func() {
		served <- engine.Serve(ctx, engine.ServeOptions{Dir: dir, Listener: listener, Admin: endpoint.Admin, Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-served:
		stop()
		return err
	}
	err = stress(endpoint, duration)
	stop()
	return errors.Join(err, <-served)
}

func stress(endpoint engine.Endpoint, duration time.Duration) error {
	conn, err := endpoint.Open(engine.Admin)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx := context.Background()
	if err := conn.Exec(ctx, "CREATE TABLE t (a UInt64, s LowCardinality(String)) ENGINE = ReplacingMergeTree ORDER BY a"); err != nil {
		return err
	}
	var inserted, queries, panics, collections atomic.Int64
	var failures sync.Map
	end := time.Now().Add(duration)
	var workers sync.WaitGroup
	work := func(times int, step func(worker, i int) error) {
		for worker := range times {
			workers.Go(func() {
				for i := 0; time.Now().Before(end); i++ {
					if err := step(worker, i); err != nil {
						failures.Store(err.Error(), true)
						return
					}
				}
			})
		}
	}
	work(2, func(worker, i int) error { inserted.Add(1); return insertRows(ctx, conn, worker, i) })
	work(6, func(worker, i int) error {
		queries.Add(1)
		var n uint64
		if worker == 0 {
			if err := conn.QueryRow(ctx, "SELECT throwIf(number = 100) FROM numbers(200)").Scan(&n); err == nil {
				return errors.New("an error in a query is not reported")
			}
		}
		return conn.QueryRow(ctx, "SELECT uniqExact(s) + count() FROM t WHERE a % 3 = {m:UInt8}", clickhouse.Named("m", fmt.Sprint(i%3))).Scan(&n)
	})
	work(1, func(int, int) error { collections.Add(1); runtime.GC(); return nil })
	work(1, func(int, int) error { panics.Add(1); return recoverNil() })
	workers.Wait()
	fmt.Printf("%d inserts, %d queries, %d collections, %d recovered panics\n", inserted.Load(), queries.Load(), collections.Load(), panics.Load())
	var all []string
	failures.Range(func(key, _ any) bool { all = append(all, key.(string)); return true })
	if len(all) > 0 {
		return errors.New(strings.Join(all, "\n"))
	}
	if queries.Load() == 0 || inserted.Load() == 0 {
		return errors.New("nothing was done")
	}
	return nil
}

func insertRows(ctx context.Context, conn driver.Conn, worker, i int) error {
	var csv strings.Builder
	for row := range 200 {
		fmt.Fprintf(&csv, "%d,s%d\n", worker*1_000_000+i*200+row, row%10)
	}
	return conn.InsertFormat(ctx, "CSV", "INSERT INTO t", strings.NewReader(csv.String()))
}

// recoverNil dereferences nil: the SIGSEGV must come back as a panic.
func recoverNil() (err error) {
	defer func() {
		if recover() == nil {
			err = errors.New("a nil dereference did not panic")
		}
		runtime.Gosched()
	}()
	var nothing *struct{ field int }
	return fmt.Errorf("%d", nothing.field)
}
