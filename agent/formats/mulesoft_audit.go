package formats

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// mulesoftAudit is the audit log of Anypoint Platform: what people changed there, from
// its query API or as downloaded. The spelling of its fields is not documented in
// public, so several are understood.
var mulesoftAudit = mulesoftAuditProduct.asFormat()

var mulesoftAuditProduct = &ipaasProduct{
	format: "mulesoft-audit", title: "MuleSoft Anypoint Platform audit log",
	product: "Anypoint Platform", vendor: "MuleSoft", log: "audit",
	names: map[string]ipaasField{
		"timestamp": ipaasTime, "time": ipaasTime, "date": ipaasTime, "timeutc": ipaasTime, "createdat": ipaasTime2,
		"id": ipaasID, "auditid": ipaasID, "eventid": ipaasID,
		"organizationid": ipaasTenant, "orgid": ipaasTenant, "masterorganizationid": ipaasTenant,
		"userid": ipaasUserID, "useruserid": ipaasUserID, "usersid": ipaasUserID,
		"username": ipaasUserName, "userusername": ipaasUserName, "user": ipaasUserName,
		"useremail": ipaasUserEmail, "email": ipaasUserEmail,
		"clientip": ipaasAddress, "ipaddress": ipaasAddress, "sourceip": ipaasAddress, "ip": ipaasAddress,
		"useragent": ipaasUserAgent,
		"platform":  ipaasSource, "product": ipaasSource,
		"action": ipaasAction, "subaction": ipaasModifier,
		"type": ipaasResourceType, "objecttype": ipaasResourceType, "objectname": ipaasResourceName, "objectid": ipaasResourceID, "object": ipaasResourceName,
		"objects": ipaasObjects,
		"failed":  ipaasFailed, "failedcause": ipaasErrorType, "status": ipaasStatus,
	},
	needs: [][]string{
		{"action", "objects", "platform"}, {"action", "objects", "product"},
		{"action", "objecttype", "platform"}, {"action", "objecttype", "product"},
		{"action", "product", "type", "environment*", "user*"}, {"action", "objects", "timestamp", "organizationid"},
	},
	fill: fillMulesoftAudit,
}

func fillMulesoftAudit(r *ipaasReader) *recordFailure {
	if failure := r.time("timestamp", ipaasTime, ipaasTime2); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	r.user()
	r.source()
	e.Text[schema.MetadataTenantUID] = v[ipaasTenant]
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.APIServiceName] = v[ipaasSource]
	e.Text[schema.APIOperation] = v[ipaasAction]
	e.Text[schema.MetadataEventCode] = v[ipaasAction]
	if v[ipaasModifier] != "" {
		e.Text[schema.MetadataEventCode] += "/" + v[ipaasModifier]
	}
	e.Text[schema.ResourcesType], e.Text[schema.ResourcesName], e.Text[schema.ResourcesUID] = v[ipaasResourceType], v[ipaasResourceName], v[ipaasResourceID]
	objects := 0
	isArray := ipaasArray(v[ipaasObjects], func(object *fastjson.Value) {
		if objects++; objects > 1 {
			return
		}
		for column, names := range map[schema.Text][]string{
			schema.ResourcesType: {"objectType", "type"}, schema.ResourcesName: {"objectName", "name"}, schema.ResourcesUID: {"objectId", "id"},
		} {
			if text := ipaasText(object, names...); text != "" {
				e.Text[column] = text
			}
		}
	})
	if objects > 1 || !isArray {
		e.AddUnmapped("objects", v[ipaasObjects])
	}
	e.Number[schema.StatusID] = schema.StatusSuccess
	if plain := plainName(v[ipaasStatus]); isTrue(v[ipaasFailed]) || v[ipaasErrorType] != "" || strings.HasPrefix(plain, "fail") || plain == "error" {
		e.Number[schema.StatusID] = schema.StatusFailure
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	}
	e.Text[schema.StatusCode] = v[ipaasStatus]
	e.Text[schema.StatusDetail] = v[ipaasErrorType]
	e.Number[schema.ClassUID] = schema.ClassEntityManagement
	e.Number[schema.ActivityID] = auditActivity(v[ipaasAction])
	if activity := loginActivity(v[ipaasAction]); activity != 0 {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, activity
		e.Text[schema.UserName] = e.Text[schema.ActorUserName]
	} else if plain := plainName(e.Text[schema.ResourcesType]); plain == "user" || plain == "users" {
		e.Number[schema.ClassUID] = schema.ClassAccountChange
		e.Number[schema.ActivityID] = accountActivity(v[ipaasAction])
		e.Text[schema.UserUID], e.Text[schema.UserName] = e.Text[schema.ResourcesUID], e.Text[schema.ResourcesName]
	}
	return nil
}

// loginActivity is OCSF 3002's activity for the name of an action; 0 when it is none.
func loginActivity(action string) uint64 {
	plain := plainName(action)
	for _, word := range []string{"logout", "logoff", "loggedout", "signout", "signedout"} {
		if strings.Contains(plain, word) {
			return schema.AuthLogoff
		}
	}
	for _, word := range []string{"login", "logon", "loggedin", "signin", "signedin"} {
		if strings.HasPrefix(plain, word) || strings.HasSuffix(plain, word) || strings.Contains(plain, word+"fail") || strings.Contains(plain, word+"success") {
			return schema.AuthLogon
		}
	}
	return 0
}

// platformActivities are those of OCSF 3004 that platforms have words of their own for.
var platformActivities = prefixActivities{
	{"imported", 1}, {"import", 1}, {"cloned", 1}, {"insert", 1}, {"publish", 1}, {"issued", 1}, {"generated", 1},
	{"read", 2}, {"view", 2}, {"export", 2}, {"download", 2}, {"exported", 2},
	{"edit", 3}, {"modify", 3}, {"refreshed", 3}, {"reset", 3}, {"renamed", 3}, {"rotated", 3}, {"regenerated", 3}, {"promote", 3},
	{"revoke", 4}, {"purge", 4}, {"destroyed", 4},
	{"moved", 5}, {"move", 5},
	{"disconnected", 9}, {"connected", 8},
	{"enable", 8}, {"unblock", 8}, {"disable", 9}, {"block", 9}, {"start", 10}, {"started", 10}, {"activate", 10}, {"stop", 11}, {"stopped", 11}, {"deactivate", 11},
}

// auditActivity is OCSF 3004's activity for the name of an action.
func auditActivity(action string) uint64 {
	plain := plainName(action)
	if activity := prefixActivity(plain, entityActivities); activity != schema.ActivityOther {
		return activity
	}
	return prefixActivity(plain, platformActivities)
}

// accountActivity is OCSF 3001's activity for the name of an action on a user.
func accountActivity(action string) uint64 {
	switch auditActivity(action) {
	case schema.APICreate:
		return 1
	case schema.APIDelete:
		return 6
	case 8, 10:
		return 2
	case 9, 11:
		return 5
	}
	if plain := plainName(action); strings.Contains(plain, "password") {
		return 4
	}
	return schema.ActivityOther
}
