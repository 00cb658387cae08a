package formats

import (
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// sugarAudit is what is exported of SugarCRM's audit tables, MODULE_audit and
// audit_events, as CSV or JSON with the tables' column names. Their times are UTC.
// The columns are those of memory and of schema files, not of a document.
var sugarAudit = Format{
	Name:   sugarAuditRecords.name,
	Title:  "SugarCRM audit tables (CSV or JSON)",
	Detect: sugarAuditRecords.detect,
	New:    sugarAuditRecords.decoder,
}

var sugarAuditRecords = crmFormat{
	name:    "sugarcrm-audit",
	product: "SugarCRM",
	vendor:  "SugarCRM",
	roles:   sugarAuditRoles,
	log:     sugarAuditLog,
	utc:     true,
	nothing: []string{"NULL", `\N`, "null"},
	fill:    fillSugarAudit,
	wanted:  "a header such as id,parent_id,date_created,created_by,field_name,before_value_string,after_value_string",
}

// What a field means, beside crmID and crmTime.
const (
	suParent = iota + crmOwn
	suUser
	suUserName
	suField
	suDataType
	suBefore
	suBeforeText
	suAfter
	suAfterText
	suEvent
	suModule
	suType
	suSource
	suData
)

var sugarAuditRoles = map[string]int{
	"id": crmID, "datecreated": crmTime,
	"parentid":  suParent,
	"createdby": suUser, "createdbyusername": suUserName, "username": suUserName, "createdbyname": suUserName,
	"fieldname": suField, "datatype": suDataType,
	"beforevaluestring": suBefore, "beforevaluetext": suBeforeText, "aftervaluestring": suAfter, "aftervaluetext": suAfterText,
	"eventid":    suEvent,
	"modulename": suModule, "parenttype": suModule,
	"type": suType, "source": suSource, "data": suData,
}

func sugarAuditLog(has crmRoles) string {
	switch {
	case has.all(crmTime, suParent, suField) && has.any(suBefore, suBeforeText) && has.any(suAfter, suAfterText):
		return "audit"
	case has.all(crmTime, suParent, suType, suModule, suSource):
		return "audit_events"
	}
	return ""
}

func fillSugarAudit(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	r.set(schema.ActorUserUID, suUser)
	r.set(schema.ActorUserName, suUserName)
	r.set(schema.ResourcesUID, suParent)
	r.set(schema.ResourcesType, suModule)
	r.set(schema.MetadataCorrelationUID, suEvent)
	e.Number[schema.StatusID] = schema.StatusSuccess
	if r.log == "audit" {
		e.Text[schema.MetadataEventCode], e.Text[schema.APIOperation] = v[suField], "update"
		r.activity(schema.ClassEntityManagement, schema.APIUpdate)
		e.AddUnmapped("field_name", v[suField])
		e.AddUnmapped("data_type", v[suDataType])
		before, after := firstFilled(v[suBefore], v[suBeforeText]), firstFilled(v[suAfter], v[suAfterText])
		// Hashes of passwords, too, open doors.
		if name := strings.ToLower(v[suField]); isSecretHeader(name) || strings.Contains(name, "hash") || strings.Contains(name, "pwd") {
			before, after = notKept(before), notKept(after)
			r.severity(schema.SeverityLow)
		}
		if name := plainName(v[suField]); name == "isadmin" && after == "1" {
			r.severity(schema.SeverityMedium)
		}
		e.AddUnmapped("before_value", before)
		e.AddUnmapped("after_value", after)
		return nil
	}
	r.set(schema.MetadataEventCode, suType)
	r.set(schema.APIOperation, suType)
	r.activity(schema.ClassEntityManagement, verbOf(crmWords(v[suType])).entity())
	r.sugarSource(v[suSource])
	e.AddUnmapped("data", v[suData])
	return nil
}

func notKept(value string) string {
	if value == "" {
		return ""
	}
	return "[redacted:credential]"
}

// sugarSource reads the JSON that says who caused an audit event, and with what:
// {"subject":{"_type":"user","id":"1","client":{"_type":"rest-api"}},"attributes":{"platform":"base"}}.
func (r *crmRecord) sugarSource(source string) {
	e := r.event
	if source == "" {
		return
	}
	if r.inner.classify == nil {
		r.inner.classify = func(string) int { return 0 }
	}
	if n, err := r.inner.object([]byte(source)); source[0] != '{' || err != nil || n != len(source) {
		e.AddUnmapped("source", source)
		return
	}
	for i := range r.inner.leaves {
		leaf := &r.inner.leaves[i]
		path := leaf.node.path
		switch {
		case leaf.text == "":
		case path == "subject.id" && e.Text[schema.ActorUserUID] == "":
			e.Text[schema.ActorUserUID] = leaf.text
		case path == "subject._type":
			e.Text[schema.ActorUserType] = leaf.text
		case path == "subject.user_name" && e.Text[schema.ActorUserName] == "":
			e.Text[schema.ActorUserName] = leaf.text
		case path == "attributes.platform":
			e.Text[schema.ActorAppName] = leaf.text
		case path == "subject.client._type":
			e.Text[schema.ActorClientName] = leaf.text
		case slices.Contains([]string{"subject.ip", "attributes.ip", "attributes.client_ip"}, path):
			setSource(e, &r.addresses, leaf.text)
		default:
			e.AddUnmapped("source."+path, leaf.text)
		}
	}
}
