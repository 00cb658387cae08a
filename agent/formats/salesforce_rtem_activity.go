package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// maxRecordIDs is how many bytes are kept of the ids of the records that an event
// returned, which can be megabytes.
const maxRecordIDs = 4 << 10

// done says that the event tells of something that was done.
func (r *rtemRecord) done() *schema.Event {
	e := r.reader.event
	r.reader.outcome.succeeded = true
	if records := r.values[rtemRecords]; len(records) > maxRecordIDs {
		e.AddUnmapped("Records", strings.ToValidUTF8(records[:maxRecordIDs], ""))
		e.Number[schema.IsTruncated] = 1
	} else {
		e.AddUnmapped("Records", records)
	}
	if id := r.values[rtemExecutionIdentifier]; id != "" {
		r.reader.text(schema.MetadataCorrelationUID, "ExecutionIdentifier", id)
		e.AddUnmapped("Sequence", r.values[rtemSequence])
	}
	return e
}

func rtemLogin(r *rtemRecord) uint64 {
	if status := r.values[rtemStatus]; status != "" {
		r.reader.loginResult("Status", status)
	}
	return login(&r.reader)
}

// rtemLoginAs: UserId and Username are those of the user who was impersonated.
func rtemLoginAs(r *rtemRecord) uint64 {
	e := r.reader.event
	e.Text[schema.UserUID], e.Text[schema.ActorUserUID] = e.Text[schema.ActorUserUID], ""
	e.Text[schema.UserName], e.Text[schema.ActorUserName] = e.Text[schema.ActorUserName], e.Text[schema.UserName]
	return loginAs(&r.reader)
}

// rtemVerification: a further proof of identity was asked for, given or refused.
// Only one that belongs to a login is a login.
func rtemVerification(r *rtemRecord) uint64 {
	e, o := r.reader.event, &r.reader.outcome
	r.reader.sameUser()
	e.Number[schema.IsMFA] = 1
	status, activity := r.values[rtemStatus], r.values[rtemActivity]
	e.Text[schema.StatusCode] = status
	plain := plainName(status)
	switch {
	case plain == "succeeded" || plain == "success" || plain == "automatedsuccess":
		o.succeeded = true
	case strings.HasPrefix(plain, "failed") || strings.Contains(plain, "denied"):
		o.failed = true
		o.denied = strings.Contains(plain, "denied") || strings.Contains(plain, "lockout")
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
		if plain == "reporteddenied" { // the user said that somebody else was asking
			e.Number[schema.SeverityID] = uint64(schema.SeverityHigh)
		}
	case plain != "":
		o.other = true
	}
	e.Text[schema.APIOperation] = activity
	if strings.EqualFold(activity, "Login") {
		return schema.AuthLogon
	}
	return schema.ActivityOther
}

func rtemAPI(r *rtemRecord) uint64 {
	r.done()
	return requestActivity(&r.reader)
}

// rtemBulkResult: the result of a bulk query was downloaded.
func rtemBulkResult(r *rtemRecord) uint64 {
	e := r.done()
	if e.Text[schema.ResourcesType] == "" {
		e.Text[schema.ResourcesType] = "job"
	}
	return schema.APIRead
}

func rtemRead(r *rtemRecord) uint64 {
	r.done()
	return webSearchOrRead
}

// rtemReport tells an export by its operation or by the format of its file.
func rtemReport(r *rtemRecord) uint64 {
	e := r.done()
	if e.Text[schema.ResourcesUID] != "" {
		e.Text[schema.ResourcesType] = "report"
	}
	e.AddUnmapped("ExportFileFormat", r.values[rtemExportFileFormat])
	if r.values[rtemExportFileFormat] != "" {
		return webExport
	}
	return report(&r.reader)
}

// rtemPage: a page of the user interface was opened or saved.
func rtemPage(r *rtemRecord) uint64 {
	e, o := r.done(), &r.reader.outcome
	switch plainName(e.Text[schema.StatusCode]) {
	case "failure", "failed", "error":
		o.succeeded, o.failed = false, true
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	case "initiated":
		o.succeeded, o.other = false, true
	}
	switch strings.ToLower(e.Text[schema.APIOperation]) {
	case "create", "insert":
		return 1
	case "update":
		return 3
	case "delete":
		return 4
	}
	return webSearchOrRead
}

func rtemFile(r *rtemRecord) uint64 {
	e := r.done()
	switch plain := plainName(e.Text[schema.APIOperation]); {
	case strings.Contains(plain, "download"):
		return fileDownload
	case strings.Contains(plain, "preview"):
		return filePreview
	case strings.Contains(plain, "upload"):
		e.Number[schema.TrafficBytesIn], e.Number[schema.TrafficBytesOut] = 0, e.Number[schema.TrafficBytesIn]
		return fileUpload
	}
	return schema.ActivityOther
}

// rtemPermission: who got or lost permissions is in user_uid when it is one user, and
// all of them are unmapped.
func rtemPermission(r *rtemRecord) uint64 {
	e := r.done()
	if e.Text[schema.ResourcesType] == "" {
		e.Text[schema.ResourcesType] = "permission_set"
	}
	users := strings.Trim(r.values[rtemImpactedUserIDs], "[]\" ")
	if users != "" && !strings.ContainsAny(users, ",; \"") {
		e.Text[schema.UserUID] = r.reader.id(users)
	} else {
		e.AddUnmapped("ImpactedUserIds", users)
	}
	switch plain := plainName(e.Text[schema.APIOperation]); {
	case strings.HasPrefix(plain, "assign"), strings.HasSuffix(plain, "enabled"), strings.HasPrefix(plain, "grant"):
		return accessAssign
	case strings.HasPrefix(plain, "unassign"), strings.HasSuffix(plain, "disabled"), strings.HasPrefix(plain, "revoke"):
		return accessRevoke
	}
	return schema.ActivityOther
}

// policy reads what a transaction security policy did about the event.
func (r *rtemRecord) policy() {
	e, o := r.reader.event, &r.reader.outcome
	outcome := r.values[rtemPolicyOutcome]
	if outcome == "" {
		return
	}
	e.AddUnmapped("PolicyOutcome", outcome)
	disposition := uint64(0)
	refused := false
	switch {
	case outcome == "Block" || outcome == "MeteringBlock":
		disposition, refused = dispositionBlock, true
	case outcome == "EndSession":
		disposition, refused = dispositionRevoked, true
	case outcome == "Notified":
		disposition = dispositionAlert
	case outcome == "NoAction" || outcome == "ExemptNoAction" || outcome == "MeteringNoAction" || outcome == "TwoFANoAction":
		disposition = dispositionAllowed
	case outcome == "TwoFASucceeded" || outcome == "TwoFAAutomatedSuccess":
		e.Number[schema.IsMFA] = 1
	case outcome == "TwoFAInitiated" || outcome == "TwoFAInProgress" || outcome == "TwoFARecoverableError":
		o.succeeded, o.other = false, true
		e.Number[schema.IsMFA] = 1
	case strings.HasPrefix(outcome, "TwoFA") || strings.HasPrefix(outcome, "Failed"):
		disposition, refused = dispositionBlock, true
	}
	e.Number[schema.DispositionID] = disposition
	if !refused {
		return
	}
	o.denied = true
	if e.Number[schema.ClassUID] != schema.ClassDetectionFinding {
		o.failed = true
	}
	e.Number[schema.SeverityID] = max(e.Number[schema.SeverityID], uint64(schema.SeverityMedium))
}
