package simulate

import (
	"strconv"
	"time"
)

// bulkJob is a Bulk API 2.0 job. In the logs it is requests (create, poll,
// download) and the progress of the work.
type bulkJob struct {
	id        string
	operation string // "query" or "upsert"
	entity    string
	version   string
	created   time.Time
	// completed is when the last record was processed.
	completed time.Time
	records   int
}

// path is the job's folder below "/services/data/v58.0/".
func (j bulkJob) path() string {
	if j.operation == "query" {
		return "jobs/query"
	}
	return "jobs/ingest"
}

// runBulkJob runs a new job with the integration's own API version.
func (w *world) runBulkJob(in *integration, s session, operation, entity string, created time.Time, took time.Duration, records int) bulkJob {
	j := bulkJob{anyRecordID(in.dice, prefixBulkJob), operation, entity, in.version, created, created.Add(took), records}
	w.runJob(in, s, j)
	return j
}

// runJob writes the job's life: create, progress every half minute, completion,
// download. DELETE is the caller's to send, or not.
func (w *world) runJob(in *integration, s session, j bulkJob) {
	d := in.dice
	w.bulkRequest(in, s, j, j.created, "POST", "")
	if j.operation != "query" {
		w.bulkRequest(in, s, j, j.created.Add(time.Second+d.within(time.Second)), "PUT", "/batches")
		w.bulkRequest(in, s, j, j.created.Add(3*time.Second+d.within(time.Second)), "PATCH", "")
	}
	took := j.completed.Sub(j.created)
	steps := max(int(took/(30*time.Second)), 1)
	done := 0
	for i := 1; i < steps; i++ {
		when := j.created.Add(took*time.Duration(i)/time.Duration(steps) + d.within(5*time.Second))
		next := int(int64(j.records) * int64(i) / int64(steps))
		w.bulkProgress(in, s, j, when, "InProgress", next-done)
		w.bulkRequest(in, s, j, when.Add(d.within(2*time.Second)), "GET", "")
		done = next
	}
	w.bulkProgress(in, s, j, j.completed, "JobComplete", j.records)
	if j.operation == "query" {
		pages := j.records/250_000 + 1
		for i := range pages {
			w.bulkRequest(in, s, j, j.completed.Add(time.Second+time.Duration(i)*2*time.Second+d.within(900*time.Millisecond)), "GET", "/results")
		}
	}
}

// bulkProgress writes a BulkApi2 row: what the job processed since the last
// one, or all of it when it completed.
func (w *world) bulkProgress(in *integration, s session, j bulkJob, when time.Time, status string, records int) {
	run := 200 + records/90
	w.exports.add(tableBulkAPI2, when, w.org, in.id,
		"REQUEST_ID", requestID(in.dice), "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/2),
		"URI", "/services/data/v"+j.version+"/"+j.path(), "SESSION_KEY", s.key, "LOGIN_KEY", s.login,
		"JOB_ID", j.id, "JOB_STATUS", status, "OPERATION_TYPE", j.operation, "ENTITY_TYPE", j.entity,
		"RECORDS_PROCESSED", strconv.Itoa(records), "RECORDS_FAILED", "0", "CLIENT_IP", s.address)
}

// bulkRequest writes a BulkApiRequest row and its repetition in ApiTotalUsage.
func (w *world) bulkRequest(in *integration, s session, j bulkJob, when time.Time, method, below string) {
	d := in.dice
	resource := j.path()
	if method != "POST" {
		resource += "/" + longID(j.id) + below
	}
	id, run := requestID(d), d.between(15, 160)
	w.exports.add(tableBulkAPIRequest, when, w.org, in.id,
		"REQUEST_ID", id, "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/3),
		"URI", "/services/data/v"+j.version+"/"+resource, "SESSION_KEY", s.key, "LOGIN_KEY", s.login,
		"REQUEST_PATH", "/services/data/v"+j.version+"/"+resource, "API_VERSION", j.version, "JOB_ID", j.id,
		"OPERATION_TYPE", j.operation, "SUCCESS", "1", "CONNECTED_APP_ID", in.app, "CLIENT_NAME", in.client,
		"CONCURRENCY_MODE", "Parallel", "STATUS_CODE", "200", "CLIENT_IP", s.address)
	w.usage(in, s, when, id, "BULK", j.version, "/v"+j.version+"/"+resource, method, j.entity, 200)
}

// deleteBulkJob writes the REST call that removes a job and its results.
func (w *world) deleteBulkJob(in *integration, s session, j bulkJob, when time.Time) {
	w.rest(in, s, when, call{method: "DELETE", path: j.path() + "/" + longID(j.id), status: 204, version: j.version})
}
