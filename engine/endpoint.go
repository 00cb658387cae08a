package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	endpointFile = "endpoint.json"
	aliveTimeout = 3 * time.Second
)

// ErrNotRunning is what ReadEndpoint's errors wrap when no engine serves the data directory.
var ErrNotRunning = errors.New("no engine is running")

// Endpoint is where an engine answers and who may ask.
type Endpoint struct {
	// URL is the base address, such as http://127.0.0.1:8123. With a Socket its host has no meaning.
	URL string `json:"url"`
	// Socket is the path of the unix socket, empty for TCP.
	Socket string     `json:"socket,omitempty"`
	Admin  Credential `json:"admin"`
	Reader Credential `json:"reader"`
}

func newEndpoint(o Options, address net.Addr) Endpoint {
	e := Endpoint{URL: "http://" + address.String(), Admin: o.Admin, Reader: o.Reader}
	if e.Admin.Password == "" {
		e.Admin = newCredential(Admin)
	}
	if e.Reader.Password == "" {
		e.Reader = newCredential(Reader)
	}
	if o.Socket != "" {
		e.URL, e.Socket = "http://localhost", o.Socket
	}
	return e
}

// Credential returns the role's credential.
func (e Endpoint) Credential(role Role) Credential {
	if role == Admin {
		return e.Admin
	}
	return e.Reader
}

// ClientOptions is how clickhouse-go reaches the endpoint as role: over HTTP, with synchronous inserts and without
// compression (the bytes do not leave the machine). Callers may change it, for instance Auth.Database, before Open.
func (e Endpoint) ClientOptions(role Role) (*clickhouse.Options, error) {
	address, err := url.Parse(e.URL)
	if err != nil {
		return nil, fmt.Errorf("read engine address: %w", err)
	}
	credential := e.Credential(role)
	options := &clickhouse.Options{
		Protocol:        clickhouse.HTTP,
		Addr:            []string{address.Host},
		Auth:            clickhouse.Auth{Username: credential.User, Password: credential.Password},
		Settings:        clickhouse.Settings{"async_insert": 0},
		DialTimeout:     5 * time.Second,
		ReadTimeout:     5 * time.Minute,
		MaxOpenConns:    8,
		MaxIdleConns:    8,
		ConnMaxLifetime: time.Hour,
		TransportFunc:   schema.MeteredTransport,
	}
	if e.Socket != "" {
		options.DialContext = e.dial
	}
	return options, nil
}

// Open returns a clickhouse-go connection pool as role. It makes no request yet.
func (e Endpoint) Open(role Role) (driver.Conn, error) {
	options, err := e.ClientOptions(role)
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open engine connection: %w", err)
	}
	return conn, nil
}

func (e Endpoint) dial(ctx context.Context, address string) (net.Conn, error) {
	if e.Socket != "" {
		return new(net.Dialer).DialContext(ctx, "unix", e.Socket)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// HTTPClient reaches the endpoint, whether over TCP or its socket. Requests go to URL.
func (e Endpoint) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         func(ctx context.Context, _, address string) (net.Conn, error) { return e.dial(ctx, address) },
		MaxIdleConnsPerHost: 8,
	}}
}

// alive asks the engine for a sign of life.
func (e Endpoint) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+"/ping", nil)
	if err != nil {
		return err
	}
	client := e.HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ping answered %s", answer.Status)
	}
	return nil
}

// WriteEndpoint leaves the endpoint in the data directory, for programs of the same user (mode 0600).
func WriteEndpoint(dir string, e Endpoint) error {
	path := filepath.Join(dir, endpointFile)
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write endpoint: %w", err)
	}
	temporary, err := os.CreateTemp(dir, endpointFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write endpoint: %w", err)
	}
	_, err = temporary.Write(append(data, '\n'))
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write endpoint %s: %w", path, errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

// ReadEndpoint finds the engine that serves a data directory. The error wraps ErrNotRunning when there is none, also when
// an engine that was killed has left its file behind.
func ReadEndpoint(ctx context.Context, dir string) (Endpoint, error) {
	path := filepath.Join(dir, endpointFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Endpoint{}, fmt.Errorf("find engine of %s: %w", dir, ErrNotRunning)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("read endpoint: %w", err)
	}
	var e Endpoint
	if err := json.Unmarshal(data, &e); err != nil {
		return Endpoint{}, fmt.Errorf("read endpoint %s: %w", path, err)
	}
	if err := e.alive(ctx); err != nil {
		return Endpoint{}, fmt.Errorf("find engine of %s: %w: %w", dir, ErrNotRunning, err)
	}
	return e, nil
}

// RemoveEndpoint takes the endpoint out of the data directory; that it is not there is no error.
func RemoveEndpoint(dir string) error {
	if err := os.Remove(filepath.Join(dir, endpointFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove endpoint: %w", err)
	}
	return nil
}
