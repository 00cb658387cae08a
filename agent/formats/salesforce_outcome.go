package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// login: the user who logs in acts, and is the user that it is about.
func login(r *salesforceReader) uint64 {
	r.sameUser()
	return schema.AuthLogon
}

func logout(r *salesforceReader) uint64 {
	r.sameUser()
	r.outcome.succeeded = true
	return schema.AuthLogoff
}

func (r *salesforceReader) sameUser() {
	e := r.event
	e.Text[schema.UserUID] = e.Text[schema.ActorUserUID]
	e.Text[schema.UserName] = e.Text[schema.ActorUserName]
}

func loginAs(r *salesforceReader) uint64 {
	r.event.Number[schema.AccountSwitchTypeID] = impersonate
	r.outcome.succeeded = true
	return schema.AuthAccountSwitch
}

// callout: the platform is the client.
func callout(r *salesforceReader) uint64 {
	r.event.Text[schema.SrcEndpointName] = "Salesforce"
	return requestActivity(r)
}

// namedCredential: the platform used a credential that it keeps, to call out.
func namedCredential(r *salesforceReader) uint64 {
	r.event.Text[schema.ResourcesType] = "named_credential"
	return callout(r)
}

// done: the type records what was done, and has no status of its own.
func (r *salesforceReader) done() { r.outcome.succeeded = !r.outcome.failed && !r.outcome.other }

func webRead(*salesforceReader) uint64 { return webSearchOrRead }

func webSearched(r *salesforceReader) uint64 {
	r.done()
	return webSearch
}

func reportExport(r *salesforceReader) uint64 {
	r.done()
	if r.event.Text[schema.ResourcesUID] != "" {
		r.event.Text[schema.ResourcesType] = "report"
	}
	return webExport
}

// report tells an export by ORIGIN: ReportExported, ReportExportedAsynchronously,
// ReportExportedUsingExcelConnector. The classic pages tell it by RENDERING_TYPE, X
// (Excel) or C (CSV).
func report(r *salesforceReader) uint64 {
	if strings.HasPrefix(r.event.Text[schema.APIOperation], "ReportExported") {
		return webExport
	}
	if rendering := r.unmapped("RENDERING_TYPE"); rendering == "X" || rendering == "C" {
		return webExport
	}
	return webSearchOrRead
}

// unmapped is the value of a field that no column takes; "" when there is none.
func (r *salesforceReader) unmapped(name string) string {
	for i := range r.event.Unmapped {
		if r.event.Unmapped[i].Name == name {
			return r.event.Unmapped[i].Value
		}
	}
	return ""
}

// httpActivity is the activity_id of 4002, which has a number for each method.
func httpActivity(r *salesforceReader) uint64 {
	switch r.event.Text[schema.HTTPRequestMethod] {
	case "CONNECT":
		return 1
	case "DELETE":
		return 2
	case "GET":
		return 3
	case "HEAD":
		return 4
	case "OPTIONS":
		return 5
	case "POST":
		return 6
	case "PUT":
		return 7
	case "TRACE":
		return 8
	case "PATCH":
		return 9
	}
	return schema.ActivityOther
}

func corsViolation(r *salesforceReader) uint64 {
	r.event.Number[schema.DispositionID] = dispositionBlock
	r.outcome.failed, r.outcome.denied = true, true
	return schema.ActivityOther
}

// insecureAsset tells by DISPOSITION whether the asset was blocked (enforce) or only
// reported.
func insecureAsset(r *salesforceReader) uint64 {
	if strings.HasPrefix(strings.ToLower(r.unmapped("DISPOSITION")), "enforce") {
		return corsViolation(r)
	}
	r.event.Number[schema.DispositionID] = dispositionDetect
	return schema.ActivityOther
}

func hostnameRedirect(r *salesforceReader) uint64 {
	if blocked, _ := parseFlag(r.unmapped("IS_BLOCKED_REDIRECTION")); blocked {
		corsViolation(r)
	}
	return httpActivity(r)
}

// insufficientAccess: somebody wanted more than they may, or somebody who was logged in
// as another user did.
func insufficientAccess(r *salesforceReader) uint64 {
	e := r.event
	if actual := r.id(r.unmapped("ACTUAL_LOGGED_IN_USER_ID")); actual != "" && actual != e.Text[schema.ActorUserUID] {
		e.Text[schema.UserUID], e.Text[schema.ActorUserUID] = e.Text[schema.ActorUserUID], actual
	}
	r.outcome.failed, r.outcome.denied = true, true
	switch level := strings.ToLower(e.Text[schema.APIOperation]); {
	case strings.Contains(level, "read"), strings.Contains(level, "view"):
		return schema.APIRead
	case strings.Contains(level, "edit"), strings.Contains(level, "update"), strings.Contains(level, "modify"):
		return schema.APIUpdate
	case strings.Contains(level, "delete"):
		return schema.APIDelete
	case strings.Contains(level, "create"), strings.Contains(level, "insert"):
		return schema.APICreate
	}
	return schema.ActivityOther
}
