package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// point is one row of a series: what it says, and as it stood.
type point struct {
	at              time.Time
	value           float64 // NaN if missing
	timestamp, text string
}

func (p point) missing() bool { return math.IsNaN(p.value) || math.IsInf(p.value, 0) }

// pointError is a row that cannot be understood.
type pointError struct {
	line   int
	reason string
}

func (e pointError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// points reads the rows of a CSV, one after the other.
type points struct {
	rows        *csv.Reader
	begun       bool
	time, value int // columns
	// numbered says that timestamps are row numbers, each step apart.
	numbered bool
	step     time.Duration
	last     point
}

// newPoints reads a CSV; row numbers are a bucket apart, or an hour if it is 0.
func newPoints(in io.Reader, bucket time.Duration) *points {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord, rows.ReuseRecord, rows.TrimLeadingSpace = -1, true, true
	if bucket == 0 {
		bucket = time.Hour
	}
	return &points{rows: rows, value: 1, step: bucket}
}

// next gives the next row, io.EOF after the last, or a pointError.
func (p *points) next() (point, error) {
	for {
		fields, err := p.rows.Read()
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			return point{}, pointError{bad.Line, "this is no CSV: " + bad.Err.Error()}
		case err != nil:
			return point{}, err
		}
		line, _ := p.rows.FieldPos(0)
		first := !p.begun
		p.begun = true
		if first {
			fields[0] = strings.TrimPrefix(fields[0], "\ufeff")
			if p.header(fields) {
				continue
			}
		}
		if len(fields) <= max(p.time, p.value) {
			return point{}, pointError{line, "a timestamp and a value are wanted, parted by a comma"}
		}
		out := point{timestamp: strings.Clone(fields[p.time]), text: strings.Clone(fields[p.value])}
		if out.value, err = pointValue(out.text); err != nil {
			return point{}, pointError{line, err.Error()}
		}
		if out.at, err = p.when(out.timestamp); err != nil {
			return point{}, pointError{line, err.Error()}
		}
		if !p.last.at.IsZero() && out.at.Before(p.last.at) {
			return point{}, pointError{line, fmt.Sprintf("%s is before %s of the row above: sort the rows by time", out.timestamp, p.last.timestamp)}
		}
		p.last = out
		return out, nil
	}
}

// header says whether a first row names the columns, and finds them.
func (p *points) header(fields []string) bool {
	if _, err := timeOf(fields[0]); err == nil {
		return false
	}
	if len(fields) > 1 {
		if x, err := pointValue(fields[1]); err == nil && !math.IsNaN(x) {
			return false // a row of data with a mistake in its time
		}
	}
	for i, name := range fields {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "timestamp", "timestamps", "time", "datetime", "date":
			p.time = i
		case "value":
			p.value = i
		}
	}
	if p.time == p.value {
		p.value = p.time + 1
	}
	return true
}

// mostRows is the end of row numbers; as seconds it is March 1973.
const mostRows = 1e8

func (p *points) when(text string) (time.Time, error) {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && n >= 0 && n < mostRows && (p.numbered || p.last.at.IsZero()) {
		p.numbered = true
		return time.UnixMilli(n * p.step.Milliseconds()).UTC(), nil
	}
	return timeOf(text)
}

var timeLayouts = []string{
	time.RFC3339, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02T15:04:05Z0700",
	"2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly, "2006/01/02 15:04:05", "2006/01/02 15:04",
}

// timeOf reads a time: Unix seconds to nanoseconds by size, or a written one. Times
// without a zone are UTC.
func timeOf(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
		for _, unit := range []struct {
			below float64
			unit  time.Duration
		}{{1e11, time.Second}, {1e14, time.Millisecond}, {1e17, time.Microsecond}, {9e18, time.Nanosecond}} {
			if math.Abs(x) < unit.below {
				whole, part := math.Modf(x)
				second := int64(time.Second / unit.unit)
				return time.Unix(int64(whole)/second, int64(whole)%second*int64(unit.unit)+int64(part*float64(unit.unit))).UTC(), nil
			}
		}
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write Unix seconds or milliseconds, 2006-01-02T15:04:05Z or 2006-01-02 15:04:05", shorten(text, 40))
}

// pointValue reads a value; NaN where it is missing.
func pointValue(text string) (float64, error) {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "", "-", "null", "none", "na", "n/a", "nan":
		return math.NaN(), nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is no number: write one with a point for decimals, or leave it empty", shorten(text, 40))
	}
	return x, nil
}
