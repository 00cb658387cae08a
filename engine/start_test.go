package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine"
	"github.com/crmwatch/crmwatch/engine/enginetest"
)

func TestStartErrors(t *testing.T) {
	start := func(o engine.Options) error {
		t.Helper()
		if o.Dir == "" {
			o.Dir = filepath.Join(t.TempDir(), "data")
		}
		e, err := engine.Start(context.Background(), o)
		if err == nil {
			t.Error("no error")
			_ = e.Stop(context.Background())
			return errors.New("none")
		}
		return err
	}
	if err := start(engine.Options{Command: []string{"/bin/sh", "-c", "echo the disk is on fire >&2; exit 3"}}); !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("the child's last words are missing: %v", err)
	}
	if err := start(engine.Options{Command: []string{"/missing/program"}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := start(engine.Options{Command: []string{"/bin/sleep", "100"}, StartTimeout: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := start(engine.Options{Command: enginetest.Command(), Library: "/etc/hostname"}); !strings.Contains(err.Error(), "/etc/hostname") {
		t.Errorf("a library that is none: %v", err)
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		if err := start(engine.Options{Command: enginetest.Command(), Address: address}); !strings.Contains(err.Error(), address) {
			t.Errorf("listening on %s: %v", address, err)
		}
	}
	t.Setenv(engine.LibraryEnv, "/missing/libchdb.so")
	err := start(engine.Options{Command: enginetest.Command()})
	if !errors.Is(err, engine.ErrLibraryMissing) {
		t.Error(err)
	}
	for _, part := range []string{"/missing/libchdb.so", "make engine", "@chdb/lib-linux-", engine.LibraryEnv} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %q: %v", part, err)
		}
	}
}

func TestSlowClients(t *testing.T) {
	e := startOwn(t, engine.Options{ReadTimeout: 100 * time.Millisecond})
	address := strings.TrimPrefix(e.Endpoint().URL, "http://")
	for name, begin := range map[string]string{
		"nothing":     "",
		"half header": "POST / HTTP/1.1\r\nHost: x\r\nX-A: ",
		"half body":   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: Bearer " + e.Endpoint().Admin.Password + "\r\n\r\nSELECT",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, begin); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		conn.Close()
	}
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 2 {
		if err := conn.QueryRow(context.Background(), "SELECT sleep(0.5)").Err(); err != nil {
			t.Errorf("a query that takes longer than the client may be silent: %v", err)
		}
	}
}

func TestPingWhileBusy(t *testing.T) {
	e := startOwn(t, engine.Options{Connections: 1})
	conn, err := e.Endpoint().Open(engine.Admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- conn.QueryRow(ctx, "SELECT max(sipHash64(number)) FROM numbers(1000000000000)").Err()
	}()
	waitFor(t, "another query to wait in line until its deadline", func() bool {
		waiting, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer stop()
		return errors.Is(conn.QueryRow(waiting, "SELECT 1").Err(), context.DeadlineExceeded)
	})
	client := e.Endpoint().HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Get(e.Endpoint().URL + "/ping")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("ping: %v, %v", answer, err)
	} else {
		answer.Body.Close()
	}
	cancel()
	<-ended
	var one uint8
	if err := conn.QueryRow(context.Background(), "SELECT 1").Scan(&one); err != nil {
		t.Errorf("after the long query: %v", err)
	}
}

func TestSecretsStayOut(t *testing.T) {
	endpoint := enginetest.Start(t).Endpoint()
	for _, text := range []string{fmt.Sprint(endpoint), fmt.Sprintf("%+v", endpoint), fmt.Sprintf("%v", endpoint.Admin)} {
		if strings.Contains(text, endpoint.Admin.Password) {
			t.Errorf("formatted text shows the secret: %s", text)
		}
	}
	data, err := json.Marshal(endpoint)
	if err != nil || !bytes.Contains(data, []byte(endpoint.Admin.Password)) {
		t.Errorf("the endpoint file has no secret: %v", err)
	}
}

func TestMemoryLimitAndCredentials(t *testing.T) {
	given := engine.Credential{User: "grafana", Password: "kept across restarts"}
	e := startOwn(t, engine.Options{Memory: 400 << 20, Threads: 1, Reader: given})
	if e.Endpoint().Reader != given || e.Endpoint().Admin.Password == "" {
		t.Errorf("credentials are %v and %v", e.Endpoint().Admin, e.Endpoint().Reader)
	}
	conn, err := e.Endpoint().Open(engine.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wantCode(t, conn.QueryRow(context.Background(), "SELECT length(groupArray(number)) FROM numbers(1000000000)").Err(), 241)
	var threads uint64
	if err := conn.QueryRow(context.Background(), "SELECT toUInt64(getSetting('max_threads'))").Scan(&threads); err != nil || threads != 1 {
		t.Errorf("statements use %d threads, %v", threads, err)
	}
}
