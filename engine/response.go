package engine

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// holdBytes is how much of an answer is kept back before the status line goes out, so that a query that fails early
	// still gets a proper error status.
	holdBytes = 64 << 10
	// holdTime is how long it may be kept back once more of it comes, so that a slow answer is seen as it grows.
	holdTime = 500 * time.Millisecond
	// drainBytes is how much of a refused body is read, within one ReadTimeout.
	drainBytes = 64 << 20
	// writeTimeout is how long one piece of an answer may take to leave; a client that reads nothing loses its query.
	writeTimeout = 2 * time.Minute
)

// response writes one answer: held back at first, then streamed, through the encoding that the client asked for.
type response struct {
	server     *server
	writer     http.ResponseWriter
	controller *http.ResponseController
	encoder    encoder
	held       []byte
	hold       int // how many bytes may be held before commit
	holdUntil  time.Time
	tag        string
	committed  bool
}

// begin sets the headers that are known before the query runs.
func (o *response) begin(r *http.Request, q *request) {
	setHeader(o.writer, "X-ClickHouse-Query-Id", q.id)
	setHeader(o.writer, "X-ClickHouse-Timezone", o.server.identity.timezone)
	o.tag = strings.ToLower(rand.Text())[:16]
	setHeader(o.writer, "X-ClickHouse-Exception-Tag", o.tag)
	o.encoder = chooseEncoder(r, q)
	o.hold, o.holdUntil = holdBytes, time.Now().Add(holdTime)
	if q.waitEnd {
		o.hold, o.holdUntil = o.server.options.MaxAnswerHeld, o.holdUntil.AddDate(1, 0, 0)
	}
}

func (o *response) setFormat(format string) {
	setHeader(o.writer, "X-ClickHouse-Format", format)
	o.writer.Header().Set("Content-Type", contentType(format))
}

func (o *response) setSummary(p progress) {
	setHeader(o.writer, "X-ClickHouse-Summary", fmt.Sprintf(
		`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"0","result_bytes":"0"}`,
		p.readRows, p.readBytes, p.writtenRows, p.writtenBytes))
}

// write takes one piece of the formatted answer. The bytes are not kept.
func (o *response) write(data []byte) error {
	if !o.committed && len(o.held)+len(data) <= o.hold && time.Now().Before(o.holdUntil) {
		o.held = append(o.held, data...)
		return nil
	}
	if err := o.commit(); err != nil {
		return err
	}
	if err := o.send(data); err != nil {
		return err
	}
	return o.controller.Flush()
}

// commit sends the status line and what was held back.
func (o *response) commit() error {
	if o.committed {
		return nil
	}
	o.committed = true
	if o.encoder != nil {
		o.encoder.open(o.writer)
	}
	return o.send(o.held)
}

func (o *response) send(data []byte) error {
	o.extendWriting()
	if o.encoder == nil {
		_, err := o.writer.Write(data)
		return err
	}
	return o.encoder.encode(data)
}

// finish ends a good answer.
func (o *response) finish() error {
	if !o.committed && o.encoder == nil {
		o.writer.Header().Set("Content-Length", strconv.Itoa(len(o.held)))
	}
	if err := o.commit(); err != nil {
		return err
	}
	if o.encoder != nil {
		return o.encoder.close()
	}
	return nil
}

// exception ends a failed answer. Before the first byte it is an error status with the text as body. After that the text
// goes into the body between ClickHouse's __exception__ marks (WriteBufferFromHTTPServerResponse.cpp), and the chunked
// body is left without its end, so that a client which does not know the marks sees a broken answer and not a short one.
func (o *response) exception(e *exception) {
	text := o.server.exceptionText(e)
	o.extendWriting()
	if !o.committed {
		header := o.writer.Header()
		setHeader(o.writer, "X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		header.Set("Content-Type", "text/plain; charset=UTF-8")
		header.Del("Content-Encoding")
		o.writer.WriteHeader(e.httpStatus())
		_, _ = o.writer.Write([]byte(text))
		return
	}
	frame := fmt.Sprintf("\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", o.tag, text, len(text), o.tag)
	_ = o.send([]byte(frame))
	if o.encoder != nil {
		_ = o.encoder.close()
	}
	_ = o.controller.Flush()
	panic(http.ErrAbortHandler)
}

// The deadlines are the connection's and outlive a request, so each request sets both anew. A connection without deadlines
// is one of a test.

// expectBody gives the client another ReadTimeout to send something.
func (o *response) expectBody() {
	_ = o.controller.SetReadDeadline(time.Now().Add(o.server.options.ReadTimeout))
}

// expectNothing lifts the deadline when the body has come: from here on net/http reads only to see the client go, and
// would take a deadline for that.
func (o *response) expectNothing() { _ = o.controller.SetReadDeadline(time.Time{}) }

// extendWriting gives the client another writeTimeout to take something.
func (o *response) extendWriting() {
	_ = o.controller.SetWriteDeadline(time.Now().Add(writeTimeout))
}

// drain reads what is left of a refused body: a client that is still sending would not see the answer otherwise.
func (o *response) drain(body io.Reader) {
	o.expectBody()
	_, _ = io.CopyN(io.Discard, body, drainBytes)
}

// setHeader keeps ClickHouse's own spelling, which http.Header.Set would change (X-Clickhouse-...): scripts that read
// headers as text look for it.
func setHeader(w http.ResponseWriter, name, value string) { w.Header()[name] = []string{value} }

// contentType is the media type that ClickHouse gives a format.
func contentType(format string) string {
	name := strings.ToLower(format)
	switch {
	case strings.HasPrefix(name, "jsoneachrow"), strings.HasPrefix(name, "jsoncompacteachrow"), strings.HasPrefix(name, "jsonstringseachrow"), name == "ndjson", name == "jsonlines":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(name, "json"):
		return "application/json; charset=UTF-8"
	case name == "csv":
		return "text/csv; charset=UTF-8; header=absent"
	case strings.HasPrefix(name, "csv"):
		return "text/csv; charset=UTF-8; header=present"
	case strings.HasPrefix(name, "tabseparated"), strings.HasPrefix(name, "tsv"):
		return "text/tab-separated-values; charset=UTF-8"
	case name == "native", strings.HasPrefix(name, "rowbinary"), name == "parquet", strings.HasPrefix(name, "arrow"), name == "orc", name == "avro", name == "msgpack":
		return "application/octet-stream"
	case name == "xml":
		return "application/xml; charset=UTF-8"
	}
	return "text/plain; charset=UTF-8"
}
