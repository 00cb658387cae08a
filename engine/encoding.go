package engine

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	chcompress "github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"
)

// frameBytes is how much plain data goes into one of ClickHouse's compressed frames (max_compress_block_size).
const frameBytes = 1 << 20

// encoder compresses an answer.
type encoder interface {
	open(w http.ResponseWriter) // sets headers; nothing is written before
	encode(data []byte) error
	close() error
}

// chooseEncoder picks ClickHouse's frames for compress=1, else an HTTP encoding if enable_http_compression=1 and the
// client accepts one, else none.
func chooseEncoder(r *http.Request, q *request) encoder {
	if q.compressed {
		method := chcompress.LZ4
		if name, _ := q.setting("network_compression_method"); strings.EqualFold(name, "ZSTD") {
			method = chcompress.ZSTD
		}
		return &frameEncoder{frames: chcompress.NewWriter(chcompress.LevelZero, method)}
	}
	if enabled, _ := q.setting("enable_http_compression"); !isTrue(enabled) {
		return nil
	}
	accepted := r.Header.Get("Accept-Encoding")
	switch {
	case acceptsEncoding(accepted, "zstd"):
		return &streamEncoder{name: "zstd"}
	case acceptsEncoding(accepted, "gzip"):
		return &streamEncoder{name: "gzip"}
	}
	return nil
}

func acceptsEncoding(header, name string) bool {
	for offer := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(offer, ";")
		if strings.EqualFold(strings.TrimSpace(coding), name) && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}

// frameEncoder writes ClickHouse's compressed frames: CityHash128, method, sizes, data.
type frameEncoder struct {
	frames *chcompress.Writer
	out    io.Writer
}

func (e *frameEncoder) open(w http.ResponseWriter) { e.out = w }

func (e *frameEncoder) encode(data []byte) error {
	for len(data) > 0 {
		piece := data[:min(len(data), frameBytes)]
		data = data[len(piece):]
		if err := e.frames.Compress(piece); err != nil {
			return err
		}
		if _, err := e.out.Write(e.frames.Data); err != nil {
			return err
		}
	}
	return nil
}

func (e *frameEncoder) close() error { return nil }

// streamEncoder writes an HTTP Content-Encoding and flushes each piece.
type streamEncoder struct {
	name string
	out  interface {
		io.WriteCloser
		Flush() error
	}
}

func (e *streamEncoder) open(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", e.name)
	w.Header().Add("Vary", "Accept-Encoding")
	if e.name == "gzip" {
		e.out, _ = gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a valid constant
		return
	}
	e.out, _ = zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) // valid options
}

func (e *streamEncoder) encode(data []byte) error {
	if _, err := e.out.Write(data); err != nil {
		return err
	}
	return e.out.Flush()
}

func (e *streamEncoder) close() error { return e.out.Close() }
