package formats

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// boomiAudit is Boomi's AuditLog: what people and the API changed in an account, as
// JSON, CSV or XML. It holds no addresses, and no logins that failed.
var boomiAudit = boomiAuditProduct.asFormat()

var boomiAuditProduct = &ipaasProduct{
	format: "boomi-audit", title: "Boomi AuditLog", element: "AuditLog",
	product: "Boomi", vendor: "Boomi", log: "AuditLog",
	names: map[string]ipaasField{
		"date":        ipaasTime,
		"documentid":  ipaasID,
		"accountid":   ipaasTenant,
		"containerid": ipaasResourceID,
		"userid":      ipaasUserName, "user": ipaasUserName,
		"message": ipaasMessage,
		"type":    ipaasType, "action": ipaasAction, "modifier": ipaasModifier,
		"level": ipaasLevel, "source": ipaasSource,
		"auditlogproperty": ipaasObjects,
	},
	needs: [][]string{
		{"documentid", "action", "modifier"}, {"accountid", "userid", "action", "modifier", "date"},
		{"date", "type", "action", "modifier", "level", "source"},
	},
	recognise: func(names []string, head []byte) bool {
		return names != nil || strings.Contains(string(head), "modifier") || strings.Contains(string(head), "documentId")
	},
	fill: fillBoomiAudit,
}

// boomiActivities are OCSF 3004 activities of the actions of AuditLog.
var boomiActivities = map[string]uint64{
	"ADD": 1, "CREATE": 1, "COPY": 1, "INSTALL": 1, "ON_ENTRY": 2, "VIEW": 2, "DOWNLOAD": 2,
	"EDIT": 3, "UPDATE": 3, "CHANGE": 3, "DELETE": 4, "REMOVE": 4, "UNINSTALL": 4, "MOVE": 5,
	"ENABLE": 8, "DISABLE": 9, "START": 10, "STOP": 11,
}

func fillBoomiAudit(r *ipaasReader) *recordFailure {
	if failure := r.time("date", ipaasTime); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	r.user()
	e.Text[schema.MetadataTenantUID] = v[ipaasTenant]
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.ResourcesUID] = v[ipaasResourceID]
	e.Text[schema.ResourcesType] = v[ipaasType]
	e.Text[schema.APIOperation] = v[ipaasAction]
	e.Text[schema.MetadataEventCode] = strings.Trim(v[ipaasType]+"/"+v[ipaasAction]+"/"+v[ipaasModifier], "/")
	e.Text[schema.ActorAppName] = v[ipaasSource]
	if v[ipaasSource] == "INTERNAL" {
		e.Number[schema.ActorUserTypeID] = schema.UserTypeSystem
	}
	setMessage(e, v[ipaasMessage])
	severity, known := levelSeverity(v[ipaasLevel])
	if known {
		e.Number[schema.SeverityID] = uint64(severity)
	} else {
		e.AddUnmapped("level", v[ipaasLevel])
	}
	modifier := strings.ToUpper(v[ipaasModifier])
	e.Number[schema.StatusID] = schema.StatusSuccess
	if strings.HasPrefix(modifier, "FAIL") || modifier == "ERROR" || severity >= schema.SeverityMedium {
		e.Number[schema.StatusID] = schema.StatusFailure
	}
	e.Text[schema.StatusCode] = v[ipaasModifier]
	action := strings.ToUpper(v[ipaasAction])
	e.Number[schema.ClassUID] = schema.ClassEntityManagement
	e.Number[schema.ActivityID] = schema.ActivityOther
	if activity, ok := boomiActivities[action]; ok {
		e.Number[schema.ActivityID] = activity
	}
	if action == "ON_ENTRY" && strings.EqualFold(v[ipaasType], "account") {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogon
		e.Text[schema.UserName] = v[ipaasUserName]
	}
	if !ipaasArray(v[ipaasObjects], func(property *fastjson.Value) {
		name := ipaasText(property, "name", "Name")
		e.AddUnmapped("AuditLogProperty."+name, ipaasText(property, "value", "Value"))
	}) {
		e.AddUnmapped("AuditLogProperty", v[ipaasObjects])
	}
	for _, a := range e.Unmapped {
		switch _, name, _ := strings.Cut(a.Name, "."); plainName(name) {
		case "name", "componentname", "processname", "environmentname":
			if e.Text[schema.ResourcesName] == "" {
				e.Text[schema.ResourcesName] = a.Value
			}
		}
	}
	return nil
}
