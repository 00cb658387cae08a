package receive

import (
	"errors"
	"fmt"
	"iter"

	"github.com/crmwatch/crmwatch/agent/formats"
)

// groupBytes is how many bytes of records stand in one line. Each line repeats resource
// and scope: many records share them, so that a small request cannot become a large one.
const groupBytes = 256 << 10

// maxAttributes bounds a resource or a scope, for the same reason.
const maxAttributes = 512 << 10

var errAttributes = fmt.Errorf("a resource or scope has more than %d bytes", maxAttributes)

// requestLines is the request as lines of OTLP/JSON, as the file exporter of the
// OpenTelemetry Collector writes them.
func requestLines(body []byte, binary bool) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { _ = eachLine(body, binary, yield) }
}

// checkRequest says what is wrong with a request as a whole.
func checkRequest(body []byte, binary bool) error {
	return eachLine(body, binary, func([]byte) bool { return true })
}

func eachLine(body []byte, binary bool, yield func([]byte) bool) error {
	g := &groups{yield: yield}
	var err error
	if binary {
		err = g.protobuf(body)
	} else {
		err = g.json(body)
	}
	if err == nil {
		err = g.end()
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// errStopped means that nobody wants more lines.
var errStopped = errors.New("no more lines are wanted")

// groups collects records into lines.
type groups struct {
	yield func([]byte) bool
	// resource and scope are members of their objects, each with a comma behind it.
	resource, scope []byte
	line            []byte
	// records is how many bytes of records and scopes the line has; open says what of the
	// line is begun.
	records   int
	open      bool
	scopeOpen bool
}

// begin goes on with another resource.
func (g *groups) begin() error {
	err := g.end()
	g.resource, g.scope = g.resource[:0], g.scope[:0]
	return err
}

// beginScope goes on with another scope of the same resource.
func (g *groups) beginScope() {
	if g.scopeOpen {
		g.line = append(g.line, "]}"...)
		g.scopeOpen = false
	}
	g.scope = g.scope[:0]
}

// record lets write append a record to the line. A record that makes the line longer than
// any may be stands alone; if it is too long even then, it is cut, and rejected as such.
func (g *groups) record(write func(line []byte) ([]byte, error)) error {
	if g.records >= groupBytes {
		if err := g.end(); err != nil {
			return err
		}
	}
	for {
		before, open, scopeOpen := len(g.line), g.open, g.scopeOpen
		g.beginRecord()
		if !open {
			// What a line repeats of the one before does not count.
			before = len(g.line)
		}
		line, err := write(g.line)
		if err != nil && !errors.Is(err, errRecordTooLong) {
			return err
		}
		if err == nil && len(line) < formats.MaxRecord-8 {
			g.records += len(line) - before
			g.line = line
			return nil
		}
		if !open {
			g.line = line[:min(len(line), formats.MaxRecord+1)]
			return g.hand()
		}
		g.line, g.scopeOpen = g.line[:before], scopeOpen
		if err := g.end(); err != nil {
			return err
		}
	}
}

// beginRecord appends what stands before the next record.
func (g *groups) beginRecord() {
	if !g.open {
		g.line = append(append(append(g.line[:0], `{"resourceLogs":[{`...), g.resource...), `"scopeLogs":[`...)
		g.open = true
	}
	if g.scopeOpen {
		g.line = append(g.line, ',')
		return
	}
	if g.line[len(g.line)-1] == '}' {
		g.line = append(g.line, ',')
	}
	g.line = append(append(append(g.line, '{'), g.scope...), `"logRecords":[`...)
	g.scopeOpen = true
}

// errRecordTooLong is a record that no line has room for.
var errRecordTooLong = errors.New("the record is too long")

// end hands the open line on.
func (g *groups) end() error {
	if !g.open {
		return nil
	}
	if g.scopeOpen {
		g.line = append(g.line, "]}"...)
	}
	g.line = append(g.line, "]}]}"...)
	return g.hand()
}

func (g *groups) hand() error {
	g.line = append(g.line, '\n')
	g.open, g.scopeOpen, g.records = false, false, 0
	if !g.yield(g.line) {
		return errStopped
	}
	return nil
}
