package simulate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkELF and BenchmarkNginxJSON measure how fast the inputs of other
// measurements are made.
func BenchmarkELF(b *testing.B)       { benchmarkStream(b, ELF) }
func BenchmarkNginxJSON(b *testing.B) { benchmarkStream(b, NginxJSON) }

func benchmarkStream(b *testing.B, write func(io.Writer, Limit, uint64) (int64, error)) {
	const size = 32 << 20
	b.SetBytes(size)
	var rows int64
	for b.Loop() {
		var err error
		if rows, err = write(io.Discard, Limit{Bytes: size}, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(size/float64(rows), "bytes/row")
}

func TestELF(t *testing.T) {
	var content bytes.Buffer
	rows, err := ELF(&content, Limit{Rows: 3000}, 9)
	if err != nil || rows != 3000 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	all, err := csv.NewReader(bytes.NewReader(content.Bytes())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3001 || len(all[0]) != 45 {
		t.Fatalf("%d records of %d columns", len(all), len(all[0]))
	}
	var again []byte
	for _, r := range all {
		again = appendRecord(again, r)
	}
	if !bytes.Equal(again, content.Bytes()) {
		t.Error("not every field is quoted")
	}
	if mean := content.Len() / 3000; mean < 600 || mean > 680 {
		t.Errorf("%d bytes a row", mean)
	}
	column := func(r []string, name string) string { return r[slices.Index(all[0], name)] }
	last, failures := "", 0
	for _, r := range all[1:] {
		now := column(r, "TIMESTAMP_DERIVED")
		when, err := time.Parse("2006-01-02T15:04:05.000Z", now)
		if err != nil || now < last || when.Format("20060102150405.000") != column(r, "TIMESTAMP") {
			t.Fatalf("time %q after %q (%v)", now, last, err)
		}
		last = now
		if longID(column(r, "USER_ID")) != column(r, "USER_ID_DERIVED") {
			t.Fatalf("user %q is derived as %q", column(r, "USER_ID"), column(r, "USER_ID_DERIVED"))
		}
		if _, id, ok := strings.Cut(column(r, "URI"), "/Case/"); ok && longID(id[:15]) != id {
			t.Fatalf("record id %q has a wrong checksum", id)
		}
		if column(r, "STATUS_CODE") == "400" {
			failures++
			if !strings.Contains(column(r, "EXCEPTION_MESSAGE"), "\n") {
				t.Fatal("a failure whose message is one line")
			}
		}
	}
	if failures < 10 || failures > 60 {
		t.Errorf("%d of 3000 failed, want about 30", failures)
	}
	var twin bytes.Buffer
	if _, err := ELF(&twin, Limit{Rows: 3000}, 9); err != nil || !bytes.Equal(twin.Bytes(), content.Bytes()) {
		t.Errorf("the same seed gives other bytes (%v)", err)
	}
}

func TestNginxJSON(t *testing.T) {
	var content bytes.Buffer
	rows, err := NginxJSON(&content, Limit{Bytes: 1 << 20}, 9)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(content.String(), "\n"), "\n")
	if int64(len(lines)) != rows || content.Len() < 1<<20 || content.Len() > 1<<20+2000 {
		t.Errorf("%d lines of %d bytes, %d reported", len(lines), content.Len(), rows)
	}
	for _, line := range lines {
		var fields map[string]string
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		when, err := time.Parse(time.RFC3339, fields["time_iso8601"])
		if err != nil || !strings.HasPrefix(fields["msec"], strconv.FormatInt(when.Unix(), 10)+".") {
			t.Fatalf("time %q is not msec %q", fields["time_iso8601"], fields["msec"])
		}
	}
	if mean := content.Len() / len(lines); mean < 1050 || mean > 1200 {
		t.Errorf("%d bytes a line", mean)
	}
}

func TestStreamsNeedALimit(t *testing.T) {
	if _, err := ELF(io.Discard, Limit{}, 1); err == nil || !strings.Contains(err.Error(), "no limit") {
		t.Errorf("error %v", err)
	}
}
