package engine

import (
	"context"
	"strings"
)

// commentSetting carries the request's marker, so that the engine's process list can be asked for one request's query:
// chDB chooses query ids itself, and its C API cannot stop a query that has not answered yet. The caller's own comment
// follows the marker.
const commentSetting = "log_comment"

// session opens a connection in the state that the request asks for.
//
// Every request gets a connection of its own, closed behind it. Opening and closing one costs 0.16 ms, SET and USE
// 0.1 ms each, a trivial SELECT 0.7 ms; in return nothing of a request (SET, USE, temporary tables) can leak into another.
func (s *server) session(q *request) (*connection, error) {
	connection, err := s.lib.open(s.arguments...)
	if err != nil {
		return nil, refuse(codeUnknownException, "UNKNOWN_EXCEPTION", "Cannot open a connection to the engine")
	}
	setup, err := q.setup()
	if err == nil {
		err = connection.exec(setup)
	}
	if err != nil {
		connection.close()
		return nil, err
	}
	return connection, nil
}

// setup writes the statements that bring a fresh connection into the request's state. The role and readonly come before
// the caller's own settings, so that the engine itself judges those.
func (q *request) setup() (string, error) {
	var sql strings.Builder
	if q.role != Admin {
		sql.WriteString("SET ROLE " + string(Reader) + "; ")
	}
	if q.role != Admin || q.readonly {
		sql.WriteString("SET readonly = 2; ")
	}
	comment, _ := q.setting(commentSetting)
	sql.WriteString("SET " + commentSetting + " = " + quoteString(strings.TrimSpace(q.marker+" "+comment)))
	for _, setting := range q.settings {
		if !isSettingName(setting.name) {
			return "", refuse(codeUnknownSetting, "UNKNOWN_SETTING", "Unknown setting '%s'", setting.name)
		}
		if setting.name != commentSetting {
			sql.WriteString(", " + setting.name + " = " + quoteString(setting.value))
		}
	}
	if q.database != "" {
		sql.WriteString("; USE " + QuoteIdentifier(q.database))
	}
	return sql.String(), nil
}

// killWhenDone stops the request's query in the engine when ctx ends before the returned function is called.
// The query may not have reached the engine's process list yet, so it is asked again until release.
func (s *server) killWhenDone(ctx context.Context, q *request) (release func()) {
	finished := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { s.control.kill(q.marker, finished) })
	return func() {
		stop()
		close(finished)
	}
}
