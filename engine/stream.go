package engine

import (
	"errors"
	"strings"
	"unsafe"
)

// answer is the output of a running statement, block by block in the engine's memory.
type answer struct {
	connection *connection
	stream     *cResult
	chunk      *cResult
	ended      bool
	progress   progress
}

// progress counts what a statement has read and written so far.
type progress struct {
	readRows, readBytes, writtenRows, writtenBytes uint64
}

func (p *progress) add(l *library, result *cResult) {
	p.readRows += l.resultStorageRows(result)
	p.readBytes += l.resultStorageBytes(result)
	p.writtenRows += l.resultRowsWritten(result)
	p.writtenBytes += l.resultBytesWritten(result)
}

// start runs a SELECT; the caller reads the answer with next and must close it. Other statements are refused
// (notStreamed) before anything of them has run.
func (c *connection) start(sql, format string, parameters []parameter) (*answer, error) {
	var stream *cResult
	withParameters(parameters, func(names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) {
		stream = c.lib.streamQuery(*c.handle, unsafe.StringData(sql), uintptr(len(sql)), unsafe.StringData(format), uintptr(len(format)),
			names, nameLens, values, valueLens, count)
	})
	if text := c.lib.resultError(stream); text != "" {
		c.lib.resultDestroy(stream)
		return nil, newException(text)
	}
	return &answer{connection: c, stream: stream}, nil
}

// next returns the next piece of formatted output, nil at the end. The bytes are valid until the next call.
func (a *answer) next() ([]byte, error) {
	lib := a.connection.lib
	a.drop()
	a.chunk = lib.streamFetch(*a.connection.handle, a.stream)
	if text := lib.resultError(a.chunk); text != "" {
		a.ended = true
		return nil, newException(text)
	}
	a.progress.add(lib, a.chunk)
	data := lib.bytes(a.chunk)
	a.ended = len(data) == 0
	return data, nil
}

// notStreamed tells whether the engine refused a statement because only SELECT can be streamed.
func notStreamed(err error) bool {
	var e *exception
	return errors.As(err, &e) && e.code == codeBadArguments && strings.HasPrefix(e.message, "Streaming query is not supported")
}

// execute runs any statement and hands its whole output to write.
func (c *connection) execute(sql, format string, parameters []parameter, write func([]byte, progress) error) error {
	var result *cResult
	withParameters(parameters, func(names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) {
		result = c.lib.queryWithParams(*c.handle, unsafe.StringData(sql), uintptr(len(sql)), unsafe.StringData(format), uintptr(len(format)),
			names, nameLens, values, valueLens, count)
	})
	defer c.lib.resultDestroy(result)
	if text := c.lib.resultError(result); text != "" {
		return newException(text)
	}
	var done progress
	done.add(c.lib, result)
	return write(c.lib.bytes(result), done)
}

func (a *answer) drop() {
	if a.chunk != nil {
		a.connection.lib.resultDestroy(a.chunk)
		a.chunk = nil
	}
}

func (a *answer) close() {
	a.drop()
	if !a.ended {
		a.connection.lib.streamCancel(*a.connection.handle, a.stream)
	}
	a.connection.lib.resultDestroy(a.stream)
}

// insertion is an open INSERT that takes its data in pieces of any size.
type insertion struct {
	connection *connection
	stream     *cInsertStream
}

// insert opens an INSERT; sql has no FORMAT clause. The caller must finish or cancel it.
func (c *connection) insert(sql, format string, parameters []parameter) (*insertion, error) {
	var stream *cInsertStream
	withParameters(parameters, func(names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) {
		stream = c.lib.insertStream(*c.handle, unsafe.StringData(sql), uintptr(len(sql)), unsafe.StringData(format), uintptr(len(format)),
			names, nameLens, values, valueLens, count)
	})
	if text := c.lib.insertError(stream); text != "" {
		c.lib.insertDestroy(stream)
		return nil, newException(text)
	}
	return &insertion{connection: c, stream: stream}, nil
}

// append hands data over (the engine copies it); false means that the insert has failed and finish says why.
// It blocks while the engine's queue of 16 pieces is full.
func (i *insertion) append(data []byte) bool {
	return len(data) == 0 || i.connection.lib.insertAppend(i.stream, unsafe.SliceData(data), uintptr(len(data))) == 0
}

// finish ends the data, commits and returns what was written.
func (i *insertion) finish() (written progress, err error) {
	lib := i.connection.lib
	defer lib.insertDestroy(i.stream)
	result := lib.insertDone(i.stream)
	defer lib.resultDestroy(result)
	if text := lib.resultError(result); text != "" {
		return progress{}, newException(text)
	}
	written.add(lib, result)
	return written, nil
}

// cancel drops the insert: what the engine has not yet committed is not stored.
func (i *insertion) cancel() {
	i.connection.lib.insertCancel(i.stream)
	i.connection.lib.insertDestroy(i.stream)
}
