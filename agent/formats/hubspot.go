package formats

import (
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// hubspot is HubSpot's account activity: logins, security activity and the audit
// log, as the pages of the account-info API hold them, or as CSV. The API's names
// are documented. Those of the columns in the user interface's exports are not, so
// the titles that its pages show are accepted beside the API's names.
var hubspot = Format{
	Name:   hubspotRecords.name,
	Title:  "HubSpot account activity: login, security, audit (JSON or CSV)",
	Detect: hubspotRecords.detect,
	New:    hubspotRecords.decoder,
}

var hubspotRecords = crmFormat{
	name:    "hubspot",
	product: "HubSpot",
	vendor:  "HubSpot",
	roles:   hubspotRoles,
	log:     hubspotLog,
	times:   []int{hsLoginAt},
	fill:    fillHubSpot,
	wanted:  "a header such as id,loginAt,userId,email,loginSucceeded,ipAddress",
}

// The logs by the last part of their path in the API.
const (
	hubspotLogin    = "login"
	hubspotSecurity = "security"
	hubspotAudit    = "audit-logs"
)

// What a field means, beside crmID and crmTime.
const (
	hsUserID = iota + crmOwn
	hsEmail
	hsActor
	hsActorID
	hsActorEmail
	hsSucceeded
	hsAddress
	hsLocation
	hsCountry
	hsUserAgent
	hsType
	hsObject
	hsInfoURL
	hsCategory
	hsSubCategory
	hsAction
	hsTarget
	hsLoginAt
)

// hubspotRoles has the roles by plain name. The time of a login has a role of its
// own that tells the log.
var hubspotRoles = map[string]int{
	"id":      crmID,
	"loginat": hsLoginAt, "logintime": hsLoginAt, "logindate": hsLoginAt, "dateoflogin": hsLoginAt, "loggedinat": hsLoginAt,
	"createdat": crmTime, "occurredat": crmTime, "date": crmTime, "time": crmTime, "datetime": crmTime, "timestamp": crmTime,
	"dateoccurred": crmTime, "occurreddate": crmTime, "createddate": crmTime, "dateofactivity": crmTime, "dateofaction": crmTime,
	"userid": hsUserID, "hubspotuserid": hsUserID,
	"email": hsEmail, "useremail": hsEmail, "emailaddress": hsEmail, "user": hsEmail,
	"actinguser": hsActor, "modifiedby": hsActor, "changedby": hsActor, "performedby": hsActor, "actionby": hsActor,
	"actinguseruserid": hsActorID, "actinguserid": hsActorID,
	"actinguseruseremail": hsActorEmail, "actinguseremail": hsActorEmail,
	"loginsucceeded": hsSucceeded, "loginstatus": hsSucceeded, "loginresult": hsSucceeded, "loginattempt": hsSucceeded, "succeeded": hsSucceeded,
	"ipaddress": hsAddress, "ip": hsAddress,
	"location":    hsLocation,
	"countrycode": hsCountry, "country": hsCountry,
	"useragent": hsUserAgent, "browser": hsUserAgent,
	"type": hsType, "activitytype": hsType, "securityactivity": hsType,
	"objectid": hsObject,
	"infourl":  hsInfoURL,
	"category": hsCategory, "subcategory": hsSubCategory,
	"action":         hsAction,
	"targetobjectid": hsTarget, "targetobject": hsTarget, "target": hsTarget,
}

// hubspotLog tells the logs apart: loginAt, createdAt with type, occurredAt.
func hubspotLog(has crmRoles) string {
	switch {
	case has.any(hsLoginAt, crmTime) && has.all(hsSucceeded) && has.any(hsEmail, hsUserID) && has.any(hsAddress, hsUserAgent):
		return hubspotLogin
	case has.all(crmTime, hsCategory, hsSubCategory, hsAction):
		return hubspotAudit
	case has.all(crmTime, hsType) && has.any(hsActor, hsActorEmail) && has.any(hsObject, hsInfoURL):
		return hubspotSecurity
	}
	return ""
}

func fillHubSpot(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	setSource(e, &r.addresses, v[hsAddress])
	e.AddUnmapped("location", v[hsLocation])
	if country := v[hsCountry]; len(country) == 2 {
		e.Text[schema.SrcEndpointLocationCountry] = strings.ToUpper(country)
	} else {
		e.AddUnmapped("country", country)
	}
	r.set(schema.HTTPRequestUserAgent, hsUserAgent)
	email := firstFilled(v[hsActorEmail], v[hsActor], v[hsEmail])
	e.Text[schema.ActorUserName] = email
	if strings.IndexByte(email, '@') > 0 {
		e.Text[schema.ActorUserEmailAddr] = email
	}
	e.Text[schema.ActorUserUID] = firstFilled(v[hsActorID], v[hsUserID])
	e.AddUnmapped("infoUrl", v[hsInfoURL])
	switch r.log {
	case hubspotLogin:
		return fillHubSpotLogin(r)
	case hubspotSecurity:
		r.set(schema.MetadataEventCode, hsType)
		r.set(schema.APIOperation, hsType)
		hubspotActivity(r, crmWords(v[hsType]), firstFilled(v[hsObject], v[hsTarget]))
	default:
		e.Text[schema.MetadataEventCode] = strings.TrimSuffix(v[hsCategory]+"."+v[hsSubCategory], ".")
		r.set(schema.APIOperation, hsAction)
		e.AddUnmapped("type", v[hsType])
		fillHubSpotAudit(r)
	}
	return nil
}

// firstFilled is the first of texts that is not empty.
func firstFilled(texts ...string) string {
	if i := slices.IndexFunc(texts, func(s string) bool { return s != "" }); i >= 0 {
		return texts[i]
	}
	return ""
}

// fillHubSpotLogin reads a login. In exports the result may be a word.
func fillHubSpotLogin(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	r.activity(schema.ClassAuthentication, schema.AuthLogon)
	r.setUser()
	e.Text[schema.MetadataEventCode] = "LOGIN"
	e.AddUnmapped("type", v[hsType])
	hubspotLoginResult(r, v[hsSucceeded])
	return nil
}

// setUser makes the actor of a login the user that the login is about.
func (r *crmRecord) setUser() {
	e := r.event
	e.Text[schema.UserUID], e.Text[schema.UserName] = e.Text[schema.ActorUserUID], e.Text[schema.ActorUserName]
}

// hubspotLoginResult fills in what became of a login: true or false in the API, a
// word or an action's name elsewhere. Asking for a second factor is no failure.
func hubspotLoginResult(r *crmRecord, result string) {
	e := r.event
	plain := plainName(result)
	ok, known := parseFlag(result)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(plain, word) })
	}
	switch {
	case known && ok:
		e.Text[schema.StatusCode], e.Number[schema.StatusID] = "LOGIN_SUCCEEDED", schema.StatusSuccess
		return
	case known:
		e.Text[schema.StatusCode] = "LOGIN_FAILED"
	default:
		e.Text[schema.StatusCode] = result
	}
	switch {
	case !known && has("challenge", "required", "pending", "requested", "sent", "prompt"):
		e.Number[schema.StatusID] = schema.StatusOther
	case known || has("fail", "unsuccess", "denied", "invalid", "incorrect", "block", "lock"):
		e.Number[schema.StatusID] = schema.StatusFailure
		r.severity(schema.SeverityLow)
		if has("denied", "block", "lock") {
			e.Number[schema.ActionID] = schema.ActionDenied
		}
	case has("succe", "ok"):
		e.Number[schema.StatusID] = schema.StatusSuccess
	}
}

// fillHubSpotAudit reads a record of the audit log, which lists what was done: only
// a login can have failed.
func fillHubSpotAudit(r *crmRecord) {
	e, v := r.event, &r.values
	category, target := plainName(v[hsCategory]), firstFilled(v[hsTarget], v[hsObject])
	words := append(crmWords(v[hsSubCategory]), crmWords(v[hsAction])...)
	switch category {
	case "login":
		r.activity(schema.ClassAuthentication, schema.AuthLogon)
		if strings.Contains(plainName(v[hsSubCategory]), "logout") {
			r.activity(schema.ClassAuthentication, schema.AuthLogoff)
			e.Number[schema.StatusID] = schema.StatusSuccess
		}
		r.setUser()
		e.AddUnmapped("targetObjectId", target)
		hubspotLoginResult(r, v[hsSubCategory])
		return
	case "crmobject", "propertyvalue", "pipeline", "property":
		verb := verbOf(words)
		e.Number[schema.StatusID] = schema.StatusSuccess
		e.Text[schema.ResourcesUID], e.Text[schema.ResourcesType] = target, v[hsSubCategory]
		switch verb {
		case verbExport, verbImport:
			hubspotActivity(r, words, target)
		default:
			r.activity(schema.ClassAPIActivity, verb.api())
		}
		return
	case "criticalaction":
		hubspotActivity(r, words, target)
		r.severity(schema.SeverityMedium)
	default:
		hubspotActivity(r, append(crmWords(v[hsCategory]), words...), target)
	}
	e.Text[schema.ResourcesType] = v[hsSubCategory]
}
