package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	block "github.com/ClickHouse/clickhouse-go/v2/lib/proto"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("AGENT_TEST_FOLLOW"); dir != "" {
		os.Exit(followUntilKilled(dir))
	}
	enginetest.Main(m)
}

var testKey = bytes.Repeat([]byte("k"), KeySize)

func testRedactor() *redact.Redactor { return redact.New(testKey) }

// row is what the tests look at of a stored event.
type row struct{ uid, path, file, source string }

// store collects shipped batches as a deduplicating table would: the last row of
// each event_uid.
type store struct {
	mu         sync.Mutex
	rows       map[string]row
	arrived    int
	quarantine []string
	// places are where the stored records stand, rejections the quarantined ones in full.
	places, rejections []string
	tokens             map[string]bool
	// hold, if not nil, makes Ship wait.
	hold chan struct{}
	// seen, if not nil, gets all rows.
	seen func(events, quarantined []map[string]string)
}

func newStore() *store { return &store{rows: map[string]row{}, tokens: map[string]bool{}} }

func (s *store) Ship(ctx context.Context, b Sealed) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	events, err := decodeRows(b.Events)
	if err != nil {
		return err
	}
	quarantined, err := decodeRows(b.Quarantine)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		r := row{uid: e["event_uid"], path: e["http_request_url_path"], file: e["x_source_file"], source: e["x_source_name"]}
		s.rows[r.uid] = r
		s.arrived++
		s.places = append(s.places, e["x_source_offset"]+" "+e["query_info_query_string"])
	}
	if s.seen != nil {
		s.seen(events, quarantined)
	}
	for _, q := range quarantined {
		s.quarantine = append(s.quarantine, q["x_source_file"]+": "+q["reason"])
		s.rejections = append(s.rejections, fmt.Sprint(q))
	}
	return nil
}

// paths lists the URL paths of the stored events in order.
func (s *store) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for _, r := range s.rows {
		paths = append(paths, r.path)
	}
	slices.Sort(paths)
	return paths
}

func decodeRows(frames schema.Frames) ([]map[string]string, error) {
	data, rows := frames.Data, frames.Rows
	if rows == 0 {
		return nil, nil
	}
	b := block.NewBlock()
	if err := b.Decode(proto.NewReader(bytes.NewReader(data)), 0); err != nil {
		return nil, err
	}
	if b.Rows() != rows {
		return nil, fmt.Errorf("the block has %d rows and says %d", b.Rows(), rows)
	}
	all := make([]map[string]string, rows)
	for i := range all {
		all[i] = map[string]string{}
		for _, c := range b.Columns {
			all[i][c.Name()] = fmt.Sprint(c.Row(i, false))
		}
	}
	return all, nil
}

// line is one line of an access log; n is found again in its path.
func line(n int) string {
	return fmt.Sprintf("203.0.113.7 - crm [%02d/Mar/2026:%02d:%02d:%02d +0000] \"GET /line/%06d HTTP/1.1\" 200 512 \"-\" \"sync/1.0\"\n",
		2+n/86400, n/3600%24, n/60%60, n%60, n)
}

func lines(from, to int) string {
	var b bytes.Buffer
	for n := from; n < to; n++ {
		b.WriteString(line(n))
	}
	return b.String()
}

func wantPaths(from, to int) []string {
	var paths []string
	for n := from; n < to; n++ {
		paths = append(paths, fmt.Sprintf("/line/%06d", n))
	}
	return paths
}
