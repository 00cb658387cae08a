package detectors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// BlindSpot is a rule that nothing could trip, because no log has what it needs.
type BlindSpot struct {
	Rule       string
	EntityType string
	// Add says, for somebody who does not know the rule, which log would let it look.
	Add string
}

// BlindSpots lists the rules that can see nothing for any tenant and product, or whose
// list in the configuration is still empty.
func (report CoverageReport) BlindSpots(rules []Rule) []BlindSpot {
	blind := report.BlindRules(rules)
	var spots []BlindSpot
	for _, rule := range rules {
		switch unset := rule.Unset(); {
		case len(unset) > 0:
			add := "a value for the parameter " + strings.Join(unset, " and ")
			if p, _ := rule.Param(unset[0]); len(p.Inventory) > 0 {
				add = "the " + strings.Join(p.Inventory, " and ") + " of the inventory in the configuration"
			}
			spots = append(spots, BlindSpot{rule.ID, rule.EntityType, add + ": crmwatch rules show " + rule.ID})
		case slices.Contains(blind, rule.ID):
			spots = append(spots, BlindSpot{rule.ID, rule.EntityType, report.lacking(rule)})
		}
	}
	return spots
}

// maxLogsToAdd is how many log types a blind spot names.
const maxLogsToAdd = 3

// lacking names the logs that the rule wants: those of its types, else those that fill
// the columns which no log fills.
func (report CoverageReport) lacking(rule Rule) string {
	present := slices.ContainsFunc(report.Rules, func(c Coverage) bool { return c.Rule == rule.ID && len(c.LogTypes) > 0 })
	if types := rule.Needs.LogTypes; len(types) > 0 && !present {
		var names []string
		for _, name := range types[:min(len(types), maxLogsToAdd)] {
			if vendor := vendorOfLog[name]; vendor != "" {
				name = vendor + " " + name
			}
			names = append(names, name)
		}
		text := strings.Join(names, ", ")
		if more := len(types) - maxLogsToAdd; more > 0 {
			text += fmt.Sprintf(" or %d more", more)
		}
		return text
	}
	// Without any event of its classes, a rule lacks those, and not what logs of other
	// events have as well.
	classless := !present && len(rule.Needs.Classes) > 0
	for _, column := range rule.Needs.Columns {
		if slices.Contains(commonColumns, column) || !report.emptyFor(rule, column) {
			continue
		}
		if classless && slices.Contains(ofAnyLog, column) {
			continue
		}
		if logs := logsOfColumn[column]; logs != "" {
			return logs
		}
		return "a log that fills " + column
	}
	if classless {
		if logs := logsOfClass[rule.Needs.Classes[0]]; logs != "" {
			return logs
		}
		return "a log with events of the class " + SayClasses(rule.Needs.Classes)
	}
	for _, list := range rule.Needs.OneOf {
		if report.emptyFor(rule, SayOneOf(list)) {
			for _, column := range list {
				if logs := logsOfColumn[column]; logs != "" {
					return logs
				}
			}
			return "a log that fills " + SayOneOf(list)
		}
	}
	return "a log with " + strings.Join(rule.Needs.AllColumns(), ", ")
}

// classNames are the OCSF 1.8.0 classes of the events that crmwatch makes.
var classNames = map[uint16]string{
	schema.ClassAccountChange: "Account Change", schema.ClassAuthentication: "Authentication", schema.ClassEntityManagement: "Entity Management",
	schema.ClassUserAccess: "User Access Management", schema.ClassGroupManagement: "Group Management", schema.ClassHTTPActivity: "HTTP Activity",
	schema.ClassWebResources: "Web Resources Activity", schema.ClassApplicationLifecycle: "Application Lifecycle", schema.ClassAPIActivity: "API Activity", schema.ClassDatastoreActivity: "Datastore Activity",
	schema.ClassFileHosting: "File Hosting Activity", schema.ClassApplicationError: "Application Error", schema.ClassDetectionFinding: "Detection Finding",
}

// SayClasses names OCSF classes, as "3002 (Authentication) or 6003 (API Activity)".
func SayClasses(classes []uint16) string {
	names := make([]string, len(classes))
	for i, class := range classes {
		names[i] = fmt.Sprintf("%d (%s)", class, classNames[class])
	}
	return strings.Join(names, " or ")
}

// emptyFor says whether no log that the rule looks at fills the column.
func (report CoverageReport) emptyFor(rule Rule, column string) bool {
	return !slices.ContainsFunc(report.Rules, func(c Coverage) bool {
		return c.Rule == rule.ID && len(c.LogTypes) > 0 && !slices.Contains(c.Missing, column)
	})
}

// ofAnyLog are columns that logs of most kinds of events have.
var ofAnyLog = []string{"x_src_endpoint_network", "src_endpoint_ip", "actor_user_uid", "actor_user_name"}

// logsOfClass says which logs have events of a class, in the words of those who export them.
var logsOfClass = map[uint16]string{
	schema.ClassAuthentication:   "logins: Salesforce Login or LoginHistory, Entra sign-ins, HubSpot login history",
	schema.ClassAPIActivity:      "API calls: Salesforce RestApi or API, Dataverse audit, or the access log of a gateway",
	schema.ClassEntityManagement: "what was changed in the setup: Salesforce SetupAuditTrail, HubSpot security, Zoho CRM or SugarCRM audit",
	schema.ClassWebResources:     "reports and exports: Salesforce Report or ReportExport, Dataverse audit",
	schema.ClassFileHosting:      "downloads of files: Salesforce ContentTransfer",
	schema.ClassDetectionFinding: "threats that the CRM found: Salesforce real-time threat events",
	schema.ClassAccountChange:    "changes of accounts: Salesforce SetupAuditTrail, HubSpot security",
}

// logsOfColumn says which logs fill a column that only some have, in the words of
// those who export them.
var logsOfColumn = map[string]string{
	"account_switch_type_id":        "who logged in as whom: Salesforce LoginAs or LoginAsEvent, SugarCRM access log",
	"src_endpoint_location_country": "logins with their country: Salesforce LoginHistory or LoginEvent, Entra sign-ins, HubSpot login history",
	"session_credential_uid":        "calls with the id of their key: Kong, AWS API Gateway, Entra service principal sign-ins",
	"actor_app_uid":                 "calls with their connected app: Salesforce RestApi or API, Entra sign-ins",
	"actor_session_uid":             "calls with their session: Salesforce EventLogFile or real-time events, Dataverse audit",
	"x_rows_processed":              "reads with their number of records: Salesforce RestApi, API or BulkApi2, Dataverse audit",
	"query_info_query_string":       "queries with their text: Salesforce RestApi, API or ApiEvent",
	"traffic_bytes_in":              "calls with their size: Salesforce RestApi, or the access log of a gateway",
	"traffic_bytes_out":             "calls with their size: Salesforce RestApi, or the access log of a gateway",
	"duration":                      "calls with the time they took: Salesforce RestApi, or the access log of a gateway",
	"http_response_code":            "calls with their status: Salesforce RestApi, or the access log of a gateway",
	"http_request_user_agent":       "calls with their client: Salesforce RestApi, or the access log of a gateway",
	"http_request_url_path":         "calls with their path: Salesforce RestApi, or the access log of a gateway",
	"http_request_url_query_string": "calls with their query string: the access log of a gateway",
	"x_is_rate_limited":             "calls with their status: Salesforce RestApi, or the access log of a gateway",
	"actor_app_name":                "runs of workflows: MuleSoft, Boomi, Workato, BPA",
	"api_operation":                 "what was changed: Salesforce SetupAuditTrail or RestApi, Dataverse audit, HubSpot audit logs",
	"resources_type":                "what was changed: Salesforce RestApi, Dataverse audit, HubSpot audit logs",
	"resources_name":                "calls with their object: Salesforce RestApi or API",
	"logon_type_id":                 "logins: Salesforce Login or LoginHistory, Entra sign-ins, HubSpot login history",
	"auth_protocol_id":              "logins: Salesforce Login or LoginHistory, Entra sign-ins",
	"actor_user_uid":                "logs with the user's id: Salesforce EventLogFile, Entra sign-ins",
	"actor_user_name":               "logins with the user's name: Salesforce Login, Entra sign-ins, HubSpot login history",
	"status_code":                   "logins with the reason of a refusal: Salesforce Login, Entra sign-ins",
	"metadata_correlation_uid":      "calls with a correlation id: the access log of the middleware or gateway",
	"x_src_endpoint_network":        "logs with the caller's address: Salesforce Login, Entra sign-ins, the access log of a gateway",
	"src_endpoint_ip":               "logs with the caller's address: Salesforce Login, Entra sign-ins, the access log of a gateway",
}

// vendorOfLog says whose log a type is, where its name alone does not.
var vendorOfLog = map[string]string{
	"SetupAuditTrail": "Salesforce", "PermissionUpdate": "Salesforce", "PermissionSetEvent": "Salesforce", "GroupMembership": "Salesforce",
	"Report": "Salesforce", "ReportExport": "Salesforce", "ReportEvent": "Salesforce", "ContentTransfer": "Salesforce", "AsyncReportRun": "Salesforce",
	"RestApi": "Salesforce", "API": "Salesforce", "ApiTotalUsage": "Salesforce", "BulkApi": "Salesforce", "BulkApi2": "Salesforce", "BulkApiRequest": "Salesforce",
	"CredentialStuffingEvent": "Salesforce", "SessionHijackingEvent": "Salesforce", "ApiAnomalyEvent": "Salesforce", "ReportAnomalyEvent": "Salesforce",
	"GuestUserAnomalyEvent": "Salesforce", "LoginAnomalyEvent": "Salesforce", "TransactionSecurity": "Salesforce",
	"security": "HubSpot", "audit-logs": "HubSpot", "audit": "Zoho CRM or SugarCRM", "audit_events": "SugarCRM", "activity": "Workato", "DynamicsAudit": "Microsoft",
}
