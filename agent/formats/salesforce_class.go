package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// elfType is what an EVENT_TYPE of EventLogFile is in the terms of OCSF. A type
// that is not listed is class 0 (Base Event), activity 99.
type elfType struct {
	class    uint64
	severity schema.Severity
	// activity tells the activity_id once the fields are read.
	activity func(*salesforceReader) uint64
}

// OCSF activity_id values of single classes.
const (
	webSearchOrRead    = 2 // 6001 Read
	webExport          = 7 // 6001 Export
	fileUpload         = 1 // 6006
	fileDownload       = 2
	filePreview        = 9
	fileShare          = 12
	accessAssign       = 1 // 3005
	accessRevoke       = 2
	groupAddUser       = 3 // 3006
	groupRemoveUser    = 4
	datastoreUpdate    = 2 // 6005
	datastoreWrite     = 5
	datastoreDelete    = 7
	generalError       = 1 // 6008
	findingCreate      = 1 // 2004
	impersonate        = 2 // account_switch_type_id
	dispositionAllowed = 1 // disposition_id
	dispositionBlock   = 2
	dispositionDetect  = 15
	dispositionAlert   = 19
	dispositionRevoked = 24
)

var elfTypes = map[string]elfType{
	"Login":             {class: schema.ClassAuthentication, activity: login},
	"Logout":            {class: schema.ClassAuthentication, activity: logout},
	"LoginAs":           {class: schema.ClassAuthentication, severity: schema.SeverityLow, activity: loginAs},
	"SalesforceLoginAs": {class: schema.ClassAuthentication, severity: schema.SeverityLow, activity: loginAs},

	"API":                  {class: schema.ClassAPIActivity, activity: requestActivity},
	"RestApi":              {class: schema.ClassAPIActivity, activity: requestActivity},
	"ApexRestApi":          {class: schema.ClassAPIActivity, activity: requestActivity},
	"ApexSoap":             {class: schema.ClassAPIActivity, activity: requestActivity},
	"ApiTotalUsage":        {class: schema.ClassAPIActivity, activity: requestActivity},
	"MetadataApiOperation": {class: schema.ClassAPIActivity, activity: requestActivity},
	"InsufficientAccess":   {class: schema.ClassAPIActivity, activity: requestActivity},
	"ApexCallout":          {class: schema.ClassAPIActivity, activity: callout},
	"NamedCredential":      {class: schema.ClassAPIActivity, activity: callout},

	"URI":            {class: schema.ClassWebResources, activity: webRead},
	"Report":         {class: schema.ClassWebResources, activity: report},
	"AsyncReportRun": {class: schema.ClassWebResources, activity: report},
	"ReportExport":   {class: schema.ClassWebResources, activity: reportExport},

	"Sites":                  {class: schema.ClassHTTPActivity, activity: httpActivity},
	"VisualforceRequest":     {class: schema.ClassHTTPActivity, activity: httpActivity},
	"HostnameRedirects":      {class: schema.ClassHTTPActivity, activity: httpActivity},
	"CorsViolation":          {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: corsViolation},
	"InsecureExternalAssets": {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: insecureAsset},

	"ContentTransfer":             {class: schema.ClassFileHosting, activity: contentTransfer},
	"DocumentAttachmentDownloads": {class: schema.ClassFileHosting, activity: attachmentDownload},
	"ContentDistribution":         {class: schema.ClassFileHosting, activity: contentShare},

	"PermissionUpdate": {class: schema.ClassUserAccess, activity: permissionUpdate},
	"GroupMembership":  {class: schema.ClassGroupManagement, activity: groupMembership},
	"DatabaseSave":     {class: schema.ClassDatastoreActivity, activity: databaseSave},

	"ApexUnexpectedException":        {class: schema.ClassApplicationError, severity: schema.SeverityMedium, activity: applicationError},
	"ConcurrentLongRunningApexLimit": {class: schema.ClassApplicationError, severity: schema.SeverityMedium, activity: applicationLimit},
	"TransactionSecurity":            {class: schema.ClassAPIActivity, activity: policyResult},
}

// elfTypeOf finds an event type; BulkApi, BulkApi2, BulkApiRequest, CompositeApi
// and CompositeApiSubrequest are families that grow.
func elfTypeOf(name string) elfType {
	if t, ok := elfTypes[name]; ok {
		return t
	}
	switch {
	case strings.HasPrefix(name, "BulkApi"):
		return elfType{class: schema.ClassAPIActivity, activity: requestActivity}
	case strings.HasPrefix(name, "CompositeApi"):
		return elfType{class: schema.ClassAPIActivity, activity: requestActivity}
	}
	return elfType{activity: func(*salesforceReader) uint64 { return schema.ActivityOther }}
}

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

func webRead(*salesforceReader) uint64 { return webSearchOrRead }

func reportExport(r *salesforceReader) uint64 {
	if r.event.Text[schema.ResourcesUID] != "" {
		r.event.Text[schema.ResourcesType] = "report"
	}
	return webExport
}

// report tells an export by ORIGIN: ReportExported, ReportExportedAsynchronously,
// ReportExportedUsingExcelConnector.
func report(r *salesforceReader) uint64 {
	if strings.HasPrefix(r.event.Text[schema.APIOperation], "ReportExported") {
		return webExport
	}
	return webSearchOrRead
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

func insecureAsset(r *salesforceReader) uint64 {
	r.event.Number[schema.DispositionID] = dispositionDetect
	return schema.ActivityOther
}

// contentTransfer tells by TRANSACTION_TYPE.
func contentTransfer(r *salesforceReader) uint64 {
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

func attachmentDownload(*salesforceReader) uint64 { return fileDownload }

func contentShare(*salesforceReader) uint64 { return fileShare }

func permissionUpdate(r *salesforceReader) uint64 {
	switch strings.ToLower(r.event.Text[schema.APIOperation]) {
	case "insert", "create", "update", "upsert":
		return accessAssign
	case "delete":
		return accessRevoke
	}
	return schema.ActivityOther
}

func groupMembership(r *salesforceReader) uint64 {
	switch strings.ToLower(r.event.Text[schema.APIOperation]) {
	case "insert", "create", "add":
		return groupAddUser
	case "delete", "remove":
		return groupRemoveUser
	}
	return schema.ActivityOther
}

func databaseSave(r *salesforceReader) uint64 {
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
	return findingCreate
}
