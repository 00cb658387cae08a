package receive

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	block "github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"go.uber.org/goleak"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig receives into a watcher with a spool, and delivers from that into rows.
type rig struct {
	t       *testing.T
	dir     string
	quota   int64
	limits  Limits
	options []Options
	formats map[string]string
	ports   *Ports
	server  *Server
	watcher *agent.Watcher
	rows    *rows
	log     *logBuffer
	// stop ends the watcher and waits until it has drained.
	stop func()
}

// rows are what a deduplicating table would hold.
type rows struct {
	mu                 sync.Mutex
	events, quarantine map[string]map[string]string
	arrived            int
	// hold makes the database wait.
	hold bool
}

// looked are the columns that the tests look at.
var looked = []string{"event_uid", "quarantine_uid", "http_request_url_path", "unmapped", "x_source_file", "x_source_name", "reason", "detail", "content", "message", "ordinal"}

func (s *rows) send(ctx context.Context, d schema.Delivery) error {
	for {
		s.mu.Lock()
		hold := s.hold
		s.mu.Unlock()
		if !hold {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range []struct {
		frames *schema.Frames
		into   map[string]map[string]string
	}{{&d.Events, s.events}, {&d.Quarantine, s.quarantine}} {
		if one.frames.Rows == 0 {
			continue
		}
		raw, err := one.frames.Raw()
		if err != nil {
			return err
		}
		b := block.NewBlock()
		if err := b.Decode(proto.NewReader(bytes.NewReader(raw)), 0); err != nil {
			return err
		}
		for i := range b.Rows() {
			row := map[string]string{}
			for _, c := range b.Columns {
				if !slices.Contains(looked, c.Name()) {
					continue
				}
				row[c.Name()] = fmt.Sprint(c.Row(i, false))
			}
			uid := row["event_uid"]
			if uid == "" {
				uid = row["quarantine_uid"]
			}
			if uid == "" {
				return fmt.Errorf("a row has no uid: %v", row)
			}
			one.into[uid] = row
			s.arrived++
		}
	}
	return nil
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newRig receives with the given options, in the formats that their protocols have unless
// formats names another by the receiver's name.
func newRig(t *testing.T, formats map[string]string, options ...Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), quota: 1 << 30, options: options, formats: formats, ports: NewPorts(),
		rows: &rows{events: map[string]map[string]string{}, quarantine: map[string]map[string]string{}}, log: &logBuffer{}}
	t.Cleanup(func() {
		r.end()
		r.ports.Close()
		if t.Failed() {
			t.Log(r.log)
		}
	})
	return r
}

func (r *rig) start() *rig {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(r.log, nil))
	fail := func(err error) {
		if err != nil {
			r.t.Helper()
			r.t.Fatal(err)
		}
	}
	positions, err := agent.OpenPositions(filepath.Join(r.dir, "state"), log)
	fail(err)
	folder, err := spool.Folder(filepath.Join(r.dir, "spool"))
	fail(err)
	kept, recovery, err := spool.Open(spool.Options{FS: folder, Quota: r.quota, Compression: spool.None, WhenFull: spool.Block, Log: log,
		SegmentBytes: 1 << 16, BeforeUnlink: positions.Snapshot})
	fail(err)
	fail(positions.Follow(kept, recovery, log))
	r.server, err = r.ports.Open(r.options, r.limits, log)
	fail(err)
	o := agent.WatchOptions{Spool: kept, Positions: positions, Redactor: redact.New(bytes.Repeat([]byte("k"), 32)), Log: log,
		SealAge: 20 * time.Millisecond, Poll: 20 * time.Millisecond, Drain: 3 * time.Second, Receive: r.server.Run}
	for _, one := range r.options {
		format := r.formats[one.Name]
		if format == "" {
			format = one.Protocol
		}
		o.Inlets = append(o.Inlets, agent.Inlet{Name: one.Name, Format: format, Tenant: "acme"})
	}
	r.watcher, err = agent.NewWatcher(o)
	fail(err)
	ctx, cancel := context.WithCancel(context.Background())
	deliverCtx, stopDelivering := context.WithCancel(context.Background())
	deliverer := &agent.Deliverer{Spool: kept, Send: r.rows.send, Delivered: r.watcher.Delivered, Log: log}
	var running sync.WaitGroup
	running.Go(func() {
		if err := deliverer.Run(deliverCtx); err != nil {
			r.t.Errorf("deliver: %v", err)
		}
	})
	watched := make(chan struct{})
	running.Go(func() {
		defer close(watched)
		if err := r.watcher.Run(ctx); err != nil {
			r.t.Errorf("watch: %v", err)
		}
	})
	r.stop = func() {
		cancel()
		<-watched
		r.rows.mu.Lock()
		held := r.rows.hold
		r.rows.mu.Unlock()
		for end := time.Now().Add(5 * time.Second); !held && kept.Stats().PendingBatches > 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		stopDelivering()
		running.Wait()
		if err := positions.Snapshot(); err != nil {
			r.t.Error(err)
		}
		_ = kept.Close()
		_ = positions.Close()
	}
	return r
}

// end stops what runs.
func (r *rig) end() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

func (r *rig) hold(hold bool) {
	r.rows.mu.Lock()
	defer r.rows.mu.Unlock()
	r.rows.hold = hold
}

// address is that of the n-th port.
func (r *rig) address(n int) string { return r.server.Addresses()[n].String() }

func (r *rig) dial(n int, network string) net.Conn {
	r.t.Helper()
	conn, err := net.Dial(network, r.address(n))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

func (r *rig) write(conn net.Conn, text string) {
	r.t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) counts() (events, quarantined int) {
	r.rows.mu.Lock()
	defer r.rows.mu.Unlock()
	return len(r.rows.events), len(r.rows.quarantine)
}

// column lists a column of the stored events, or of the quarantine.
func (r *rig) column(of map[string]map[string]string, name string) (values []string) {
	r.rows.mu.Lock()
	defer r.rows.mu.Unlock()
	for _, row := range of {
		values = append(values, row[name])
	}
	return values
}

func (r *rig) status(n int) agent.SourceStatus { return r.watcher.Status()[n] }

func (r *rig) lost(n int, reason string) int64 { return r.status(n).Lost[reason].Messages }

// want waits until so many rows are stored, and checks that the ledger adds up and no
// more come.
func (r *rig) want(events, quarantined int) {
	r.t.Helper()
	waitFor(r.t, func() bool {
		e, q := r.counts()
		return e >= events && q >= quarantined
	}, func() string {
		e, q := r.counts()
		return fmt.Sprintf("%d events and %d quarantined are stored, want %d and %d\n%v", e, q, events, quarantined, r.column(r.rows.quarantine, "detail"))
	})
	time.Sleep(50 * time.Millisecond)
	if e, q := r.counts(); e != events || q != quarantined {
		r.t.Errorf("%d events and %d quarantined are stored, want %d and %d: %v", e, q, events, quarantined, r.column(r.rows.quarantine, "detail"))
	}
	for _, s := range r.watcher.Status() {
		if s.Events+s.Quarantined != s.Stored+s.Pending || s.Pending != 0 {
			r.t.Errorf("the ledger of %s: %+v", s.Name, s)
		}
	}
}

func waitFor(t *testing.T, done func() bool, what func() string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what())
		}
	}
}

// accessLine is a message of nginx; n is found again in its path.
func accessLine(n int) string {
	return fmt.Sprintf("<190>Mar  2 09:00:00 web1 nginx: "+
		"203.0.113.7 - crm [02/Mar/2026:09:%02d:%02d +0000] \"GET /line/%06d HTTP/1.1\" 200 512 \"-\" \"sync/1.0\"", n/60%60, n%60, n)
}

// kongRecord is a record that nothing but its format makes one of GELF.
func kongRecord(n int) string {
	return fmt.Sprintf(`{"started_at":%d,"client_ip":"198.51.100.7","request":{"id":"k%06d","method":"GET","uri":"/line/%06d","headers":{},"size":412},"response":{"status":200,"size":18432,"headers":{}},"latencies":{"request":85},"service":{"name":"crm"}}`,
		1772442720000+n, n, n)
}

func contains(all []string, what string) bool {
	for _, one := range all {
		if strings.Contains(one, what) {
			return true
		}
	}
	return false
}

var nginxInside = map[string]string{"edge": "nginx"}

func syslogOptions(transports ...string) Options {
	return Options{Name: "edge", Protocol: Syslog, Listen: "127.0.0.1:0", Transports: transports, Inner: true}
}

var kongInside = map[string]string{"gelf": "kong"}

func gelfOptions(transports ...string) Options {
	return Options{Name: "gelf", Protocol: GELF, Listen: "127.0.0.1:0", Transports: transports}
}
