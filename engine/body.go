package engine

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	// statementWindow is how much of a body is looked at for the end of an INSERT's statement: max_query_size's default.
	statementWindow = 256 << 10
	// decoderMemory bounds what a zstd body may make its decoder allocate.
	decoderMemory = 128 << 20
)

// openBody is the request's data, decoded; both the wire and the decoded size are bounded by MaxBody.
func (s *server) openBody(out *response, r *http.Request, q *request) (io.ReadCloser, error) {
	limit := s.options.MaxBody
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	var body io.Reader = &patientReader{http.MaxBytesReader(out.writer, r.Body, limit), out}
	closeDecoder := func() error { return nil }
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if !q.compressedBody {
			return io.NopCloser(body), nil
		}
	case "gzip":
		decoder, err := gzip.NewReader(body)
		if err != nil {
			return nil, cannotDecode(encoding, err)
		}
		body = decoder
	case "deflate":
		decoder, err := zlib.NewReader(body)
		if err != nil {
			return nil, cannotDecode(encoding, err)
		}
		body = decoder
	case "br":
		body = brotli.NewReader(body)
	case "zstd":
		decoder, err := zstd.NewReader(body, zstd.WithDecoderMaxMemory(decoderMemory), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, cannotDecode(encoding, err)
		}
		body, closeDecoder = decoder, func() error { decoder.Close(); return nil }
	case "lz4":
		body = lz4.NewReader(body)
	default:
		return nil, refuse(codeUnknownCompression, "UNKNOWN_COMPRESSION_METHOD", "Unknown compression method: %s", encoding)
	}
	if q.compressedBody {
		body = &frameReader{source: body}
	}
	return &decodedBody{reader: body, left: limit, limit: limit, close: closeDecoder}, nil
}

func cannotDecode(encoding string, err error) error {
	return refuse(codeCannotDecompress, "CANNOT_DECOMPRESS", "Cannot decompress the request body (%s): %s", encoding, err)
}

// patientReader gives up when a client sends nothing for ReadTimeout, however long the whole body takes.
type patientReader struct {
	reader io.Reader
	out    *response
}

func (p *patientReader) Read(data []byte) (int, error) {
	p.out.expectBody()
	n, err := p.reader.Read(data)
	if err == io.EOF {
		p.out.expectNothing()
	}
	return n, err
}

// decodedBody bounds what comes out of a decoder and turns its errors into the client's.
type decodedBody struct {
	reader      io.Reader
	left, limit int64
	close       func() error
}

func (d *decodedBody) Read(data []byte) (int, error) {
	n, err := d.reader.Read(data[:min(int64(len(data)), d.left+1)])
	d.left -= int64(n)
	if d.left < 0 {
		return 0, &http.MaxBytesError{Limit: d.limit}
	}
	var tooLarge *http.MaxBytesError
	if err != nil && err != io.EOF && !errors.As(err, &tooLarge) {
		err = cannotDecode("body", err)
	}
	return n, err
}

func (d *decodedBody) Close() error { return d.close() }

// readStatement joins the query parameter and the body as ClickHouse does (parameter, line end, body) and finds the
// statement. rest is an INSERT's data and nil where the statement is all there is.
func readStatement(query string, body io.Reader) (statement, io.Reader, error) {
	if query != "" {
		query += "\n"
		if s := parseStatement(query); s.insert == insertData && s.format != "Values" {
			return s, io.MultiReader(strings.NewReader(query[s.data:]), body), nil
		}
	}
	window := make([]byte, 0, 4<<10)
	window = append(window, query...)
	window, err := readUpTo(body, window, len(query)+statementWindow)
	if err != nil && err != io.EOF {
		return statement{}, nil, fmt.Errorf("read query: %w", err)
	}
	s := parseStatement(string(window))
	if s.insert == insertData && (err == nil || s.format != "Values") {
		return s, io.MultiReader(bytes.NewReader(window[s.data:]), body), nil
	}
	if err == nil {
		window, err = readUpTo(body, window, maxQueryText+1)
		if err != nil && err != io.EOF {
			return statement{}, nil, fmt.Errorf("read query: %w", err)
		}
		if len(window) > maxQueryText {
			return statement{}, nil, &http.MaxBytesError{Limit: maxQueryText}
		}
		s = parseStatement(string(window))
	}
	if s.insert == insertData {
		s.text = string(window)
	}
	if strings.TrimSpace(s.text) == "" {
		return statement{}, nil, refuse(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	}
	return s, nil, nil
}

// readUpTo appends the reader's bytes until there are limit of them; io.EOF says that all of it is there.
func readUpTo(r io.Reader, data []byte, limit int) ([]byte, error) {
	for len(data) < limit {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(cap(data), limit)])
		data = data[:len(data)+n]
		if err != nil {
			return data, err
		}
	}
	return data, nil
}
