package simulate

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lineLog is a live log: one file, a line a record, in the order of time.
type lineLog struct {
	File
	hours  *hours
	out    *os.File
	buffer *bufio.Writer
}

func createLineLog(dir, name, product, log string, o Options) (*lineLog, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create folder for %s: %w", name, err)
	}
	out, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	f := File{Path: name, Product: product, Log: log, From: o.Start, To: o.end()}
	return &lineLog{f, newHours(o.Start, o.end()), out, bufio.NewWriterSize(out, 1<<16)}, nil
}

// add takes one line, written without its newline.
func (l *lineLog) add(when time.Time, write func([]byte) []byte) {
	if l != nil {
		l.hours.add(when, func(to []byte) []byte { return append(write(to), '\n') })
	}
}

// flush appends the hour that starts at from.
func (l *lineLog) flush(from time.Time) error {
	if l == nil {
		return nil
	}
	h := l.hours.take(from)
	if h == nil {
		return nil
	}
	for _, r := range h.records {
		n, err := l.buffer.Write(h.data[r.start:r.end])
		if err != nil {
			return fmt.Errorf("write %s: %w", l.Path, err)
		}
		l.Bytes += int64(n)
		l.Records++
	}
	return nil
}

func (l *lineLog) finish() error {
	if l == nil {
		return nil
	}
	err := l.buffer.Flush()
	if closing := l.out.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.Path, err)
	}
	return nil
}
