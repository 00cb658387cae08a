package formats

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// workatoJob is Workato's job history: the runs of recipes, as JSON (streamed, or a
// page of the API) or CSV. The lines of a job hold the customer's data, so only
// their number is kept.
var workatoJob = workatoJobProduct.asFormat()

var workatoJobProduct = &ipaasProduct{
	format: "workato-job", title: "Workato job history (JSON or CSV)",
	product: "Workato", vendor: "Workato", log: "jobs",
	names: map[string]ipaasField{
		"completedat": ipaasTime, "startedat": ipaasTime2, "finishedat": ipaasTime,
		"id": ipaasID, "jobid": ipaasID, "handle": ipaasID, "jobhandle": ipaasID,
		"callingjobid": ipaasCorrelation, "callingjobhandle": ipaasCorrelation, "masterjobid": ipaasCorrelation2, "masterjobhandle": ipaasCorrelation2,
		"recipeid": ipaasResourceID, "flowid": ipaasResourceID, "contextrecipeid": ipaasDropped, "contextjobid": ipaasDropped,
		"contextrecipename": ipaasResourceName, "recipename": ipaasResourceName, "recipe": ipaasResourceName,
		"contextuserid": ipaasUserID, "contextusername": ipaasUserName, "contextuseremail": ipaasUserEmail, "useremail": ipaasUserEmail,
		"accountid": ipaasTenant,
		"status":    ipaasStatus, "jobstatus": ipaasStatus, "ispollerror": ipaasFailed,
		"errortype": ipaasErrorType, "error": ipaasMessage, "errormessage": ipaasMessage, "errorerrormessage": ipaasMessage, "errortext": ipaasMessage,
		"lines": ipaasLines,
	},
	needs: [][]string{
		{"recipeid", "masterjobid"}, {"recipeid", "jobid", "status"}, {"flowid", "masterjobid"},
		{"startedat", "completedat", "status", "ispollerror"}, {"startedat", "completedat", "title", "repeatcount"},
		{"jobid", "status", "startedat", "completedat"}, {"recipeid", "status", "startedat", "completedat"},
	},
	fill: fillWorkatoJob,
}

func fillWorkatoJob(r *ipaasReader) *recordFailure {
	if failure := r.time("completed_at", ipaasTime, ipaasTime2); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	r.user()
	e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	e.Text[schema.MetadataTenantUID] = v[ipaasTenant]
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation]
	if v[ipaasCorrelation] == "" {
		e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation2]
	} else if v[ipaasCorrelation2] != v[ipaasID] {
		e.AddUnmapped("master_job_id", v[ipaasCorrelation2])
	}
	e.Text[schema.ResourcesName], e.Text[schema.ResourcesUID], e.Text[schema.ResourcesType] = v[ipaasResourceName], v[ipaasResourceID], "recipe"
	e.Text[schema.ActorAppName], e.Text[schema.ActorAppUID] = v[ipaasResourceName], v[ipaasResourceID]
	e.Text[schema.APIOperation] = "run recipe"
	r.setMillis(ipaasTime2, ipaasTime)
	e.AddUnmapped("started_at", v[ipaasTime2])
	e.Text[schema.StatusCode] = v[ipaasStatus]
	if v[ipaasErrorType] != "" {
		e.Text[schema.StatusCode] = v[ipaasErrorType]
		e.AddUnmapped("status", v[ipaasStatus])
	}
	e.Text[schema.StatusDetail] = v[ipaasMessage]
	status := strings.ToLower(v[ipaasStatus])
	failed := isTrue(v[ipaasFailed]) || strings.HasPrefix(status, "fail") || status == "error"
	switch {
	case failed:
	case strings.HasPrefix(status, "succe") || status == "completed":
		e.Number[schema.StatusID] = schema.StatusSuccess
	case status != "":
		e.Number[schema.StatusID] = schema.StatusOther
	}
	if status != "" {
		e.Text[schema.MetadataEventCode] = "job_" + status
	}
	if isTrue(v[ipaasFailed]) {
		e.AddUnmapped("is_poll_error", "true")
	}
	setRun(e, failed, v[ipaasMessage])
	r.jobLines()
	return nil
}

// jobLines keeps how many lines a job has; a text stands there for a job with too
// many.
func (r *ipaasReader) jobLines() {
	text := r.v[ipaasLines]
	if text == "" {
		return
	}
	if value, err := fastjson.Parse(text); err == nil && value.Type() == fastjson.TypeArray {
		lines, _ := value.Array()
		r.e.AddUnmapped("lines", strconv.Itoa(len(lines)))
		return
	}
	r.e.Number[schema.IsTruncated] = 1
	if len(text) < 100 && text[0] != '[' {
		r.e.AddUnmapped("lines", text)
	}
}
