package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// rtemMeaning is what a real-time event is in the terms of OCSF.
type rtemMeaning struct {
	class    uint64
	severity schema.Severity
	activity func(*rtemRecord) uint64
}

// rtemTypes are the events of Real-Time Event Monitoring by the name of their
// stream without "Stream", and of their store without "Store".
var rtemTypes = map[string]rtemMeaning{
	"LoginEvent":                {class: schema.ClassAuthentication, activity: rtemLogin},
	"LogoutEvent":               {class: schema.ClassAuthentication, activity: func(r *rtemRecord) uint64 { return logout(&r.reader) }},
	"LoginAsEvent":              {class: schema.ClassAuthentication, severity: schema.SeverityLow, activity: rtemLoginAs},
	"IdentityVerificationEvent": {class: schema.ClassAuthentication, activity: rtemVerification},

	"ApiEvent":           {class: schema.ClassAPIActivity, activity: rtemAPI},
	"BulkApiResultEvent": {class: schema.ClassAPIActivity, activity: rtemBulkResult},

	"ReportEvent":       {class: schema.ClassWebResources, activity: rtemReport},
	"ListViewEvent":     {class: schema.ClassWebResources, activity: rtemRead},
	"UriEvent":          {class: schema.ClassWebResources, activity: rtemPage},
	"LightningUriEvent": {class: schema.ClassWebResources, activity: rtemPage},
	"FileEvent":         {class: schema.ClassFileHosting, activity: rtemFile},

	"PermissionSetEvent":        {class: schema.ClassUserAccess, activity: rtemPermission},
	"ConcurLongRunApexErrEvent": {class: schema.ClassApplicationError, severity: schema.SeverityMedium, activity: func(r *rtemRecord) uint64 { return applicationLimit(&r.reader) }},

	"CredentialStuffingEvent": {class: schema.ClassDetectionFinding, severity: schema.SeverityHigh, activity: rtemFinding},
	"SessionHijackingEvent":   {class: schema.ClassDetectionFinding, severity: schema.SeverityHigh, activity: rtemFinding},
	"ApiAnomalyEvent":         {class: schema.ClassDetectionFinding, severity: schema.SeverityMedium, activity: rtemFinding},
	"ReportAnomalyEvent":      {class: schema.ClassDetectionFinding, severity: schema.SeverityMedium, activity: rtemFinding},
	"GuestUserAnomalyEvent":   {class: schema.ClassDetectionFinding, severity: schema.SeverityMedium, activity: rtemFinding},
	"LoginAnomalyEvent":       {class: schema.ClassDetectionFinding, severity: schema.SeverityMedium, activity: rtemFinding},
}

// writtenType is the event's type as the channel or the query names it; "" when
// neither does.
func (r *rtemRecord) writtenType() string {
	if channel := r.values[rtemChannel]; channel != "" {
		return channel[strings.LastIndexByte(channel, '/')+1:]
	}
	return r.values[rtemType]
}

// typeName is the event's type as rtemTypes has it, and whether it is there. Types
// that Salesforce adds later keep their own name. It is "" for what is no event.
func (r *rtemRecord) typeName() (name string, known bool) {
	written := r.writtenType()
	if written == "" {
		name = r.likelyType()
		return name, name != "" && (r.has[rtemEventIdentifier] || r.has[rtemEventDate])
	}
	name = strings.TrimSuffix(strings.TrimSuffix(written, "Store"), "Stream")
	if _, known = rtemTypes[name]; known {
		return name, true
	}
	if strings.HasSuffix(name, "Event") && len(name) <= maxEventType && r.has[rtemEventIdentifier] {
		return name, false
	}
	return "", false
}

// rtemSigns are fields by which an event is known whose type is not written, in the
// order in which they tell: the first that the event has decides.
var rtemSigns = func() (signs []rtemSign) {
	for _, sign := range []struct{ fields, name string }{
		{"PreviousIp CurrentIp CurrentUserAgent PreviousUserAgent CurrentPlatform", "SessionHijackingEvent"},
		{"TotalControllerEvents SoqlCommands RequestedEntities", "GuestUserAnomalyEvent"},
		{"AcceptLanguage", "CredentialStuffingEvent"},
		{"LoginAsCategory DelegatedUsername DelegatedOrganizationId", "LoginAsEvent"},
		{"ImpactedUserIds PermissionType PermissionList UserCount", "PermissionSetEvent"},
		{"VerificationMethod", "IdentityVerificationEvent"},
		{"Quiddity LimitValue CurrentValue", "ConcurLongRunApexErrEvent"},
		{"ListViewId FilterCriteria", "ListViewEvent"},
		{"ReportId ExportFileFormat DashboardId", "ReportEvent"},
		{"DeviceSessionId PageStartTime PageUrl", "LightningUriEvent"},
		{"FileAction", "FileEvent"},
	} {
		for field := range strings.FieldsSeq(sign.fields) {
			signs = append(signs, rtemSign{rtemFields[plainName(field)], sign.name})
		}
	}
	return signs
}()

type rtemSign struct {
	field int
	name  string
}

var (
	rtemReportField     = rtemFields["report"]
	rtemRequestField    = rtemFields["requestidentifier"]
	rtemLoginTypeField  = rtemFields["logintype"]
	rtemLoginURLField   = rtemFields["loginurl"]
	rtemOperationField  = rtemFields["operation"]
	rtemOpStatusField   = rtemFields["operationstatus"]
	rtemQueryField      = rtemFields["query"]
	rtemAPITypeField    = rtemFields["apitype"]
	rtemRowsReturnField = rtemFields["rowsreturned"]
)

// likelyType is the type that an event without one must have by its fields; "" when
// they do not tell.
func (r *rtemRecord) likelyType() string {
	for _, sign := range rtemSigns {
		if r.has[sign.field] {
			return sign.name
		}
	}
	has := &r.has
	switch {
	case has[rtemScore] && has[rtemReportField]:
		return "ReportAnomalyEvent"
	case has[rtemScore] && (has[rtemRequestField] || has[rtemOperationField]):
		return "ApiAnomalyEvent"
	case has[rtemScore] && has[rtemLoginURLField]:
		return "CredentialStuffingEvent"
	case has[rtemScore]:
		return "LoginAnomalyEvent"
	case has[rtemStatus] && (has[rtemLoginTypeField] || has[rtemLoginURLField]):
		return "LoginEvent"
	case has[rtemOpStatusField]:
		return "UriEvent"
	case has[rtemAPITypeField] && has[rtemOperationField] || has[rtemRowsReturnField]:
		return "ApiEvent"
	case has[rtemQueryField] && !has[rtemOperationField]:
		return "BulkApiResultEvent"
	}
	return ""
}
