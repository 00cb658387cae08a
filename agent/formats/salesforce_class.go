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
	webSearch          = 5 // 6001 Search
	webExport          = 7 // 6001 Export
	fileUpload         = 1 // 6006
	fileDownload       = 2
	filePreview        = 9
	fileShare          = 12
	fileUnshare        = 13
	accessAssign       = 1 // 3005
	accessRevoke       = 2
	groupAddUser       = 3 // 3006
	groupRemoveUser    = 4
	groupAddGroup      = 7
	groupRemoveGroup   = 8
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
	"OneCommerceUsage":     {class: schema.ClassAPIActivity, activity: requestActivity},
	"InsufficientAccess":   {class: schema.ClassAPIActivity, activity: insufficientAccess},
	"ApexCallout":          {class: schema.ClassAPIActivity, activity: callout},
	"NamedCredential":      {class: schema.ClassAPIActivity, activity: namedCredential},

	"URI":            {class: schema.ClassWebResources, activity: webRead},
	"Report":         {class: schema.ClassWebResources, activity: report},
	"AsyncReportRun": {class: schema.ClassWebResources, activity: report},
	"ReportExport":   {class: schema.ClassWebResources, activity: reportExport},
	"WaveDownload":   {class: schema.ClassWebResources, activity: reportExport},

	"Search":               {class: schema.ClassWebResources, activity: webSearched},
	"SearchClick":          {class: schema.ClassWebResources, activity: webRead},
	"Dashboard":            {class: schema.ClassWebResources, activity: webRead},
	"MultiBlockReport":     {class: schema.ClassWebResources, activity: webRead},
	"LightningPageView":    {class: schema.ClassWebResources, activity: webRead},
	"KnowledgeArticleView": {class: schema.ClassWebResources, activity: webRead},

	"Sites":                  {class: schema.ClassHTTPActivity, activity: httpActivity},
	"VisualforceRequest":     {class: schema.ClassHTTPActivity, activity: httpActivity},
	"AuraRequest":            {class: schema.ClassHTTPActivity, activity: httpActivity},
	"HostnameRedirects":      {class: schema.ClassHTTPActivity, activity: hostnameRedirect},
	"BlockedRedirect":        {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: corsViolation},
	"CorsViolation":          {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: corsViolation},
	"CSPViolation":           {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: insecureAsset},
	"InsecureExternalAssets": {class: schema.ClassHTTPActivity, severity: schema.SeverityLow, activity: insecureAsset},

	"ContentTransfer":             {class: schema.ClassFileHosting, activity: contentTransfer},
	"DocumentAttachmentDownloads": {class: schema.ClassFileHosting, activity: attachmentDownload},
	"ContentDistribution":         {class: schema.ClassFileHosting, activity: contentDistribution},
	"ContentDocumentLink":         {class: schema.ClassFileHosting, activity: contentShare},

	"PermissionUpdate": {class: schema.ClassUserAccess, activity: permissionUpdate},
	"GroupMembership":  {class: schema.ClassGroupManagement, activity: groupMembership},
	"DatabaseSave":     {class: schema.ClassDatastoreActivity, activity: databaseSave},

	"PlatformEncryption": {class: schema.ClassEntityManagement, activity: entityActivity},
	"PackageInstall":     {class: schema.ClassEntityManagement, activity: entityActivity},
	"ChangeSetOperation": {class: schema.ClassEntityManagement, activity: entityActivity},

	"ApexUnexpectedException":        {class: schema.ClassApplicationError, severity: schema.SeverityMedium, activity: applicationError},
	"LightningError":                 {class: schema.ClassApplicationError, severity: schema.SeverityLow, activity: applicationError},
	"ConcurrentLongRunningApexLimit": {class: schema.ClassApplicationError, severity: schema.SeverityMedium, activity: applicationLimit},
	"TransactionSecurity":            {class: schema.ClassAPIActivity, activity: policyResult},
}

// elfTypeOf finds an event type; BulkApi, BulkApi2, BulkApiRequest, CompositeApi,
// CompositeApiSubrequest and the callouts of external data are families that grow.
func elfTypeOf(name string) elfType {
	if t, ok := elfTypes[name]; ok {
		return t
	}
	switch {
	case strings.HasPrefix(name, "BulkApi"):
		return elfType{class: schema.ClassAPIActivity, activity: requestActivity}
	case strings.HasPrefix(name, "CompositeApi"):
		return elfType{class: schema.ClassAPIActivity, activity: requestActivity}
	case strings.HasPrefix(name, "External") && strings.HasSuffix(name, "Callout"):
		return elfType{class: schema.ClassAPIActivity, activity: callout}
	}
	return elfType{activity: func(*salesforceReader) uint64 { return schema.ActivityOther }}
}
