package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// boomiExecution is Boomi's ExecutionRecord: the runs of processes, as JSON, CSV or
// XML. Its fields are not documented in public in full, so several spellings are
// understood.
var boomiExecution = boomiExecutionProduct.asFormat()

var boomiExecutionProduct = &ipaasProduct{
	format: "boomi-execution", title: "Boomi ExecutionRecord (process runs)", element: "ExecutionRecord",
	product: "Boomi", vendor: "Boomi", log: "ExecutionRecord",
	names: map[string]ipaasField{
		"executiontime": ipaasTime, "executionstarttime": ipaasTime, "starttime": ipaasTime, "recordeddate": ipaasTime2, "time": ipaasTime2,
		"executionid": ipaasID, "topllevelexecutionid": ipaasCorrelation, "toplevelexecutionid": ipaasCorrelation, "originalexecutionid": ipaasCorrelation2, "parentexecutionid": ipaasCorrelation2,
		"account": ipaasTenant, "accountid": ipaasTenant,
		"status":        ipaasStatus,
		"executiontype": ipaasType,
		"processname":   ipaasResourceName, "process": ipaasResourceName, "processid": ipaasResourceID,
		"atomname": ipaasHost, "atom": ipaasHost,
		"inbounddocumentcount": ipaasRows, "inbounddocuments": ipaasRows, "outbounddocumentcount": ipaasRows2, "outbounddocuments": ipaasRows2,
		"inbounderrordocumentcount": ipaasRowsFailed, "errordocuments": ipaasRowsFailed,
		"executionduration": ipaasDuration, "duration": ipaasDuration,
		"message": ipaasMessage, "errormessage": ipaasMessage,
		"launcherid": ipaasUserName, "executedby": ipaasUserName,
	},
	needs: [][]string{
		{"executionid", "processname"}, {"executionid", "processid"}, {"executionid", "executiontime", "status"},
		{"executiontime", "processname", "atomname", "status"},
	},
	fill: fillBoomiExecution,
}

func fillBoomiExecution(r *ipaasReader) *recordFailure {
	if failure := r.time("executionTime", ipaasTime, ipaasTime2); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	r.user()
	e.Text[schema.MetadataTenantUID] = v[ipaasTenant]
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation]
	if v[ipaasCorrelation] == "" {
		e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation2]
	}
	if e.Text[schema.MetadataCorrelationUID] == "" {
		e.Text[schema.MetadataCorrelationUID] = v[ipaasID]
	}
	e.Text[schema.MetadataEventCode] = v[ipaasType]
	e.Text[schema.APIOperation] = v[ipaasType]
	e.Text[schema.ResourcesName], e.Text[schema.ResourcesUID], e.Text[schema.ResourcesType] = v[ipaasResourceName], v[ipaasResourceID], "process"
	e.Text[schema.ActorAppName], e.Text[schema.ActorAppUID] = v[ipaasResourceName], v[ipaasResourceID]
	e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	e.Text[schema.SrcEndpointName] = v[ipaasHost]
	in, out := ipaasNumber(v[ipaasRows]), ipaasNumber(v[ipaasRows2])
	setCount(e, schema.RowsProcessed, in)
	if e.Number[schema.RowsProcessed] == 0 {
		setCount(e, schema.RowsProcessed, out)
	} else {
		e.AddUnmapped("outboundDocumentCount", out)
	}
	setCount(e, schema.RowsFailed, ipaasNumber(v[ipaasRowsFailed]))
	setDuration(e, ipaasNumber(v[ipaasDuration]), 1)
	e.Text[schema.StatusCode] = v[ipaasStatus]
	status := strings.ToUpper(v[ipaasStatus])
	failed := strings.HasPrefix(status, "ERROR") || strings.HasPrefix(status, "ABORT") || strings.HasPrefix(status, "FAIL")
	switch {
	case failed:
	case strings.HasPrefix(status, "COMPLETE") || status == "SUCCESS":
		e.Number[schema.StatusID] = schema.StatusSuccess
		if strings.HasSuffix(status, "WARN") {
			e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
		}
	case status != "":
		e.Number[schema.StatusID] = schema.StatusOther
	}
	setRun(e, failed, v[ipaasMessage])
	if failed {
		e.Text[schema.StatusDetail] = v[ipaasMessage]
	} else {
		setMessage(e, v[ipaasMessage])
	}
	return nil
}
