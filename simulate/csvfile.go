package simulate

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

// csvFile is one export under way.
type csvFile struct {
	File
	path   string
	out    *os.File
	buffer *bufio.Writer
	err    error
}

func createCSV(dir, name string, t *table) (*csvFile, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create folder for %s: %w", name, err)
	}
	out, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create export: %w", err)
	}
	f := &csvFile{File: File{Path: name, Product: Salesforce, Log: t.name}, path: path, out: out, buffer: bufio.NewWriter(out)}
	f.put(t.header())
	return f, nil
}

func (f *csvFile) put(b []byte) {
	n, err := f.buffer.Write(b)
	f.Bytes += int64(n)
	if f.err == nil {
		f.err = err
	}
}

func (f *csvFile) write(record []byte) {
	f.put(record)
	f.Records++
}

// finish closes the file and dates it by its delivery, so that a reader that
// goes by modification time meets the files as they arrived.
func (f *csvFile) finish() (File, error) {
	if err := f.buffer.Flush(); f.err == nil {
		f.err = err
	}
	if err := f.out.Close(); f.err == nil {
		f.err = err
	}
	if f.err == nil && !f.Delivered.IsZero() {
		f.err = os.Chtimes(f.path, f.Delivered, f.Delivered)
	}
	if f.err != nil {
		return f.File, fmt.Errorf("write %s: %w", f.Path, f.err)
	}
	return f.File, nil
}
