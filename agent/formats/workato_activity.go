package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// workatoActivity is Workato's activity audit log: what people changed in a
// workspace, as JSON (streamed, or a page of the API) or CSV.
var workatoActivity = workatoActivityProduct.asFormat()

var workatoActivityProduct = &ipaasProduct{
	format: "workato-activity", title: "Workato activity audit log (JSON or CSV)",
	product: "Workato", vendor: "Workato", log: "activity",
	names: map[string]ipaasField{
		"timestamp": ipaasTime, "createdat": ipaasTime2, "date": ipaasTime2, "time": ipaasTime2,
		"id": ipaasID, "eventid": ipaasID,
		"eventtype":   ipaasType,
		"workspaceid": ipaasTenant,
		"userid":      ipaasUserID, "username": ipaasUserName, "useremail": ipaasUserEmail, "user": ipaasUserName,
		"detailsrequestipaddress": ipaasAddress, "requestipaddress": ipaasAddress, "ipaddress": ipaasAddress, "ip": ipaasAddress, "detailsrequestip": ipaasAddress,
		"detailsrequestuseragent": ipaasUserAgent, "requestuseragent": ipaasUserAgent, "useragent": ipaasUserAgent,
		"resourceid": ipaasResourceID, "resourcename": ipaasResourceName, "resourcetype": ipaasResourceType,
	},
	needs: [][]string{
		{"eventtype", "workspace*", "resource*"}, {"eventtype", "workspace*", "user*"}, {"eventtype", "user*", "resourcetype", "timestamp"},
		{"eventtype", "detailsrequest*", "timestamp"},
	},
	fill: fillWorkatoActivity,
}

func fillWorkatoActivity(r *ipaasReader) *recordFailure {
	if failure := r.time("timestamp", ipaasTime, ipaasTime2); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	r.user()
	r.source()
	e.Text[schema.MetadataTenantUID] = v[ipaasTenant]
	e.Text[schema.MetadataOriginalEventUID] = v[ipaasID]
	e.Text[schema.MetadataEventCode] = v[ipaasType]
	e.Text[schema.APIOperation] = v[ipaasType]
	e.Text[schema.ResourcesName], e.Text[schema.ResourcesUID], e.Text[schema.ResourcesType] = v[ipaasResourceName], v[ipaasResourceID], v[ipaasResourceType]
	plain := plainName(v[ipaasType])
	e.Number[schema.StatusID] = schema.StatusSuccess
	if strings.Contains(plain, "fail") || strings.Contains(plain, "denied") || strings.Contains(plain, "rejected") {
		e.Number[schema.StatusID] = schema.StatusFailure
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	}
	if activity := loginActivity(v[ipaasType]); activity != 0 {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, activity
		e.Text[schema.UserName] = e.Text[schema.ActorUserName]
		return nil
	}
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassEntityManagement, auditActivity(v[ipaasType])
	return nil
}
