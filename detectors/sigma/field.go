package sigma

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

type fieldKind uint8

const (
	textKind fieldKind = iota
	numberKind
	// unmappedKind is a key of the column unmapped.
	unmappedKind
	// urlKind is path and query together.
	urlKind
	// keywordKind is all text of an event.
	keywordKind
)

// field is where a Sigma field stands in the events table.
type field struct {
	kind fieldKind
	// column is the column's name, or the key in unmapped.
	column string
}

var keywordField = field{kind: keywordKind, column: "keywords"}

// keywordColumns are what a keyword is looked for in, beside the values of unmapped.
var keywordColumns = []string{
	schema.Message.Column(), schema.StatusDetail.Column(), schema.APIOperation.Column(), schema.QueryString.Column(),
	schema.HTTPRequestURLPath.Column(), schema.HTTPRequestURLQuery.Column(), schema.HTTPRequestUserAgent.Column(),
}

var columnKinds = func() map[string]fieldKind {
	kinds := map[string]fieldKind{}
	for t := range schema.TextCount {
		kinds[schema.Text(t).Column()] = textKind
	}
	for n := range schema.NumberCount {
		kinds[schema.Number(n).Column()] = numberKind
	}
	return kinds
}()

// fieldNotes are columns whose values are not those of the log.
var fieldNotes = map[string]string{
	schema.TLSVersion.Column(): "holds the plain version, such as 1.2",
	schema.LogonType.Column():  "holds the name of a login type that is known, not its code",
}

// fieldOf finds a field's column by its name, or the part after properties. and the
// like; columns may also be named themselves.
func fieldOf(name string) (field, bool) {
	plain := plainName(name)
	for _, prefix := range []string{"", "properties", "data", "additionaldetails"} {
		rest, cut := strings.CutPrefix(plain, prefix)
		if !cut {
			continue
		}
		if rest == "curi" || rest == "csuri" || rest == "url" || rest == "requesturl" || rest == "urloriginal" {
			return field{kind: urlKind, column: "url"}, true
		}
		if column := fieldColumns[rest]; column != "" {
			return field{columnKinds[column], column}, true
		}
	}
	if kind, known := columnKinds[name]; known {
		return field{kind, name}, true
	}
	return field{unmappedKind, name}, false
}

// plainName is a name without case and separators, as products write one field in
// several ways.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '-' || r == '_' || r == '.' || r == ' ' || r == '(' || r == ')':
			return -1
		}
		return r
	}, name)
}

// fieldColumns has the columns by plain field name. The names are those of W3C access
// logs as Sigma uses them, Salesforce's event types, Microsoft's audit and sign-in
// logs, and gateways; what they fill is what the decoders of agent/formats fill.
var fieldColumns = func() map[string]string {
	columns := map[string]string{}
	for column, names := range map[string]string{
		// access logs, proxies and gateways
		"src_endpoint_ip": "cip clientip srcip sourceip sourceaddress remoteaddr remoteip ipaddress ipaddr ip calleripaddress actoripaddress " +
			"clientipaddress sourceipaddress httpclientip currentip",
		"src_endpoint_port":             "cport srcport sourceport clientport",
		"dst_endpoint_ip":               "sip dstip destinationip dstaddr",
		"dst_endpoint_hostname":         "cshost rdns cdns host destinationhostname dsthost loginurl targethostname instanceurl httphost",
		"http_request_http_method":      "csmethod method httpmethod requestmethod verb cmethod httprequestmethod",
		"http_request_url_path":         "csuristem curistem csuripath curipath uripath uri path requestpath apiresource resourcepath requesturi urlpath",
		"http_request_url_query_string": "csuriquery curiquery uriquery querystring urlquery",
		"http_request_user_agent":       "csuseragent cuseragent useragent browsertype clientinfo httpuseragent browser useragentoriginal",
		"http_request_referrer":         "csreferer csreferrer creferer referer referrer referreruri httpreferer",
		"http_request_version":          "csversion httpversion",
		"http_response_code":            "scstatus httpstatus statuscode responsecode httpstatuscode httpresponsestatuscode responsestatus",
		"http_response_content_type":    "sccontenttype rcontenttype contenttype mediatype",
		"http_request_x_forwarded_for":  "csxforwardedfor xforwardedfor forwardedforip",
		"traffic_bytes_in":              "scbytes bytessent bodybytessent responsesize responselength bytesin",
		"traffic_bytes_out":             "csbytes bytesreceived requestsize requestlength bytesout",
		"duration":                      "timetaken runtime elapsedtime durationms duration",
		// people, apps and sessions
		"actor_user_name": "csusername username user userprincipalname userupn serviceprincipalname initiatedby upn actor actinguser remoteuser consumerusername " +
			"initiatedbyuseruserprincipalname accountname",
		"actor_user_uid": "userid useridderived userkey systemuserid serviceprincipalid userobjectid principalid consumerid actualuserid " +
			"initiatedbyuserid",
		"actor_user_email_addr":  "email useremail actoremail actinguseruseremail",
		"actor_user_type":        "usertype",
		"actor_app_uid":          "appid applicationid clientappid connectedappid appaccesscontextclientappid clientapplicationid",
		"actor_app_name":         "appdisplayname connectedappname application applicationname appname clientapplication",
		"x_actor_client_name":    "clientname clientid",
		"actor_session_uid":      "sessionid sessionkey aadsessionid appaccesscontextaadsessionid",
		"session_credential_uid": "apikeyid serviceprincipalcredentialkeyid credentialid",
		"user_name":              "targetuser targetusername targetuserprincipalname",
		"user_uid":               "targetuserid memberid",
		// where from
		"src_endpoint_location_country": "country countrycode countryiso locationcountryorregion geoipcountry",
		"src_endpoint_location_city":    "city locationcity",
		// what was done
		"metadata_log_name":        "eventtype logname channel provider",
		"metadata_event_code":      "eventid eventcode",
		"metadata_product_name":    "product",
		"metadata_correlation_uid": "requestid requestidentifier correlationid",
		"api_operation": "operation operationname activity activitydisplayname action methodname operationtype eventname apioperation " +
			"transactiontype updatetype dmltype",
		"api_version":             "apiversion",
		"api_service_name":        "apitype apifamily resourcedisplayname servicename eventsource apiname",
		"resources_name":          "entityname queriedentities primaryfieldvalue resourcename objectname",
		"resources_type":          "entitytype objecttype resourcetype module",
		"resources_uid":           "entityid objectid reportid reportidderived documentid jobid itemurl recordid resourceid",
		"query_info_query_string": "query searchquery",
		"x_rows_processed":        "rowsprocessed rowcount recordsprocessed numrows numresults",
		"x_rows_failed":           "numberfailures recordsfailed",
		"message":                 "message msg shortmessage",
		// how it went
		"status_code":   "resulttype resultstatus statuserrorcode errorcode errornumber loginstatus status result requeststatus jobstatus",
		"status_detail": "statusfailurereason failurereason resultdescription logonerror exceptionmessage errormessage resultreason errordescription",
		// how they logged in
		"logon_type":       "logintype",
		"x_logon_sub_type": "loginsubtype clientappused",
		"auth_protocol":    "authenticationprotocol",
		"tls_version":      "tlsprotocol sslprotocol tlsversion",
		"tls_cipher":       "ciphersuite sslcipher",
	} {
		for name := range strings.FieldsSeq(names) {
			columns[name] = column
		}
	}
	return columns
}()
