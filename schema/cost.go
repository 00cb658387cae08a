package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// QueryCost is what statements cost the engine, as it says itself.
type QueryCost struct {
	Queries uint32
	// ReadRows and ReadBytes are what the statements read from tables.
	ReadRows, ReadBytes uint64
	// MemoryBytes is the most memory that one statement took; 0 where the engine does
	// not tell, as the embedded one.
	MemoryBytes uint64
}

// CostMeter sums the cost of the statements under one context. It may be used by
// several goroutines.
type CostMeter struct {
	mu  sync.Mutex
	sum QueryCost
}

// Cost is what has been summed so far.
func (m *CostMeter) Cost() QueryCost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum
}

// CountedReads is how many rows and bytes the engine has read for queries since it
// started, whoever asked. It counts subqueries too, which the summaries of answers do not.
func CountedReads(ctx context.Context, store Store) (rows, bytes uint64, err error) {
	err = store.QueryRow(ctx, "SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'SelectedBytes') FROM system.events").Scan(&rows, &bytes)
	if err != nil {
		return 0, 0, fmt.Errorf("ask the engine what it has read: %w", err)
	}
	return rows, bytes, nil
}

type meterKey struct{}

// MeasureCost gives a context under which what statements cost is summed.
func MeasureCost(ctx context.Context) (context.Context, *CostMeter) {
	meter := &CostMeter{}
	return context.WithValue(ctx, meterKey{}, meter), meter
}

// MeteredTransport is the TransportFunc of connections whose statements can be
// measured: clickhouse-go does not show the summary that the HTTP interface sends
// with its answers.
func MeteredTransport(t *http.Transport) (http.RoundTripper, error) { return meteredTransport{t}, nil }

type meteredTransport struct{ http.RoundTripper }

// RoundTrip lets a measured statement be answered when it has ended: before, the summary
// would be the state at which the answer began, and leave out most of what is read.
func (t meteredTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	meter, measured := request.Context().Value(meterKey{}).(*CostMeter)
	if measured {
		request = request.Clone(request.Context())
		settings := request.URL.Query()
		settings.Set("wait_end_of_query", "1")
		request.URL.RawQuery = settings.Encode()
	}
	response, err := t.RoundTripper.RoundTrip(request)
	if measured && err == nil {
		meter.add(response.Header.Get("X-ClickHouse-Summary"))
	}
	return response, err
}

// add takes one answer's summary. It leaves out what subqueries read whose result is a
// value or a set.
func (m *CostMeter) add(summary string) {
	var s struct {
		ReadRows    uint64 `json:"read_rows,string"`
		ReadBytes   uint64 `json:"read_bytes,string"`
		MemoryUsage uint64 `json:"memory_usage,string"`
	}
	if summary == "" || json.Unmarshal([]byte(summary), &s) != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.Queries++
	m.sum.ReadRows += s.ReadRows
	m.sum.ReadBytes += s.ReadBytes
	m.sum.MemoryBytes = max(m.sum.MemoryBytes, s.MemoryUsage)
}
