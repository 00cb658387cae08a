package formats

import (
	"slices"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// zoho is the audit log of Zoho CRM: the CSV that its asynchronous export makes, or
// the ZIP of several. The columns' names are not documented, so all that its pages
// and similar exports show are accepted; a file is taken for Zoho's only where it
// has a name that hardly anybody else uses. Every export is a snapshot of the whole
// time asked for, so rows repeat between files: their content is their identity.
var zoho = Format{
	Name:   zohoRecords.name,
	Title:  "Zoho CRM audit log (CSV)",
	Detect: zohoRecords.detect,
	New:    zohoRecords.decoder,
}

var zohoRecords = crmFormat{
	name:    "zoho-audit",
	product: "Zoho CRM",
	vendor:  "Zoho",
	roles:   zohoRoles,
	log:     zohoLog,
	claims: func(has crmRoles) bool {
		return has.any(zoAuditedTime, zoDoneBy) && has.any(zoModule, zoRecord)
	},
	times:   []int{zoAuditedTime},
	nothing: []string{"-", "--", "NULL", "null"},
	fill:    fillZoho,
	wanted:  "a header with at least time, user and action, such as Audited Time,Done By,Action,Module,Record Name,Details",
}

// What a field means, beside crmID and crmTime.
const (
	zoAuditedTime = iota + crmOwn
	zoDoneBy
	zoUser
	zoUserID
	zoEmail
	zoAction
	zoModule
	zoRecord
	zoRecordID
	zoDetails
	zoSource
	zoAddress
	zoStatus
	zoRows
)

var zohoRoles = map[string]int{
	"auditid": crmID, "auditlogid": crmID,
	"auditedtime": zoAuditedTime, "auditedon": zoAuditedTime, "auditeddate": zoAuditedTime, "audittime": zoAuditedTime,
	"time": crmTime, "timestamp": crmTime, "datetime": crmTime, "date": crmTime, "donetime": crmTime, "doneon": crmTime,
	"actiontime": crmTime, "performedon": crmTime, "performedtime": crmTime, "modifiedtime": crmTime, "createdtime": crmTime,
	"doneby": zoDoneBy, "auditedby": zoDoneBy,
	"user": zoUser, "username": zoUser, "performedby": zoUser, "actionby": zoUser, "modifiedby": zoUser,
	"userid": zoUserID, "donebyid": zoUserID,
	"email": zoEmail, "useremail": zoEmail, "emailid": zoEmail, "donebyemail": zoEmail,
	"action": zoAction, "actiontype": zoAction, "operation": zoAction, "activity": zoAction, "actionperformed": zoAction,
	"module": zoModule, "modulename": zoModule, "entity": zoModule, "entityname": zoModule, "entitytype": zoModule,
	"recordname": zoRecord, "record": zoRecord, "name": zoRecord,
	"recordid": zoRecordID, "entityid": zoRecordID,
	"details": zoDetails, "detail": zoDetails, "info": zoDetails, "information": zoDetails, "description": zoDetails, "additionalinfo": zoDetails,
	"source": zoSource, "channel": zoSource, "performedfrom": zoSource,
	"ip": zoAddress, "ipaddress": zoAddress, "clientip": zoAddress, "sourceip": zoAddress,
	"status": zoStatus, "result": zoStatus,
	"recordcount": zoRows, "numberofrecords": zoRows, "noofrecords": zoRows, "recordscount": zoRows, "totalrecords": zoRows,
}

// zohoLog wants at least time, user and action.
func zohoLog(has crmRoles) string {
	if has.any(zoAuditedTime, crmTime) && has.any(zoDoneBy, zoUser, zoEmail) && has.all(zoAction) {
		return "audit"
	}
	return ""
}

// zohoSetup are the modules, by plain name, that are set up and hold no customer's
// data.
var zohoSetup = []string{
	"role", "roles", "profile", "profiles", "template", "templates", "emailtemplate", "emailtemplates", "inventorytemplate", "inventorytemplates", "mailmergetemplates",
	"workflow", "workflows", "workflowrule", "workflowrules", "webform", "webforms", "layout", "layouts", "setup", "settings", "organization", "blueprint",
	"functions", "webhooks", "assignmentrules", "approvalprocess", "datasharing", "sharingrules", "territories", "groups", "connections", "apis", "developerspace",
}

func fillZoho(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	words, module := crmWords(v[zoAction]), plainName(v[zoModule])
	verb := verbOf(words)
	setSource(e, &r.addresses, v[zoAddress])
	user := firstFilled(v[zoDoneBy], v[zoUser], v[zoEmail])
	e.Text[schema.ActorUserName] = user
	r.set(schema.ActorUserUID, zoUserID)
	if email := firstFilled(v[zoEmail], user); strings.IndexByte(email, '@') > 0 {
		e.Text[schema.ActorUserEmailAddr] = email
	}
	r.set(schema.ActorClientName, zoSource)
	r.set(schema.APIOperation, zoAction)
	r.set(schema.MetadataEventCode, zoAction)
	r.set(schema.ResourcesType, zoModule)
	r.set(schema.ResourcesName, zoRecord)
	r.set(schema.ResourcesUID, zoRecordID)
	r.set(schema.Message, zoDetails)
	rows, ok := recordCount(firstFilled(v[zoRows], v[zoDetails]), v[zoRows] != "")
	if ok {
		e.Number[schema.RowsProcessed] = rows
	}
	e.Number[schema.StatusID] = schema.StatusSuccess
	if status := plainName(v[zoStatus]); strings.Contains(status, "fail") || strings.Contains(status, "error") {
		e.Number[schema.StatusID] = schema.StatusFailure
	}
	r.set(schema.StatusCode, zoStatus)
	switch {
	case slices.Contains(words, "login") || slices.Contains(words, "logged"):
		r.activity(schema.ClassAuthentication, schema.AuthLogon)
		r.setUser()
	case slices.Contains(words, "logout"):
		r.activity(schema.ClassAuthentication, schema.AuthLogoff)
		r.setUser()
	case verb == verbExport:
		r.activity(schema.ClassWebResources, webExport)
		r.severity(schema.SeverityLow)
	case verb == verbImport:
		r.activity(schema.ClassWebResources, webImport)
	case module == "user" || module == "users":
		r.activity(schema.ClassAccountChange, verb.account())
		r.set(schema.UserName, zoRecord)
		r.set(schema.UserUID, zoRecordID)
	case slices.Contains(zohoSetup, module):
		r.activity(schema.ClassEntityManagement, verb.entity())
	default:
		r.activity(schema.ClassAPIActivity, verb.api())
		if verb == verbDelete && slices.Contains(words, "mass") {
			r.severity(schema.SeverityLow)
		}
	}
	return nil
}

// recordCount reads how many records an action was about: "2,000 records", "1 lead
// record(s)", or with bare just a number.
func recordCount(s string, bare bool) (n uint64, ok bool) {
	end := 0
	for end < len(s) && (s[end]-'0' < 10 || s[end] == ',' && end > 0) {
		end++
	}
	rest := s[end:]
	if !bare && (!strings.HasPrefix(rest, " ") || !strings.Contains(strings.ToLower(rest[:min(len(rest), 40)]), "record")) || bare && strings.TrimSpace(rest) != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(s[:end], ",", ""), 10, 48)
	if err != nil {
		return 0, false
	}
	return n, true
}
