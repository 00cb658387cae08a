package engine

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
)

func frames(t testing.TB, method compress.Method, parts ...[]byte) []byte {
	t.Helper()
	var all []byte
	w := compress.NewWriter(compress.LevelZero, method)
	for _, part := range parts {
		if err := w.Compress(part); err != nil {
			t.Fatal(err)
		}
		all = append(all, w.Data...)
	}
	return all
}

func TestFrameReader(t *testing.T) {
	parts := [][]byte{[]byte("hello "), bytes.Repeat([]byte("abc"), 100_000), []byte("!")}
	want := bytes.Join(parts, nil)
	for _, method := range []compress.Method{compress.None, compress.LZ4, compress.LZ4HC, compress.ZSTD} {
		packed := frames(t, method, parts...)
		got, err := io.ReadAll(&frameReader{source: bytes.NewReader(packed)})
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, %v", method, len(got), err)
		}
		for cut := 1; cut < len(packed); cut += 1 + len(packed)/200 {
			got, err := io.ReadAll(&frameReader{source: bytes.NewReader(packed[:cut])})
			if atEnd := bytes.HasPrefix(want, got) && (len(got) == 6 || len(got) == len(want)-1); err == nil && !atEnd {
				t.Fatalf("%s cut after %d bytes: %d bytes and no error", method, cut, len(got))
			}
		}
		for at := range packed {
			if at > 100 && at%(1+len(packed)/50) != 0 {
				continue
			}
			damaged := bytes.Clone(packed)
			damaged[at] ^= 0x10
			if _, err := io.ReadAll(&frameReader{source: bytes.NewReader(damaged)}); err == nil {
				t.Fatalf("%s with byte %d damaged: no error", method, at)
			}
		}
	}
	truncated := frames(t, compress.LZ4, []byte("hello"))[:frameChecksumBytes+frameHeaderBytes]
	if _, err := io.ReadAll(&frameReader{source: bytes.NewReader(truncated)}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a frame without data: %v", err)
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add(frames(f, compress.LZ4, []byte("hello")))
	f.Add(frames(f, compress.ZSTD, []byte("hello"), []byte("again")))
	f.Fuzz(func(t *testing.T, packed []byte) {
		_, _ = io.Copy(io.Discard, io.LimitReader(&frameReader{source: bytes.NewReader(packed)}, 1<<20))
	})
}
