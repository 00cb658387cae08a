package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Fields of real-time events that are read apart; the others are rtemColumns. A
// field that is neither is rtemOther, and stays unmapped.
const (
	rtemOther = iota
	// rtemDropped is what only describes the message: the id of its schema and the
	// address of its record.
	rtemDropped
	rtemChannel
	rtemType
	rtemEventIdentifier
	rtemEventUUID
	rtemEventDate
	rtemCreatedDate
	rtemExecutionIdentifier
	rtemSequence
	rtemStatus
	rtemPolicyOutcome
	rtemScore
	rtemSecurityEventData
	rtemRecords
	rtemImpactedUserIDs
	rtemActivity
	rtemExportFileFormat
	rtemFirstColumn
)

// rtemSpecial are the names of the fields that are read apart.
var rtemSpecial = map[string]int{
	"Schema": rtemDropped, "attributes.url": rtemDropped,
	"channel": rtemChannel, "attributes.type": rtemType,
	"EventIdentifier": rtemEventIdentifier, "EventUuid": rtemEventUUID, "EventDate": rtemEventDate, "CreatedDate": rtemCreatedDate,
	"ExecutionIdentifier": rtemExecutionIdentifier, "Sequence": rtemSequence, "Status": rtemStatus,
	"PolicyOutcome": rtemPolicyOutcome, "Score": rtemScore, "SecurityEventData": rtemSecurityEventData, "Records": rtemRecords,
	"ImpactedUserIds": rtemImpactedUserIDs, "Activity": rtemActivity, "ExportFileFormat": rtemExportFileFormat,
}

func unmappedColumn(name string) salesforceColumn {
	return salesforceColumn{name: name, kind: readUnmapped}
}

// rtemColumns are the fields of all real-time events, in order of rank; those that
// tell one event from another are here also where they stay unmapped.
var rtemColumns = [...]salesforceColumn{
	idColumn("OrganizationId", schema.MetadataTenantUID),
	textColumn("RelatedEventIdentifier", schema.MetadataCorrelationUID),
	textColumn("RequestIdentifier", schema.MetadataCorrelationUID),
	textColumn("RequestId", schema.MetadataCorrelationUID),
	idColumn("UserId", schema.ActorUserUID),
	textColumn("Username", schema.ActorUserName),
	textColumn("DelegatedUsername", schema.UserName),
	{name: "UserType", kind: readUserType},
	textColumn("SessionKey", schema.ActorSessionUID),
	textColumn("LoginKey", schema.ActorSessionUIDAlt),
	{name: "SourceIp", kind: readAddress},
	{name: "CurrentIp", kind: readAddress},
	textColumn("ForwardedForIp", schema.HTTPRequestXForwardedFor),
	textColumn("CountryIso", schema.SrcEndpointLocationCountry),
	textColumn("Country", schema.SrcEndpointLocationCountry),
	textColumn("City", schema.SrcEndpointLocationCity),
	idColumn("ConnectedAppId", schema.ActorAppUID),
	textColumn("Application", schema.ActorAppName),
	textColumn("Client", schema.ActorClientName),
	{name: "HttpMethod", kind: readMethod},
	{name: "Uri", kind: readURL},
	{name: "RequestUri", kind: readURL},
	{name: "PageUrl", kind: readURL},
	{name: "TargetUrl", kind: readURL},
	{name: "LoginUrl", kind: readHost},
	textColumn("Operation", schema.APIOperation),
	textColumn("FileAction", schema.APIOperation),
	{name: "ApiType", kind: readAPIType},
	{name: "ApiVersion", kind: readAPIVersion},
	resourceColumn("ReportId", "report"),
	resourceColumn("Report", "report"),
	resourceColumn("ListViewId", "list_view"),
	resourceColumn("ParentIdList", "permission_set"),
	resourceColumn("DocumentId", "document"),
	resourceColumn("RecordId", "sobject"),
	resourceColumn("ResourceId", ""),
	resourceColumn("DashboardId", "dashboard"),
	textColumn("FileName", schema.ResourcesName),
	textColumn("ParentNameList", schema.ResourcesName),
	{name: "QueriedEntities", kind: readEntity},
	{name: "RequestedEntities", kind: readEntity},
	textColumn("Query", schema.QueryString),
	textColumn("Summary", schema.Message),
	textColumn("Message", schema.StatusDetail),
	textColumn("OperationStatus", schema.StatusCode),
	numberColumn("RowsProcessed", schema.RowsProcessed),
	numberColumn("RowsReturned", schema.RowsProcessed),
	numberColumn("ElapsedTime", schema.Duration),
	numberColumn("Duration", schema.Duration),
	numberColumn("ContentSize", schema.TrafficBytesIn),
	{name: "UserAgent", kind: readUserAgent},
	{name: "CurrentUserAgent", kind: readUserAgent},
	{name: "Browser", kind: readUserAgent},
	{name: "TlsProtocol", kind: readTLSVersion},
	textColumn("CipherSuite", schema.TLSCipher),
	{name: "LoginType", kind: readLoginType},
	{name: "LoginSubType", kind: readLoginSubType},
	{name: "AuthMethodReference", kind: readAuthMethod},
	idColumn("AuthServiceId", schema.ActorIDPUID),

	unmappedColumn("AcceptLanguage"), unmappedColumn("AdditionalInfo"), unmappedColumn("ColumnHeaders"), unmappedColumn("CurrentPlatform"),
	unmappedColumn("CurrentValue"), unmappedColumn("DelegatedOrganizationId"), unmappedColumn("DeviceSessionId"), unmappedColumn("FilterCriteria"),
	unmappedColumn("LimitValue"), unmappedColumn("LoginAsCategory"), unmappedColumn("PageStartTime"), unmappedColumn("PermissionList"),
	unmappedColumn("PermissionType"), unmappedColumn("PreviousIp"), unmappedColumn("PreviousUserAgent"), unmappedColumn("Quiddity"),
	unmappedColumn("SoqlCommands"), unmappedColumn("TotalControllerEvents"), unmappedColumn("UserCount"), unmappedColumn("VerificationMethod"),
	unmappedColumn("ReplayId"),
}

// rtemFieldCount is the number of fields that have a meaning.
const rtemFieldCount = rtemFirstColumn + len(rtemColumns)

// rtemFields has the fields by plain name.
var rtemFields = func() map[string]int {
	fields := map[string]int{}
	for name, field := range rtemSpecial {
		fields[plainName(name)] = field
	}
	for i := range rtemColumns {
		fields[plainName(rtemColumns[i].name)] = rtemFirstColumn + i
	}
	return fields
}()

// rtemRole is what the value at a path means.
func rtemRole(path string) int {
	if len(path) > maxMemoKey {
		return rtemOther
	}
	return rtemFields[plainName(rtemFieldName(path))]
}

// rtemEnvelopes are the objects around an event, and rtemUnions the names that
// Avro's JSON puts around a value that may be null ({"string":"x"}).
var (
	rtemEnvelopes = []string{"data.payload.", "event.payload.", "payload.", "data.event.", "event.", "data."}
	rtemUnions    = []string{".string", ".long", ".double", ".boolean", ".int", ".float", ".array"}
)

// rtemFieldName is a path without the envelope.
func rtemFieldName(path string) string {
	for _, envelope := range rtemEnvelopes {
		if name, found := strings.CutPrefix(path, envelope); found {
			path = name
			break
		}
	}
	for _, union := range rtemUnions {
		if name, found := strings.CutSuffix(path, union); found {
			return name
		}
	}
	return path
}
