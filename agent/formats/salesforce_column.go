package formats

import (
	"github.com/crmwatch/crmwatch/schema"
)

// columnKind says how a source field is read.
type columnKind uint8

const (
	// readUnmapped keeps the field under its own name.
	readUnmapped columnKind = iota
	// readTwin is readUnmapped for a 15-character id whose column NAME_DERIVED
	// holds the same id in 18 characters.
	readTwin
	// readText fills a string column, readID one with a Salesforce id.
	readText
	readID
	// readNumber and readFlag fill a numeric column.
	readNumber
	readFlag
	// readResource fills resources_uid with an id, and resources_type with the label.
	readResource
	readEntity
	readAddress
	readPath
	readURL
	readHost
	readMethod
	readUserAgent
	readUserType
	readAPIType
	readAPIVersion
	readTLSVersion
	readLoginType
	readLoginSubType
	readLoginStatus
	// readLoginResult is LoginHistory's Status.
	readLoginResult
	readAuthMethod
	readHTTPStatus
	readRequestStatus
	readJobStatus
	readPolicyResult
	readSuccess
	// readError fills status_detail with a text that is only there after a failure;
	// readMessage is the same where a text may also tell of a success.
	readError
	readMessage
	readTransferSize
	// readGuest is a flag that is set for a visitor who is not logged in, readFailed
	// one that is set after a failure.
	readGuest
	readFailed
	// readNothing is for fields that are read elsewhere.
	readNothing
)

// salesforceColumn says how a source field is read, and into which column. The
// place of a salesforceColumn in its list is its rank: where several fields fill
// one column, the first one that is not empty does, and the others are kept as
// unmapped if they differ.
type salesforceColumn struct {
	name   string
	kind   columnKind
	text   schema.Text
	number schema.Number
	label  string
}

func textColumn(name string, text schema.Text) salesforceColumn {
	return salesforceColumn{name: name, kind: readText, text: text}
}

func idColumn(name string, text schema.Text) salesforceColumn {
	return salesforceColumn{name: name, kind: readID, text: text}
}

func numberColumn(name string, number schema.Number) salesforceColumn {
	return salesforceColumn{name: name, kind: readNumber, number: number}
}

func resourceColumn(name, label string) salesforceColumn {
	return salesforceColumn{name: name, kind: readResource, label: label}
}

// elfColumns are the columns of EventLogFile, for every event type. Unless noted
// their meaning is that of Salesforce's Object Reference.
var elfColumns = []salesforceColumn{
	{name: "EVENT_TYPE", kind: readNothing},
	{name: "TIMESTAMP_DERIVED", kind: readNothing},
	{name: "TIMESTAMP", kind: readNothing},
	idColumn("ORGANIZATION_ID", schema.MetadataTenantUID),
	textColumn("REQUEST_ID", schema.MetadataCorrelationUID),
	idColumn("USER_ID_DERIVED", schema.ActorUserUID),
	idColumn("USER_ID", schema.ActorUserUID),
	textColumn("USER_NAME", schema.ActorUserName),
	{name: "USER_TYPE", kind: readUserType},
	textColumn("SESSION_KEY", schema.ActorSessionUID),
	textColumn("LOGIN_KEY", schema.ActorSessionUIDAlt),
	{name: "SOURCE_IP", kind: readAddress},
	{name: "CLIENT_IP", kind: readAddress},
	textColumn("FORWARDED_FOR_IP", schema.HTTPRequestXForwardedFor),
	idColumn("CONNECTED_APP_ID", schema.ActorAppUID),
	textColumn("CONNECTED_APP_NAME", schema.ActorAppName),
	textColumn("CLIENT_NAME", schema.ActorClientName),
	textColumn("CLIENT_ID", schema.ActorClientName),
	textColumn("API_CLIENT_CATEGORY", schema.ActorClientCategory),
	textColumn("MEDIA_TYPE", schema.HTTPResponseContentType),
	{name: "METHOD", kind: readMethod},
	{name: "HTTP_METHOD", kind: readMethod},
	{name: "URI", kind: readPath},
	{name: "API_RESOURCE", kind: readPath},
	{name: "REQUEST_PATH", kind: readPath},
	{name: "REQUEST_URI", kind: readPath},
	{name: "PATH", kind: readPath},
	{name: "URL", kind: readURL},
	textColumn("REFERRER_URI", schema.HTTPRequestReferrer),
	textColumn("REFERRER", schema.HTTPRequestReferrer),
	textColumn("METHOD_NAME", schema.APIOperation),
	textColumn("OPERATION_TYPE", schema.APIOperation),
	textColumn("OPERATION", schema.APIOperation),
	textColumn("TRANSACTION_TYPE", schema.APIOperation),
	textColumn("UPDATE_TYPE", schema.APIOperation),
	textColumn("DML_TYPE", schema.APIOperation),
	textColumn("ACTION", schema.APIOperation),
	{name: "API_VERSION", kind: readAPIVersion},
	{name: "API_TYPE", kind: readAPIType},
	textColumn("API_FAMILY", schema.APIServiceName),
	resourceColumn("JOB_ID", "job"),
	resourceColumn("REPORT_ID_DERIVED", "report"),
	resourceColumn("REPORT_ID", "report"),
	resourceColumn("DOCUMENT_ID_DERIVED", "document"),
	resourceColumn("DOCUMENT_ID", "document"),
	resourceColumn("FEATURE_ID", "permission"),
	resourceColumn("GROUP_ID", "group"),
	resourceColumn("DELIVERY_ID", "content_delivery"),
	resourceColumn("FIRST_ENTITY_ID", "sobject"),
	resourceColumn("RECORD_ID", "sobject"),
	resourceColumn("ENTITY_ID", "document"),
	resourceColumn("URI_ID_DERIVED", ""),
	{name: "ENTITY_NAME", kind: readEntity},
	{name: "ENTITY_TYPE", kind: readEntity},
	idColumn("MEMBER_ID", schema.UserUID),
	textColumn("QUERY", schema.QueryString),
	textColumn("SEARCH_QUERY", schema.QueryString),
	{name: "STATUS_CODE", kind: readHTTPStatus},
	{name: "LOGIN_STATUS", kind: readLoginStatus},
	{name: "JOB_STATUS", kind: readJobStatus},
	{name: "RESULT", kind: readPolicyResult},
	{name: "REQUEST_STATUS", kind: readRequestStatus},
	{name: "SUCCESS", kind: readSuccess},
	{name: "EXCEPTION_MESSAGE", kind: readError},
	{name: "ERROR_MESSAGE", kind: readError},
	{name: "ERROR_DESCRIPTION", kind: readError},
	textColumn("CANCELLED_REASON", schema.StatusDetail),
	{name: "IS_GUEST", kind: readGuest},
	{name: "IS_ERROR", kind: readFailed},
	{name: "MESSAGE", kind: readMessage},
	textColumn("DESCRIPTION", schema.Message),
	textColumn("REPORT_DESCRIPTION", schema.Message),
	numberColumn("REQUEST_SIZE", schema.TrafficBytesOut),
	numberColumn("RESPONSE_SIZE", schema.TrafficBytesIn),
	{name: "SIZE_BYTES", kind: readTransferSize},
	numberColumn("ROWS_PROCESSED", schema.RowsProcessed),
	numberColumn("ROW_COUNT", schema.RowsProcessed),
	numberColumn("RECORDS_PROCESSED", schema.RowsProcessed),
	numberColumn("NUM_ROWS", schema.RowsProcessed),
	numberColumn("NUMBER_FAILURES", schema.RowsFailed),
	numberColumn("RECORDS_FAILED", schema.RowsFailed),
	numberColumn("RUN_TIME", schema.Duration),
	numberColumn("CPU_TIME", schema.CPUTime),
	numberColumn("DB_TOTAL_TIME", schema.DBTime),
	numberColumn("DB_CPU_TIME", schema.DBCPUTime),
	numberColumn("DB_BLOCKS", schema.DBBlocks),
	numberColumn("NUMBER_FIELDS", schema.FieldCount),
	{name: "BROWSER_TYPE", kind: readUserAgent},
	{name: "CLIENT_INFO", kind: readUserAgent},
	{name: "USER_AGENT", kind: readUserAgent},
	{name: "TLS_PROTOCOL", kind: readTLSVersion},
	textColumn("CIPHER_SUITE", schema.TLSCipher),
	{name: "LOGIN_TYPE", kind: readLoginType},
	{name: "LOGIN_SUB_TYPE", kind: readLoginSubType},
	{name: "LOGIN_URL", kind: readHost},
	{name: "HOST", kind: readHost},
	{name: "TARGET_HOSTNAME", kind: readHost},
	{name: "AUTHENTICATION_METHOD_REFERENCE", kind: readAuthMethod},
	idColumn("AUTHENTICATION_SERVICE_ID", schema.ActorIDPUID),
	{name: "COUNTS_AGAINST_API_LIMIT", kind: readFlag, number: schema.CountsAgainstLimit},
}

// elfColumnsOf are the columns that mean something else in one event type. They
// rank before elfColumns.
var elfColumnsOf = map[string][]salesforceColumn{
	// USER_ID is the user who was impersonated.
	"LoginAs": {
		idColumn("DELEGATED_USER_ID_DERIVED", schema.ActorUserUID),
		idColumn("DELEGATED_USER_ID", schema.ActorUserUID),
		textColumn("DELEGATED_USER_NAME", schema.ActorUserName),
		idColumn("USER_ID_DERIVED", schema.UserUID),
		idColumn("USER_ID", schema.UserUID),
		textColumn("USER_NAME", schema.UserName),
	},
	// A login of Salesforce's own support staff.
	"SalesforceLoginAs": {
		idColumn("ACTUAL_USER_ID", schema.ActorUserUID),
		{name: "IP_ADDRESS", kind: readAddress},
	},
	// The platform calls out: CLIENT_IP is whoever made it do so, URI the page on
	// which they did, and RUN_TIME is not used.
	"ApexCallout": {
		numberColumn("TIME", schema.Duration),
		{name: "RUN_TIME", kind: readUnmapped},
		{name: "CLIENT_IP", kind: readUnmapped},
		{name: "URI", kind: readUnmapped},
		textColumn("TYPE", schema.APIServiceName),
	},
	"NamedCredential": {
		{name: "CLIENT_IP", kind: readUnmapped},
		{name: "URI", kind: readUnmapped},
		textColumn("NAMED_CREDENTIAL_NAME", schema.ResourcesName),
	},
	"Report":         {textColumn("ORIGIN", schema.APIOperation)},
	"AsyncReportRun": {textColumn("ORIGIN", schema.APIOperation)},
	// The site that asked, and what its page wanted.
	"CorsViolation": {textColumn("ORIGIN", schema.HTTPRequestReferrer)},
	"InsecureExternalAssets": {
		{name: "INSECURE_URI", kind: readURL},
		textColumn("DOCUMENT_URI", schema.HTTPRequestReferrer),
		{name: "URI", kind: readUnmapped},
	},
	"HostnameRedirects": {
		textColumn("MESSAGE", schema.Message),
		textColumn("REDIRECT_REASON", schema.StatusDetail),
		{name: "URI", kind: readUnmapped},
	},
	"InsufficientAccess": {textColumn("REQUESTED_ACCESS_LEVEL", schema.APIOperation)},
	"ApexSoap":           {textColumn("CLASS_NAME", schema.ResourcesName)},
	"Sites":              {textColumn("PAGE_NAME", schema.ResourcesName)},
	"VisualforceRequest": {textColumn("PAGE_NAME", schema.ResourcesName)},
	"PackageInstall":     {textColumn("PACKAGE_NAME", schema.ResourcesName), {name: "IS_SUCCESSFUL", kind: readSuccess}},
	"Search":             {numberColumn("NUM_RESULTS", schema.RowsProcessed)},
	// METHOD and ACTION say what was done to a key.
	"PlatformEncryption": {
		textColumn("ACTION", schema.APIOperation),
		{name: "METHOD", kind: readUnmapped},
		resourceColumn("KEY_ID_DERIVED", "key"),
		resourceColumn("KEY_ID", "key"),
	},
	"TransactionSecurity":     {resourceColumn("POLICY_ID_DERIVED", "policy"), resourceColumn("POLICY_ID", "policy")},
	"ApexUnexpectedException": {textColumn("EXCEPTION_TYPE", schema.StatusCode)},
}
