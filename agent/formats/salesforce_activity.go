package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// requestActivity tells what a call of an API did, by its HTTP method or by the
// name of its operation, and which bulk job it was about.
//
// Two deletions must not be confused. A bulk job that deletes records has the
// operation "delete"; the job is how it is done, and the resource is the object. A
// job that is itself deleted, as an intruder does to leave no trace, is an HTTP
// DELETE of the job's path (or an operation that names the job): its resource is
// the job.
func requestActivity(r *salesforceReader) uint64 {
	e := r.event
	method, operation := e.Text[schema.HTTPRequestMethod], e.Text[schema.APIOperation]
	activity := uint64(schema.ActivityOther)
	switch {
	case operation != "":
		activity = operationActivity(operation)
	case method != "":
		activity = methodActivity(method)
	}
	job, last := jobOfPath(e.Text[schema.HTTPRequestURLPath])
	if job == "" {
		if deletesJob(operation) {
			e.Text[schema.ResourcesType] = "job"
			return schema.APIDelete
		}
		if e.Text[schema.ResourcesType] == "job" && activity == schema.APIDelete {
			e.Text[schema.ResourcesType] = "sobject"
		}
		return activity
	}
	deleted := method == "DELETE" || deletesJob(operation) || last && deletesQueryJob(e)
	if !deleted && operation != "" {
		if e.Text[schema.ResourcesUID] == "" {
			e.Text[schema.ResourcesUID] = r.id(job)
		}
		if e.Text[schema.ResourcesType] == "" || activity == schema.APIDelete {
			e.Text[schema.ResourcesType] = "sobject"
		}
		return activity
	}
	r.aboutJob(job)
	if deleted {
		return schema.APIDelete
	}
	return activity
}

// aboutJob makes the job the resource of the request, whatever else was.
func (r *salesforceReader) aboutJob(job string) {
	e := r.event
	id := r.id(job)
	if have := e.Text[schema.ResourcesUID]; have != "" && have != id {
		e.AddUnmapped("URI_ID_DERIVED", have)
	}
	e.Text[schema.ResourcesUID] = id
	e.Text[schema.ResourcesType] = "job"
}

// deletesJob says whether an operation's name tells of the deletion of a job, as
// "deleteJob" or "DELETE_JOB".
func deletesJob(operation string) bool {
	if len(operation) < len("deletejob") {
		return false
	}
	plain := plainName(operation)
	return strings.Contains(plain, "delete") && strings.Contains(plain, "job")
}

// deletesQueryJob: a query job deletes no records, so "delete" of one is its own.
func deletesQueryJob(e *schema.Event) bool {
	return strings.EqualFold(e.Text[schema.APIOperation], "delete") && strings.Contains(e.Text[schema.HTTPRequestURLPath], "/jobs/query/")
}

func methodActivity(method string) uint64 {
	switch method {
	case "GET", "HEAD":
		return schema.APIRead
	case "POST":
		return schema.APICreate
	case "PATCH", "PUT":
		return schema.APIUpdate
	case "DELETE":
		return schema.APIDelete
	}
	return schema.ActivityOther
}

// operationActivity reads the name of a SOAP call, a bulk operation or a metadata
// operation.
func operationActivity(operation string) uint64 {
	switch operation {
	case "query", "queryAll", "queryMore", "retrieve", "search":
		return schema.APIRead
	case "insert", "create":
		return schema.APICreate
	case "update", "upsert", "merge", "undelete":
		return schema.APIUpdate
	case "delete", "hardDelete", "emptyRecycleBin":
		return schema.APIDelete
	}
	for _, verb := range operationVerbs {
		if len(operation) >= len(verb.prefix) && strings.EqualFold(operation[:len(verb.prefix)], verb.prefix) {
			return verb.activity
		}
	}
	return schema.ActivityOther
}

var operationVerbs = []struct {
	prefix   string
	activity uint64
}{
	{"query", schema.APIRead}, {"retrieve", schema.APIRead}, {"search", schema.APIRead}, {"describe", schema.APIRead},
	{"get", schema.APIRead}, {"list", schema.APIRead}, {"check", schema.APIRead},
	{"insert", schema.APICreate}, {"create", schema.APICreate},
	{"update", schema.APIUpdate}, {"upsert", schema.APIUpdate}, {"merge", schema.APIUpdate}, {"undelete", schema.APIUpdate},
	{"deploy", schema.APIUpdate}, {"rename", schema.APIUpdate},
	{"delete", schema.APIDelete}, {"hardDelete", schema.APIDelete}, {"emptyRecycleBin", schema.APIDelete},
}
