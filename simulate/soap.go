package simulate

import (
	"strconv"
	"time"
)

// soap writes an API row (SOAP partner API) and its repetition in ApiTotalUsage.
func (w *world) soap(in *integration, s session, when time.Time, method, entity string, rows int) {
	d := in.dice
	id, run := requestID(d), 60+rows*3+d.below(200)
	w.exports.add(tableAPI, when, w.org, in.id,
		"REQUEST_ID", id, "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/2),
		"URI", "/services/Soap/u/"+in.version, "SESSION_KEY", s.key, "LOGIN_KEY", s.login,
		"USER_TYPE", "Standard", "REQUEST_STATUS", "S", "DB_TOTAL_TIME", strconv.Itoa(run*580_000+d.below(90_000)),
		"API_TYPE", "P", "API_VERSION", in.version, "CLIENT_NAME", in.client, "METHOD_NAME", method, "ENTITY_NAME", entity,
		"ROWS_PROCESSED", strconv.Itoa(rows), "REQUEST_SIZE", strconv.Itoa(900+rows*40), "RESPONSE_SIZE", strconv.Itoa(700+rows*310),
		"DB_BLOCKS", strconv.Itoa(rows*3), "DB_CPU_TIME", strconv.Itoa(run/6), "CLIENT_IP", s.address)
	w.usage(in, s, when, id, "SOAP", in.version, method, "POST", entity, 200)
}

// metadata writes a MetadataApiOperation row and its repetition in ApiTotalUsage.
func (w *world) metadata(in *integration, s session, when time.Time, operation string) {
	d := in.dice
	id, run := requestID(d), d.between(80, 1900)
	w.exports.add(tableMetadata, when, w.org, in.id,
		"REQUEST_ID", id, "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/3), "URI", "/services/Soap/m/"+in.version,
		"SESSION_KEY", s.key, "LOGIN_KEY", s.login, "CLIENT_ID", in.client, "OPERATION", operation, "API_VERSION", in.version,
		"CLIENT_IP", s.address)
	w.usage(in, s, when, id, "SOAP", in.version, operation, "POST", "", 200)
}

// apexException writes an ApexUnexpectedException row, whose stack is several lines.
func (w *world) apexException(d dice, when time.Time, user, class string) {
	line := d.between(12, 340)
	w.exports.add(tableApexException, when, w.org, user,
		"REQUEST_ID", requestID(d), "EXCEPTION_TYPE", "System.NullPointerException",
		"EXCEPTION_MESSAGE", "Attempt to de-reference a null object in \""+class+"\"",
		"STACK_TRACE", "Class."+class+".handle: line "+strconv.Itoa(line)+", column 1\nClass.TriggerDispatcher.run: line 41, column 1\nTrigger.OnCaseUpdate: line 3, column 1",
		"EXCEPTION_CATEGORY", "Uncaught")
}
