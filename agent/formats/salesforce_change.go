package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// contentTransfer tells by TRANSACTION_TYPE.
func contentTransfer(r *salesforceReader) uint64 {
	r.done()
	switch r.event.Text[schema.APIOperation] {
	case "VersionDownloadAction", "VersionDownloadApi":
		return fileDownload
	case "VersionRenditionDownload":
		return filePreview
	case "saveVersion":
		return fileUpload
	}
	return schema.ActivityOther
}

func attachmentDownload(r *salesforceReader) uint64 {
	r.done()
	return fileDownload
}

func contentShare(r *salesforceReader) uint64 {
	r.done()
	return fileShare
}

// contentDistribution: a file was given to others by a link, or they used the link.
func contentDistribution(r *salesforceReader) uint64 {
	r.done()
	switch action := strings.ToLower(r.event.Text[schema.APIOperation]); {
	case strings.Contains(action, "download"):
		return fileDownload
	case strings.Contains(action, "view"):
		return filePreview
	case strings.Contains(action, "delete"), strings.Contains(action, "remove"):
		return fileUnshare
	}
	return fileShare
}

// permissionUpdate: an update can enable or disable; the description says which.
func permissionUpdate(r *salesforceReader) uint64 {
	r.done()
	description := r.event.Text[schema.Message]
	switch {
	case strings.HasSuffix(description, "disabled"), strings.HasSuffix(description, "removed"):
		return accessRevoke
	case strings.HasSuffix(description, "enabled"), strings.HasSuffix(description, "added"):
		return accessAssign
	}
	switch strings.ToLower(r.event.Text[schema.APIOperation]) {
	case "insert", "create", "update", "upsert":
		return accessAssign
	case "delete":
		return accessRevoke
	}
	return schema.ActivityOther
}

// groupMembership: the member is a user, or another group (whose id begins with 00G).
func groupMembership(r *salesforceReader) uint64 {
	e := r.event
	r.done()
	group := strings.HasPrefix(e.Text[schema.UserUID], "00G")
	if group {
		e.AddUnmapped("MEMBER_ID", e.Text[schema.UserUID])
		e.Text[schema.UserUID] = ""
	}
	switch operation := strings.ToLower(e.Text[schema.APIOperation]); {
	case (operation == "insert" || operation == "create" || operation == "add") && group:
		return groupAddGroup
	case operation == "insert" || operation == "create" || operation == "add":
		return groupAddUser
	case (operation == "delete" || operation == "remove") && group:
		return groupRemoveGroup
	case operation == "delete" || operation == "remove":
		return groupRemoveUser
	}
	return schema.ActivityOther
}

// entityActivity tells from the operation's name what was done to a key, a package
// or a change set.
func entityActivity(r *salesforceReader) uint64 {
	r.done()
	return prefixActivity(plainName(r.event.Text[schema.APIOperation]), entityActivities)
}

func databaseSave(r *salesforceReader) uint64 {
	r.done()
	switch strings.ToLower(r.event.Text[schema.APIOperation]) {
	case "insert":
		return datastoreWrite
	case "update", "upsert", "undelete", "merge":
		return datastoreUpdate
	case "delete", "harddelete":
		return datastoreDelete
	}
	return schema.ActivityOther
}

func applicationError(r *salesforceReader) uint64 {
	e := r.event
	e.Text[schema.Message] = e.Text[schema.StatusDetail]
	r.outcome.failed = true
	return generalError
}

func applicationLimit(r *salesforceReader) uint64 {
	r.outcome.failed, r.outcome.limited = true, true
	return generalError
}

// policyResult: a policy that was triggered is a finding of Salesforce's own.
func policyResult(r *salesforceReader) uint64 {
	if r.event.Text[schema.StatusCode] != "TRIGGERED" {
		return schema.ActivityOther
	}
	r.event.Number[schema.ClassUID] = schema.ClassDetectionFinding
	r.event.Number[schema.SeverityID] = uint64(schema.SeverityMedium)
	r.event.Text[schema.Message] = "A transaction security policy was triggered."
	return findingCreate
}
