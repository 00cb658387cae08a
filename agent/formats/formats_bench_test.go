package formats

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// benchSize is how large a sample is made, in bytes.
const benchSize = 1 << 20

// BenchmarkFormats reads the good samples of each format, each as if it were a large
// file, and reports records and megabytes a second of one core.
func BenchmarkFormats(b *testing.B) {
	for _, format := range all {
		b.Run(format.Name, func(b *testing.B) {
			files, size := benchSamples(b, format), 0
			for _, data := range files {
				size += len(data)
			}
			counter := &eventCounter{}
			b.SetBytes(int64(size))
			began := cpuSeconds()
			for b.Loop() {
				for _, data := range files {
					format.New(Options{Tenant: "acme"}).Decode(data, true, counter)
				}
			}
			if counter.events == 0 || counter.rejected > counter.events {
				b.Fatalf("%d records of the samples are read and %d rejected", counter.events, counter.rejected)
			}
			b.ReportMetric(float64(counter.events)/(cpuSeconds()-began), "records/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// benchSamples are the good samples of a format. The records of each are repeated until
// it is large; the header of a table stands once.
func benchSamples(b *testing.B, format Format) (samples [][]byte) {
	files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*"))
	for _, file := range files {
		name := filepath.Base(file)
		if filepath.Ext(name) == ".golden" || strings.HasPrefix(name, "bad") || strings.HasPrefix(name, "broken") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		data = bytes.TrimPrefix(data, byteOrderMark)
		if looksUTF16(data) || format.Detect(data[:min(len(data), HeadSize)]) == "" {
			continue
		}
		if !bytes.HasSuffix(data, []byte{'\n'}) {
			data = append(data, '\n')
		}
		head, rest := []byte(nil), data
		if filepath.Ext(name) == ".csv" {
			end := bytes.IndexByte(data, '\n') + 1
			head, rest = data[:end], data[end:]
		}
		var probe eventCounter
		if format.New(Options{}).Decode(data, true, &probe); probe.events > 0 && len(rest) > 0 {
			samples = append(samples, append(head, bytes.Repeat(rest, benchSize/len(rest)+1)...))
		}
	}
	if len(samples) == 0 {
		b.Fatalf("%s has no sample", format.Name)
	}
	return samples
}

// BenchmarkAgainstBareSplit compares decoding, identity included, with nothing but
// splitting the same bytes into fields, in turn and by processor time.
func BenchmarkAgainstBareSplit(b *testing.B) {
	csv := restAPIFile(20_000)
	var combined, flat strings.Builder
	for i := range rowsPerBlock {
		fmt.Fprintf(&combined, benchCombined, i%200, i%7, i/60%60, i%60, i, 200+i%3, 1000+i)
		fmt.Fprintf(&flat, benchJSON, i/60%60, i%60, i%60, i%200, i%7, i, 1000+i, 1400+i, i%200, i)
	}
	var parser fastjson.Parser
	for _, c := range []struct {
		name   string
		format Format
		data   []byte
		split  func(line []byte) int
	}{
		{"csv", salesforceELF, csv, splitQuoted},
		{"json", nginxJSON, []byte(flat.String()), func(line []byte) int {
			v, err := parser.ParseBytes(line)
			if err != nil {
				b.Fatal(err)
			}
			return v.GetObject().Len()
		}},
		{"nginx", nginx, []byte(combined.String()), splitSpaces},
	} {
		b.Run(c.name, func(b *testing.B) {
			counter, decoding, splitting, fields := &eventCounter{}, 0.0, 0.0, 0
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				began := cpuSeconds()
				decodeBlocks(c.format.New(Options{Tenant: "acme"}), c.data, counter)
				between := cpuSeconds()
				for line := range bytes.Lines(c.data) {
					fields += c.split(line)
				}
				decoding, splitting = decoding+between-began, splitting+cpuSeconds()-between
			}
			if counter.rejected > 0 || fields < 9*counter.events {
				b.Fatalf("%d records rejected, %d fields in %d records", counter.rejected, fields, counter.events)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(decoding/splitting, "x-bare-split")
			b.ReportMetric(decoding/float64(counter.events)*1e6, "cpu-s/Mrow")
			b.ReportMetric(splitting/float64(counter.events)*1e6, "bare-cpu-s/Mrow")
		})
	}
}

// splitQuoted counts the fields of a line of quoted CSV. It is the plainest loop that
// gets quotes inside fields right.
func splitQuoted(line []byte) (fields int) {
	for len(line) > 0 && line[0] == '"' {
		end := 1
		for end < len(line) && (line[end] != '"' || end+1 < len(line) && line[end+1] == '"') {
			if line[end] == '"' {
				end++
			}
			end++
		}
		fields++
		line = line[min(end+2, len(line)):]
	}
	return fields
}

// splitSpaces counts the fields of an access log's line: between blanks, quotes or
// brackets.
func splitSpaces(line []byte) (fields int) {
	for i := 0; i < len(line); i++ {
		until := byte(' ')
		switch line[i] {
		case '"':
			until, i = '"', i+1
		case '[':
			until, i = ']', i+1
		case ' ', '\n':
			continue
		}
		for i < len(line) && line[i] != until && line[i] != '\n' {
			if line[i] == '\\' {
				i++
			}
			i++
		}
		fields++
	}
	return fields
}
