package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// microsoftAudit is Microsoft's unified audit log, in which Dynamics 365 and Dataverse
// write: the arrays of the Management Activity API, and Purview's CSV export, whose
// column AuditData holds the same record.
var microsoftAudit = Format{
	Name:   microsoftAuditRecords.name,
	Title:  "Microsoft 365 and Dynamics 365 audit (Activity API JSON, Purview CSV)",
	Detect: microsoftAuditRecords.detect,
	New:    microsoftAuditRecords.decoder,
}

// entraSignIn is Entra's sign-in logs: of users, also without interaction, of service
// principals and of managed identities; from diagnostic settings ({"records":[...]} or
// one a line), Graph ({"value":[...]}) or Log Analytics.
var entraSignIn = Format{
	Name:   entraRecords.name,
	Title:  "Microsoft Entra sign-ins (JSON or CSV)",
	Detect: entraRecords.detect,
	New:    entraRecords.decoder,
}

var microsoftAuditRecords = crmFormat{
	name: "microsoft-audit", product: "Microsoft 365", vendor: "Microsoft", roles: microsoftRoles, utc: true,
	log: func(has crmRoles) string {
		if has.all(crmTime, msOperation) && (has.any(msAuditData) || has.any(msWorkload) && has.any(msRecordType, msUserKey)) {
			return "AuditLog"
		}
		return ""
	},
	prepare: openAuditData,
	fill:    fillMicrosoftAudit,
	wanted:  "a header such as RecordId,CreationDate,RecordType,Operation,UserId,AuditData",
}

var entraRecords = crmFormat{
	name: "entra-signin", product: "Microsoft Entra ID", vendor: "Microsoft", roles: microsoftRoles, utc: true,
	times: []int{msCreated},
	log: func(has crmRoles) string {
		if has.any(msCreated, crmTime) && has.any(msResult) && has.any(msAppID, msAppName) && has.any(msUPN, msUserKey) && has.any(msAddress) {
			return "SignInLogs"
		}
		return ""
	},
	fill:   fillEntra,
	wanted: "a header such as createdDateTime,userPrincipalName,appDisplayName,ipAddress,status.errorCode",
}

// What a field means, beside crmID and crmTime.
const (
	msCreated = iota + crmOwn
	msOrganization
	msRecordType
	msUserID
	msUPN
	msUserKey
	msUserType
	msAddress
	msAppID
	msAppName
	msSession
	msToken
	msCredential
	msOperation
	msMessage
	msEntity
	msEntityID
	msPrimary
	msInstance
	msResource
	msQuery
	msQueryResults
	msStatus
	msResult
	msDetail
	msWorkload
	msCategory
	msUserAgent
	msCorrelation
	msCountry
	msCity
	msLocation
	msDuration
	msProtocol
	msRequirement
	msConditionalAccess
	msClientUsed
	msAuditData
	msTarget
	msModified
)

// microsoftRoles has the roles by plain name: names come in camelCase, PascalCase and
// lower case, and inside properties or not.
var microsoftRoles = func() map[string]int {
	roles := map[string]int{}
	for role, names := range map[int]string{
		crmID: "id recordid", crmTime: "creationtime creationdate time timegenerated", msCreated: "createddatetime",
		msOrganization: "organizationid tenantid aadtenantid", msRecordType: "recordtype",
		msUserID: "userid userids", msUPN: "userprincipalname serviceprincipalname userupn", msUserKey: "userkey systemuserid serviceprincipalid",
		msUserType: "usertype", msAddress: "clientip calleripaddress ipaddress actoripaddress",
		msAppID: "appid applicationid appaccesscontextclientappid", msAppName: "appdisplayname appaccesscontextclientappname",
		msSession: "sessionid appaccesscontextaadsessionid", msToken: "uniquetokenidentifier appaccesscontextuniquetokenid",
		msCredential: "serviceprincipalcredentialkeyid", msOperation: "operation operations operationname", msMessage: "message",
		msEntity: "entityname", msEntityID: "entityid objectid itemurl", msPrimary: "primaryfieldvalue", msInstance: "instanceurl",
		msResource: "resourcedisplayname", msQuery: "query", msQueryResults: "queryresults", msStatus: "resultstatus",
		msResult: "resulttype statuserrorcode errornumber errorcode", msDetail: "logonerror resultdescription statusfailurereason failurereason",
		msWorkload: "workload", msCategory: "category", msUserAgent: "useragent", msCorrelation: "correlationid appaccesscontextcorrelationid",
		msCountry: "locationcountryorregion", msCity: "locationcity", msLocation: "location", msDuration: "durationms",
		msProtocol: "authenticationprotocol", msRequirement: "authenticationrequirement", msConditionalAccess: "conditionalaccessstatus",
		msClientUsed: "clientappused", msAuditData: "auditdata", msTarget: "target", msModified: "modifiedproperties",
	} {
		for name := range strings.FieldsSeq(names) {
			roles[name], roles["properties"+name] = role, role
		}
	}
	return roles
}()

// openAuditData replaces what a row of Purview's export says by its AuditData, which
// says it in full.
func openAuditData(r *crmRecord) *csvFailure {
	text := r.values[msAuditData]
	if text == "" {
		return nil
	}
	if r.inner.classify == nil {
		r.inner.classify = r.format.role
	}
	place := r.places[msAuditData]
	if n, err := r.inner.object([]byte(text)); text[0] != '{' || err != nil || n != len(text) {
		return &csvFailure{ReasonSyntax, "the column AuditData is not whole JSON: spreadsheets cut it at 32,767 characters; use the export as it was downloaded", place}
	}
	r.values[msAuditData] = ""
	for i := range r.inner.leaves {
		leaf := &r.inner.leaves[i]
		if leaf.node.field == crmUnmapped || leaf.text == "" {
			r.event.AddUnmapped(leaf.node.path, leaf.text)
			continue
		}
		r.values[leaf.node.field] = leaf.text
	}
	return nil
}

// fillMicrosoftCommon fills in what audit records and sign-ins share.
func fillMicrosoftCommon(r *crmRecord) {
	e, v := r.event, &r.values
	setSource(e, &r.addresses, v[msAddress])
	if v[msOrganization] != "" {
		e.Text[schema.MetadataTenantUID] = v[msOrganization]
	}
	r.set(schema.ActorAppUID, msAppID)
	r.set(schema.ActorAppName, msAppName)
	r.set(schema.ActorSessionUID, msSession)
	r.set(schema.ActorSessionUIDAlt, msToken)
	r.set(schema.SessionCredentialUID, msCredential)
	r.set(schema.HTTPRequestUserAgent, msUserAgent)
	r.set(schema.MetadataCorrelationUID, msCorrelation)
	r.set(schema.StatusDetail, msDetail)
	setDuration(e, v[msDuration], 1)
	r.set(schema.SrcEndpointLocationCity, msCity)
	switch country := firstFilled(v[msCountry], v[msLocation]); {
	case len(country) == 2:
		e.Text[schema.SrcEndpointLocationCountry] = strings.ToUpper(country)
	default:
		e.AddUnmapped("location", country)
	}
}

func fillMicrosoftAudit(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	fillMicrosoftCommon(r)
	e.Text[schema.ActorUserName] = firstFilled(v[msUserID], v[msUPN])
	r.set(schema.ActorUserUID, msUserKey)
	if strings.IndexByte(v[msUserID], '@') > 0 {
		e.Text[schema.ActorUserEmailAddr] = v[msUserID]
	}
	r.set(schema.ActorUserType, msUserType)
	e.Number[schema.ActorUserTypeID] = map[string]uint64{
		"0": schema.UserTypeUser, "2": schema.UserTypeAdmin, "3": schema.UserTypeAdmin, "4": schema.UserTypeSystem,
		"5": schema.UserTypeService, "6": schema.UserTypeService, "": 0,
	}[v[msUserType]]
	r.set(schema.MetadataEventCode, msOperation)
	e.Text[schema.APIOperation] = firstFilled(v[msMessage], v[msOperation])
	e.AddUnmapped("RecordType", v[msRecordType])
	e.AddUnmapped("Workload", v[msWorkload])
	if v[msMessage] != "" && v[msMessage] != v[msOperation] {
		e.AddUnmapped("Operation", v[msOperation])
	}
	r.set(schema.ResourcesType, msEntity)
	r.set(schema.ResourcesUID, msEntityID)
	r.set(schema.ResourcesName, msPrimary)
	r.set(schema.QueryString, msQuery)
	if host, _, ok := cutScheme(v[msInstance]); ok {
		e.Text[schema.DstEndpointHostname] = hostOnly(host)
	}
	if list := v[msQueryResults]; strings.HasPrefix(list, "[") {
		e.Number[schema.RowsProcessed] = uint64(strings.Count(list, `"`) / 2)
		v[msQueryResults] = ""
	}
	e.AddUnmapped("QueryResults", v[msQueryResults])
	e.AddUnmapped("Target", v[msTarget])
	e.AddUnmapped("ModifiedProperties", v[msModified])
	isCRM := v[msRecordType] == "21" || strings.EqualFold(v[msRecordType], "CRM") || strings.EqualFold(v[msWorkload], "CRM") || strings.HasPrefix(v[msWorkload], "Dynamics365")
	if isCRM {
		e.Text[schema.MetadataProductName], r.log = "Dynamics 365", "DynamicsAudit"
		e.Text[schema.MetadataLogName] = r.log
	}
	unifiedAuditStatus(r, isCRM)
	unifiedAuditActivity(r, isCRM)
	if v[msRecordType] == "8" || strings.EqualFold(v[msRecordType], "AzureActiveDirectory") {
		fillDirectory(r)
	}
	return nil
}

// unifiedAuditStatus reads ResultStatus. At a sign-in "Succeeded" only says that the request
// was answered: LogonError tells. The CRM logs what it has done.
func unifiedAuditStatus(r *crmRecord, isCRM bool) {
	e, v := r.event, &r.values
	e.Text[schema.StatusCode] = firstFilled(v[msResult], v[msStatus])
	switch strings.ToLower(v[msStatus]) {
	case "succeeded", "success", "true":
		e.Number[schema.StatusID] = schema.StatusSuccess
	case "failed", "failure", "false":
		e.Number[schema.StatusID] = schema.StatusFailure
	case "":
		if isCRM {
			e.Number[schema.StatusID] = schema.StatusSuccess
		}
	default:
		e.Number[schema.StatusID] = schema.StatusOther
	}
	if v[msDetail] != "" || v[msOperation] == "UserLoginFailed" {
		e.Number[schema.StatusID] = schema.StatusFailure
		if v[msResult] != "" {
			signInResult(r, v[msResult])
		}
	}
	if e.Number[schema.StatusID] == schema.StatusFailure && e.Number[schema.SeverityID] == uint64(schema.SeverityInformational) {
		r.severity(schema.SeverityLow)
	}
}

func unifiedAuditActivity(r *crmRecord, isCRM bool) {
	e, v := r.event, &r.values
	what := e.Text[schema.APIOperation]
	plain := plainName(what)
	switch {
	case v[msRecordType] == "15" || strings.HasPrefix(v[msOperation], "UserLog"):
		r.activity(schema.ClassAuthentication, schema.AuthLogon)
		r.setUser()
	case strings.HasPrefix(plain, "exportto") || strings.HasPrefix(plain, "export"):
		r.activity(schema.ClassWebResources, 7)
	case isCRM && strings.HasPrefix(plain, "retrieve"):
		r.activity(schema.ClassAPIActivity, schema.APIRead)
	case isCRM && plain == "assign": // a record gets another owner; elsewhere the word is that of a grant
		r.activity(schema.ClassAPIActivity, schema.APIUpdate)
	case isCRM:
		r.activity(schema.ClassAPIActivity, verbOf(crmWords(what)).api())
	default:
		r.activity(schema.ClassEntityManagement, verbOf(crmWords(what)).api())
	}
}
