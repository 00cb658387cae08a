package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// mulesoftAnalytics is an archive of the Analytics Event API of Anypoint Platform,
// which ended in 2024: one record for each call of a managed API, as CSV or JSON.
// The API may give a record twice.
var mulesoftAnalytics = mulesoftAnalyticsProduct.asFormat()

var mulesoftAnalyticsProduct = &ipaasProduct{
	format: "mulesoft-analytics", title: "MuleSoft API analytics events (CSV or JSON)",
	product: "Anypoint Platform", vendor: "MuleSoft", log: "api-analytics",
	names: map[string]ipaasField{
		"timestamp":   ipaasTime,
		"application": ipaasAppID, "clientid": ipaasAppID, "applicationid": ipaasAppID,
		"applicationname": ipaasApp,
		"clientip":        ipaasAddress,
		"city":            ipaasCity, "country": ipaasCountry,
		"messageid":    ipaasCorrelation,
		"requestsize":  ipaasBytesOut,
		"responsesize": ipaasBytesIn,
		"responsetime": ipaasDuration,
		"resourcepath": ipaasPath,
		"verb":         ipaasMethod,
		"statuscode":   ipaasHTTPStatus,
		"apiname":      ipaasAPIName, "apiversionname": ipaasAPIVersion,
		"useragentname": ipaasUserAgent, "useragentversion": ipaasUserAgentVersion,
		"violatedpolicyname": ipaasPolicy,
	},
	needs: [][]string{{"timestamp", "apiid", "apiversionid"}, {"timestamp", "apiname", "apiversionname", "statuscode"}},
	fill:  fillMulesoftAnalytics,
}

func fillMulesoftAnalytics(r *ipaasReader) *recordFailure {
	if failure := r.time("Timestamp", ipaasTime); failure != nil {
		return failure
	}
	e, v := r.e, &r.v
	e.Text[schema.ActorAppUID], e.Text[schema.ActorAppName] = v[ipaasAppID], v[ipaasApp]
	if v[ipaasAppID] != "" || v[ipaasApp] != "" {
		e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	}
	r.source()
	if version := v[ipaasUserAgentVersion]; version != "" {
		e.Text[schema.HTTPRequestUserAgent] = v[ipaasUserAgent] + "/" + version
	}
	e.Text[schema.SrcEndpointLocationCity], e.Text[schema.SrcEndpointLocationCountry] = v[ipaasCity], v[ipaasCountry]
	e.Text[schema.MetadataCorrelationUID] = v[ipaasCorrelation]
	e.Text[schema.HTTPRequestMethod] = strings.ToUpper(v[ipaasMethod])
	setURL(e, v[ipaasPath])
	setStatus(e, v[ipaasHTTPStatus])
	setCount(e, schema.TrafficBytesOut, v[ipaasBytesOut])
	setCount(e, schema.TrafficBytesIn, v[ipaasBytesIn]) // -1 is unknown, and left out
	setDuration(e, v[ipaasDuration], 1)
	e.Text[schema.APIServiceName], e.Text[schema.APIVersion] = v[ipaasAPIName], v[ipaasAPIVersion]
	e.Text[schema.APIOperation] = e.Text[schema.HTTPRequestMethod]
	if policy := v[ipaasPolicy]; policy != "" {
		e.Text[schema.StatusDetail] = policy
		e.Number[schema.ActionID] = schema.ActionDenied
		e.Number[schema.StatusID] = schema.StatusFailure
		e.AddUnmapped("Violated Policy Name", policy)
		if plain := plainName(policy); strings.Contains(plain, "ratelimit") || strings.Contains(plain, "throttl") || strings.Contains(plain, "slabased") {
			e.Number[schema.IsRateLimited], e.Number[schema.DispositionID] = 1, dispositionRejected
		}
	}
	setClass(e)
	activity := activityOfMethod(e.Text[schema.HTTPRequestMethod])
	if activity.http == 0 {
		activity.api = schema.ActivityOther
	}
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, activity.api
	return nil
}
