package formats

import (
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const kongName = "kong"

// kong is what Kong's file-log and http-log plugins write: one JSON object a
// request, one a line or in arrays, for HTTP and for TCP or TLS streams. Source:
// Kong's kong/pdk/log.lua.
//
// What the gateway's configuration says about a route, a service or a consumer in
// every record (paths, time-outs, dates) is left out, and so are headers that give
// access.
var kong = Format{
	Name:   kongName,
	Title:  "Kong gateway log (file-log, http-log)",
	Line:   true,
	Detect: detectKong,
	New: func(o Options) Decoder {
		l := &kongLog{tenant: o.Tenant}
		l.json.lines = newLines(o.Start)
		l.json.objects.classify = classifyKong
		l.json.record = l.record
		return &l.json
	},
}

type kongLog struct {
	json      jsonLog
	addresses addresses
	tenant    string
	values    [kongFields]string
}

// What a path in the log means, where it is no column of its own.
const (
	kongUnmapped = iota
	kongDropped
	kongStartedAt
	kongClientIP
	kongRequestID
	kongMethod
	kongURI
	kongURL
	kongRequestSize
	kongTLSVersion
	kongTLSCipher
	kongUserAgent
	kongReferrer
	kongForwarded
	kongHost
	kongStatus
	kongResponseSize
	kongLatency
	kongCredential
	kongCredentialConsumer
	kongKey
	kongConsumerID
	kongConsumerName
	kongCustomID
	kongServiceName
	kongSource
	kongCorrelation
	kongCRMRequest
	kongHeaderRequest
	kongStreamLatency
	kongStreamStatus
	kongStreamReceived
	kongStreamSent
	kongStreamTLSVersion
	kongStreamTLSCipher
	kongFields
)

var kongPaths = map[string]int{
	"started_at":                       kongStartedAt,
	"client_ip":                        kongClientIP,
	"request.id":                       kongRequestID,
	"request.method":                   kongMethod,
	"request.uri":                      kongURI,
	"request.url":                      kongURL,
	"request.size":                     kongRequestSize,
	"request.tls.version":              kongTLSVersion,
	"request.tls.cipher":               kongTLSCipher,
	"request.headers.user-agent":       kongUserAgent,
	"request.headers.referer":          kongReferrer,
	"request.headers.x-forwarded-for":  kongForwarded,
	"request.headers.host":             kongHost,
	"response.status":                  kongStatus,
	"response.size":                    kongResponseSize,
	"latencies.request":                kongLatency,
	"authenticated_entity.id":          kongCredential,
	"authenticated_entity.consumer_id": kongCredentialConsumer,
	"consumer.id":                      kongConsumerID,
	"consumer.username":                kongConsumerName,
	"consumer.custom_id":               kongCustomID,
	"service.name":                     kongServiceName,
	"source":                           kongSource,
	"correlation_id":                   kongCorrelation,
	"latencies.session":                kongStreamLatency,
	"session.status":                   kongStreamStatus,
	"session.received":                 kongStreamReceived,
	"session.sent":                     kongStreamSent,
	"session.tls.version":              kongStreamTLSVersion,
	"session.tls.cipher":               kongStreamTLSCipher,
}

// classifyKong finds what a path means.
func classifyKong(path string) int {
	path = strings.ToLower(path)
	if field, known := kongPaths[path]; known {
		return field
	}
	if name, found := strings.CutPrefix(path, "request.headers."); found {
		return classifyKongHeader(name)
	}
	if name, found := strings.CutPrefix(path, "response.headers."); found {
		return classifyKongHeader(name)
	}
	if name, found := strings.CutPrefix(path, "request.querystring."); found {
		if isKeyName(name) {
			return kongKey
		}
		return kongDropped // request.uri has them all
	}
	top, name, _ := strings.Cut(path, ".")
	switch top {
	case "route", "service", "consumer":
		if name != "id" && name != "name" && name != "host" {
			return kongDropped
		}
	}
	return kongUnmapped
}

func classifyKongHeader(name string) int {
	switch {
	case name == "x-sfdc-request-id":
		return kongCRMRequest
	case name == "x-request-id":
		return kongHeaderRequest
	case isKeyName(name):
		return kongKey
	case isSecretHeader(name):
		return kongDropped
	}
	return kongUnmapped
}

func (l *kongLog) record(e *schema.Event) *recordFailure {
	v := &l.values
	clear(v[:])
	leaves := l.json.objects.leaves
	for i := range leaves {
		leaf := &leaves[i]
		switch field := leaf.node.field; {
		case leaf.text == "" || field == kongDropped:
		case field == kongUnmapped:
			e.AddUnmapped(leaf.node.path, leaf.text)
		case v[field] == "":
			v[field] = leaf.text
		case v[field] != leaf.text && field != kongKey:
			e.AddUnmapped(leaf.node.path, leaf.text)
		}
	}
	ms, ok := epochMillis(v[kongStartedAt])
	if !ok {
		return &recordFailure{ReasonTime, "started_at is missing or no number of milliseconds since 1970: Kong writes it in every record, so look at custom_fields_by_lua"}
	}
	e.Time = ms
	switch {
	case v[kongMethod] != "" || v[kongStatus] != "" || v[kongURI] != "":
		l.http(e)
	case v[kongStreamLatency] != "" || v[kongStreamStatus] != "" || v[kongStreamReceived] != "" || v[kongStreamSent] != "":
		l.stream(e)
	default:
		return &recordFailure{ReasonUnknownFormat, "the object has neither request and response nor session: it is no record of Kong's log plugins"}
	}
	l.caller(e)
	setClass(e)
	if v[kongMethod] == "" && v[kongStatus] == "" && v[kongURI] == "" {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassHTTPActivity, schema.ActivityOther
	}
	e.Text[schema.APIServiceName] = v[kongServiceName]
	e.Text[schema.StatusDetail] = v[kongSource]
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataProductName] = "Kong Gateway"
	e.Text[schema.MetadataProductVendorName] = "Kong"
	e.Text[schema.MetadataLogName] = "http-log"
	e.Text[schema.MetadataLogFormat] = kongName
	e.UID = l.json.uid(l.tenant, "http-log")
	return nil
}

// http fills in what only HTTP records have.
func (l *kongLog) http(e *schema.Event) {
	v := &l.values
	e.Text[schema.HTTPRequestMethod] = v[kongMethod]
	if v[kongURL] != "" {
		setURL(e, v[kongURL])
	}
	if v[kongURI] != "" {
		host := e.Text[schema.DstEndpointHostname]
		setURL(e, v[kongURI])
		e.Text[schema.DstEndpointHostname] = host
	}
	if host := firstOf(v[kongHost]); e.Text[schema.DstEndpointHostname] == "" && host != "" {
		e.Text[schema.DstEndpointHostname] = hostOnly(host)
	}
	setStatus(e, v[kongStatus])
	setCount(e, schema.TrafficBytesOut, v[kongRequestSize])
	setCount(e, schema.TrafficBytesIn, v[kongResponseSize])
	setDuration(e, v[kongLatency], 1)
	setTLS(e, v[kongTLSVersion], v[kongTLSCipher])
	e.Text[schema.HTTPRequestUserAgent] = firstOf(v[kongUserAgent])
	e.Text[schema.HTTPRequestReferrer] = firstOf(v[kongReferrer])
	e.Text[schema.HTTPRequestXForwardedFor] = v[kongForwarded]
	e.Text[schema.MetadataOriginalEventUID] = v[kongRequestID]
	e.Text[schema.MetadataCorrelationUID] = v[kongCorrelation]
	// The CRM writes this id beside every row that the call caused, so it tells more
	// than the gateway's own.
	if id := firstOf(v[kongCRMRequest]); id != "" {
		e.Text[schema.MetadataCorrelationUID] = id
		e.AddUnmapped("correlation_id", v[kongCorrelation])
	}
	if id := firstOf(v[kongHeaderRequest]); e.Text[schema.MetadataCorrelationUID] == "" {
		e.Text[schema.MetadataCorrelationUID] = id
	} else {
		e.AddUnmapped("request.headers.x-request-id", id)
	}
}

// stream fills in what only records of TCP and TLS streams have.
func (l *kongLog) stream(e *schema.Event) {
	v := &l.values
	e.Text[schema.MetadataEventCode] = "stream"
	setStatus(e, v[kongStreamStatus])
	setCount(e, schema.TrafficBytesOut, v[kongStreamReceived])
	setCount(e, schema.TrafficBytesIn, v[kongStreamSent])
	setDuration(e, v[kongStreamLatency], 1)
	setTLS(e, v[kongStreamTLSVersion], v[kongStreamTLSCipher])
	e.Text[schema.MetadataCorrelationUID] = v[kongCorrelation]
}

// caller fills in who called, from where and with which credential.
func (l *kongLog) caller(e *schema.Event) {
	v := &l.values
	setSource(e, &l.addresses, v[kongClientIP])
	e.Text[schema.ActorUserUID] = v[kongConsumerID]
	if v[kongConsumerID] == "" {
		e.Text[schema.ActorUserUID] = v[kongCredentialConsumer]
	}
	e.Text[schema.ActorUserName] = v[kongConsumerName]
	if v[kongConsumerName] == "" {
		e.Text[schema.ActorUserName] = v[kongCustomID]
	} else {
		e.AddUnmapped("consumer.custom_id", v[kongCustomID])
	}
	e.Text[schema.SessionCredentialUID] = v[kongCredential]
	if v[kongCredential] == "" {
		e.Text[schema.SessionCredentialUID] = firstOf(v[kongKey])
	}
}

// firstOf is the first element of a JSON array of strings, as a header that was
// sent more than once is written, or the text itself.
func firstOf(text string) string {
	rest, found := strings.CutPrefix(text, `["`)
	if !found {
		return text
	}
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			if first, err := strconv.Unquote(strings.ReplaceAll(text[1:i+3], `\/`, "/")); err == nil {
				return first
			}
			return rest[:i]
		}
	}
	return text
}

func detectKong(head []byte) string {
	has := map[string]bool{}
	for _, path := range firstPaths(head) {
		path, _, _ = strings.Cut(path, ".")
		has[path] = true
	}
	switch {
	case has["request"] && (has["latencies"] || has["response"] && has["started_at"]) && (has["started_at"] || has["client_ip"]):
		return "JSON objects with Kong's request, latencies, started_at and client_ip"
	case has["session"] && has["latencies"] && (has["started_at"] || has["client_ip"]):
		return "JSON objects with Kong's session, latencies, started_at and client_ip"
	}
	return ""
}
