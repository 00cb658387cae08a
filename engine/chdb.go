package engine

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// Handles of the C API (chdb.h). They point into the library's memory, which the Go collector does not own or move.
type (
	cConnection   struct{ _ byte }
	cResult       struct{ _ byte }
	cInsertStream struct{ _ byte }
)

// queryAnalysis is chdb_query_analysis_v1; structSize must hold its own size before the call.
type queryAnalysis struct {
	structSize     uint32
	statementCount uint32
	_              uint32 // flags
	queryClass     uint32
}

const queryAnalysisSize = 16

// Statement classes of chdb_classify_query_n (enum chdb_query_class).
const (
	classReadOnly = 0
	classUnknown  = 4
)

// library is libchdb's C API, bound by name. All functions may be called from any goroutine: chDB attaches and detaches
// its own per-thread state inside each call, so no thread has to be locked. Calls block the calling OS thread.
// Calls on one connection must not overlap.
type library struct {
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv **byte) **cConnection
	closeConn         func(conn **cConnection)
	shutdown          func() int32

	query           func(conn *cConnection, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr) *cResult
	queryWithParams func(conn *cConnection, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr, names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) *cResult
	classify        func(conn *cConnection, sql *byte, sqlLen uintptr, database *byte, databaseLen uintptr, out *queryAnalysis) int32

	streamQuery  func(conn *cConnection, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr, names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) *cResult
	streamFetch  func(conn *cConnection, stream *cResult) *cResult
	streamCancel func(conn *cConnection, stream *cResult)

	insertStream  func(conn *cConnection, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr, names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) *cInsertStream
	insertAppend  func(stream *cInsertStream, data *byte, length uintptr) int32
	insertDone    func(stream *cInsertStream) *cResult
	insertCancel  func(stream *cInsertStream)
	insertError   func(stream *cInsertStream) string
	insertDestroy func(stream *cInsertStream)

	resultBuffer       func(result *cResult) *byte
	resultLength       func(result *cResult) uintptr
	resultError        func(result *cResult) string
	resultStorageRows  func(result *cResult) uint64
	resultStorageBytes func(result *cResult) uint64
	resultRowsWritten  func(result *cResult) uint64
	resultBytesWritten func(result *cResult) uint64
	resultDestroy      func(result *cResult)
}

// loadLibrary binds libchdb.so at path. It is loaded for the life of the process: it starts threads that nothing joins.
func loadLibrary(path string) (lib *library, err error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load library %s: %w", path, err)
	}
	lib = new(library)
	for symbol, function := range lib.symbols() {
		address, err := purego.Dlsym(handle, symbol)
		if err != nil {
			return nil, fmt.Errorf("bind library %s (chDB %s or newer is needed): %w", path, LibraryVersion, err)
		}
		purego.RegisterFunc(function, address)
	}
	// chDB would replace Go's SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT handlers at the first connect, and the next
	// recovered nil dereference in Go would kill the process. This must come before any chdb_connect.
	lib.setSignalHandlers(0)
	return lib, nil
}

func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_shutdown":                    &l.shutdown,
		"chdb_query_n":                     &l.query,
		"chdb_query_with_params_n":         &l.queryWithParams,
		"chdb_classify_query_n":            &l.classify,
		"chdb_stream_query_with_params_n":  &l.streamQuery,
		"chdb_stream_fetch_result":         &l.streamFetch,
		"chdb_stream_cancel_query":         &l.streamCancel,
		"chdb_stream_insert_with_params_n": &l.insertStream,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_result_storage_rows_read":    &l.resultStorageRows,
		"chdb_result_storage_bytes_read":   &l.resultStorageBytes,
		"chdb_result_rows_written":         &l.resultRowsWritten,
		"chdb_result_bytes_written":        &l.resultBytesWritten,
		"chdb_destroy_query_result":        &l.resultDestroy,
	}
}
