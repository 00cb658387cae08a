// Package engine runs ClickHouse inside crmwatch: libchdb.so (chDB) behind ClickHouse's own HTTP interface.
//
// Start runs it as a child process and restarts it when it ends; Serve is that process. Whoever has the Endpoint (our own
// packages through clickhouse-go, curl, Grafana) talks to it as to any ClickHouse server, with these differences:
//
//   - Every request is a session of its own. session_id is accepted and has no effect; temporary tables and SET end with
//     their request.
//   - There are two users: crmwatch, who may do everything, and reader, who may read tables and nothing outside them.
//   - External tables (multipart requests) and INSERT ... SELECT ... FROM input() answer NOT_IMPLEMENTED.
//   - client_protocol_version has no effect: Native blocks are those of revision 0.
//   - An answer with wait_end_of_query=1 is held back up to a limit and streamed after that.
//   - The process sees its data directory and Options.Files, and no network (Landlock), whatever a query asks for.
//   - async_insert and optimize_on_insert are 0 unless a request says otherwise.
package engine
