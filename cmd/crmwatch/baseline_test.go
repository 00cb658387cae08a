package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// judgeCSV runs the command over text and returns its rows, what it said, and its code.
func judgeCSV(t *testing.T, text string, args ...string) (rows [][]string, said string, code int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "series.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = execute(context.Background(), append([]string{"baseline", path}, args...), terminal{&out, &errs})
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows, errs.String(), code
}

// daily is a day's curve in 5-minute steps with one strange value.
func daily(n, strange int, when func(i int) string) string {
	var text strings.Builder
	for i := range n {
		x := 60 + 20*math.Sin(2*math.Pi*float64(i)/288) + float64(i*7919%101)/25
		if i == strange {
			x = 130
		}
		fmt.Fprintf(&text, "%s,%.3f\n", when(i), x)
	}
	return text.String()
}

// Whatever the notation of times, the scores are the same, and rows stand as they stood.
func TestBaselineReadsTimes(t *testing.T) {
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(i int) time.Time { return begin.Add(time.Duration(i) * 5 * time.Minute) }
	var want []string
	for name, when := range map[string]func(i int) string{
		"RFC 3339":     func(i int) string { return at(i).Format(time.RFC3339) },
		"date time":    func(i int) string { return at(i).Format(time.DateTime) },
		"fractions":    func(i int) string { return at(i).Format("2006-01-02 15:04:05.000000") },
		"seconds":      func(i int) string { return strconv.FormatInt(at(i).Unix(), 10) },
		"milliseconds": func(i int) string { return strconv.FormatInt(at(i).UnixMilli(), 10) },
		"nanoseconds":  func(i int) string { return strconv.FormatInt(at(i).UnixNano(), 10) },
		"seconds.0":    func(i int) string { return strconv.FormatInt(at(i).Unix(), 10) + ".0" },
	} {
		rows, said, code := judgeCSV(t, "\ufefftimestamp,value\r\n"+daily(1500, 1400, when))
		if code != exitOK || len(rows) != 1501 {
			t.Fatalf("%s: code %d, %d rows: %s", name, code, len(rows), said)
		}
		var got []string
		for i, row := range rows[1:] {
			if row[0] != when(i) {
				t.Fatalf("%s: row %d is %q, stood as %q", name, i, row[0], when(i))
			}
			got = append(got, row[2]+" "+row[3])
		}
		if want == nil {
			want = got
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%s: row %d is judged %s, in another notation %s", name, i, got[i], want[i])
			}
		}
		if rows[1401][3] != "1" || rows[100][2] != "0.000000" {
			t.Errorf("%s: the strange value is judged %v, one of the warm-up %v", name, rows[1401], rows[100])
		}
	}
}

func TestBaselineReadsRows(t *testing.T) {
	when := func(i int) string { return strconv.Itoa(i + 1) }
	text := daily(1200, 1000, when)
	for name, text := range map[string]string{
		"row numbers, no header": text,
		"columns in any order":   "value,label,timestamp\n" + regroup(text),
		"values are missing":     strings.Replace(text, "\n500,", "\n499,NaN\n499,\n500,", 1),
		"a row twice":            strings.Replace(text, "\n700,", "\n700,61\n700,", 1),
	} {
		rows, said, code := judgeCSV(t, text, "--stats")
		if code != exitOK {
			t.Errorf("%s: %s", name, said)
			continue
		}
		open := 0
		for _, row := range rows[1:] {
			if row[3] == "1" {
				open++
			}
		}
		if open != 1 || !strings.Contains(said, "one in 1h0m0s") {
			t.Errorf("%s: %d rows open, said %s", name, open, said)
		}
	}
}

// regroup moves the timestamp behind the value and a label.
func regroup(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		when, value, _ := strings.Cut(strings.TrimSpace(line), ",")
		fmt.Fprintf(&out, "%s,a label,%s\n", value, when)
	}
	return out.String()
}

func TestBaselineRefuses(t *testing.T) {
	for _, c := range []struct{ text, args, want string }{
		{"2026-03-02 00:05:00,1\n2026-03-02 00:00:00,2\n", "", "series.csv:2: 2026-03-02 00:00:00 is before 2026-03-02 00:05:00 of the row above"},
		{"timestamp,value\n2026-03-02 00:05:00,x\n", "", `series.csv:2: "x" is no number`},
		{"yesterday,1\n", "", `series.csv:1: "yesterday" is no time`},
		{"2026-03-02 00:05:00\n", "", "series.csv:1: a timestamp and a value are wanted"},
		{"2026-03-02 00:05:00,\"1\n", "", "series.csv:1: this is no CSV"},
		{"timestamp,value\n", "", "there is no row"},
		{"", "", "there is no row"},
		{"1,1\n", "--bucket=often", "--bucket often"},
		{"1,1\n", "--warm-up=-3", "--warm-up is negative"},
	} {
		args := strings.Fields(c.args)
		if _, said, code := judgeCSV(t, c.text, args...); code == exitOK || !strings.Contains(said, c.want) {
			t.Errorf("%q %s: code %d, said %q, want %q", c.text, c.args, code, said, c.want)
		}
	}
}

// The numbers in what --stats says have the digits of the series, not those of a
// conversion.
func TestBaselineSaysNumbersAsTheSeriesHasThem(t *testing.T) {
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	_, said, code := judgeCSV(t, daily(5000, 4900, func(i int) string { return begin.Add(time.Duration(i) * 5 * time.Minute).Format(time.RFC3339) }), "--stats")
	_, median, _ := strings.Cut(said, " median ")
	median, _, _ = strings.Cut(median, ",")
	if _, digits, _ := strings.Cut(median, "."); code != 0 || median == "" || len(digits) == 0 || len(digits) > 5 {
		t.Errorf("exit code %d, the median is %q in %q", code, median, said)
	}
}
