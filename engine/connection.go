package engine

import (
	"errors"
	"runtime"
	"unsafe"
)

// connection is one chDB session: its own settings, role and current database over the one engine of the process.
// It runs one statement at a time.
type connection struct {
	lib    *library
	handle **cConnection
}

// parameter is a server-side query parameter ({name:Type}); the value is in ClickHouse's escaped (TSV) form.
type parameter struct{ name, value string }

var errConnect = errors.New("chdb_connect returned no connection")

// open connects to the engine. The first connection of the process boots it with args; later ones must carry the same
// --path and otherwise none.
func (l *library) open(args ...string) (*connection, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]*byte, len(args)+1)
	for i, arg := range args {
		text := append([]byte(arg), 0)
		pin.Pin(&text[0])
		argv[i] = &text[0]
	}
	pin.Pin(&argv[0])
	handle := l.connect(int32(len(args)), &argv[0])
	if handle == nil || *handle == nil {
		return nil, errConnect
	}
	return &connection{lib: l, handle: handle}, nil
}

func (c *connection) close() {
	c.lib.closeConn(c.handle)
	c.handle = nil
}

// exec runs one or more statements and drops their output.
func (c *connection) exec(sql string) error {
	_, err := c.queryText(sql, "Null")
	return err
}

// queryText runs one statement and returns its whole output: for small answers only.
func (c *connection) queryText(sql, format string) ([]byte, error) {
	result := c.lib.query(*c.handle, unsafe.StringData(sql), uintptr(len(sql)), unsafe.StringData(format), uintptr(len(format)))
	defer c.lib.resultDestroy(result)
	if text := c.lib.resultError(result); text != "" {
		return nil, newException(text)
	}
	return append([]byte(nil), c.lib.bytes(result)...), nil
}

// classify parses sql and reports what it would do, without running it.
func (c *connection) classify(sql string) queryAnalysis {
	analysis := queryAnalysis{structSize: queryAnalysisSize}
	if c.lib.classify(*c.handle, unsafe.StringData(sql), uintptr(len(sql)), nil, 0, &analysis) != 0 {
		analysis.queryClass = classUnknown
	}
	return analysis
}

// bytes is the result's data in the library's memory: valid until the result is destroyed.
func (l *library) bytes(result *cResult) []byte {
	length := l.resultLength(result)
	if length == 0 {
		return nil
	}
	return unsafe.Slice(l.resultBuffer(result), length)
}

// withParameters lays the parameters out as the C API's four arrays for the time of call.
func withParameters(parameters []parameter, call func(names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr)) {
	if len(parameters) == 0 {
		call(nil, nil, nil, nil, 0)
		return
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	var (
		count     = len(parameters)
		names     = make([]*byte, count)
		values    = make([]*byte, count)
		nameLens  = make([]uintptr, count)
		valueLens = make([]uintptr, count)
	)
	hold := func(text string) (*byte, uintptr) {
		buffer := append([]byte(text), 0)
		pin.Pin(&buffer[0])
		return &buffer[0], uintptr(len(text))
	}
	for i, p := range parameters {
		names[i], nameLens[i] = hold(p.name)
		values[i], valueLens[i] = hold(p.value)
	}
	pin.Pin(&names[0])
	pin.Pin(&values[0])
	call(&names[0], &nameLens[0], &values[0], &valueLens[0], uintptr(count))
}
