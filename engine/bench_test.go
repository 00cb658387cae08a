package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// BenchmarkSelectOne is the cost of a request that does nothing: HTTP, a fresh connection, parsing, a pipeline.
func BenchmarkSelectOne(b *testing.B) {
	conn := enginetest.Open(b)
	for b.Loop() {
		var one uint8
		if err := conn.QueryRow(context.Background(), "SELECT 1").Scan(&one); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInsertNative inserts blocks of 65,536 rows and 60 columns, and reports the engine's CPU time. "parse" is the
// same into a table that keeps nothing.
func BenchmarkInsertNative(b *testing.B) {
	const rows = 65536
	var columns, values []string
	for i := range 40 {
		columns = append(columns, fmt.Sprintf("s%d LowCardinality(String)", i))
		values = append(values, fmt.Sprintf("toLowCardinality(concat('value-', toString(cityHash64(number, %d) %% %d))) AS s%d", i, []int{1, 5, 50, 2000}[i%4], i))
	}
	for i := range 20 {
		columns = append(columns, fmt.Sprintf("n%d UInt32", i))
		values = append(values, fmt.Sprintf("toUInt32(cityHash64(number, %d) %% 1000) AS n%d", i, i))
	}
	block := native(b, fmt.Sprintf("SELECT %s FROM numbers(%d) SETTINGS max_block_size = %d", strings.Join(values, ", "), rows, rows))
	for _, engineClause := range []string{"Null", "ReplacingMergeTree ORDER BY (s1, s2, n1) SETTINGS non_replicated_deduplication_window = 1000"} {
		name, _, _ := strings.Cut(engineClause, " ")
		for _, optimize := range []int{0, 1} {
			b.Run(fmt.Sprintf("%s/optimize_on_insert=%d", name, optimize), func(b *testing.B) {
				conn := enginetest.Open(b)
				mustExec(b, conn, "CREATE TABLE t ("+strings.Join(columns, ", ")+") ENGINE = "+engineClause)
				before, n := processCPU(b, enginetest.Start(b).PID()), 0
				for b.Loop() {
					n++
					ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{
						"insert_deduplication_token": strconv.Itoa(n), "optimize_on_insert": optimize,
					}))
					if err := conn.InsertFormat(ctx, "Native", "INSERT INTO t", bytes.NewReader(block)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric((processCPU(b, enginetest.Start(b).PID())-before)/(float64(n*rows)/1e6), "engine-cpu-s/Mrow")
				b.SetBytes(int64(len(block)))
			})
		}
	}
}

// processCPU is the CPU time of a process in seconds: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
func processCPU(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, errUser := strconv.Atoi(fields[11])
	system, errSystem := strconv.Atoi(fields[12])
	if errUser != nil || errSystem != nil {
		b.Fatal(errUser, errSystem)
	}
	return float64(user+system) / 100
}
