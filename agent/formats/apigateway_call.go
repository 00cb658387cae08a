package formats

import (
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// What a field of API Gateway's access log means, where it is no column of its own.
const (
	apiGatewayUnmapped = iota
	apiGatewayDropped
	// The times, best first.
	apiGatewayEpoch
	apiGatewayTime
	apiGatewayTimestamp
	apiGatewayRequestID
	apiGatewayCRMRequest
	apiGatewayMethod
	apiGatewayPath
	apiGatewayResource
	apiGatewayRoute
	apiGatewayEvent
	apiGatewayProtocol
	apiGatewayStatus
	apiGatewayLength
	apiGatewayLatency
	apiGatewayAddress
	apiGatewayAgent
	apiGatewayDomain
	apiGatewayAPI
	apiGatewayStage
	apiGatewayCaller
	apiGatewayUser
	apiGatewayUserARN
	apiGatewayPrincipal
	apiGatewayAPIKeyID
	apiGatewayAPIKey
	apiGatewayAccessKey
	apiGatewaySubject
	apiGatewayClient
	apiGatewayUserName
	apiGatewayResponseType
	apiGatewayWAF
	// The reasons of a failure, best first.
	apiGatewayError
	apiGatewayIntegrationError
	apiGatewayAuthorizerError
	apiGatewayFields
)

// apiGatewayCall makes events of what API Gateway says about a request.
type apiGatewayCall struct {
	clock     clock
	addresses addresses
	values    [apiGatewayFields]string
	// stamp is the time that CloudWatch gives the log event, in milliseconds since
	// 1970 UTC; 0 for none.
	stamp   int64
	detail  []byte
	service []byte
}

// fill fills e from the values, or says why it cannot. ownTime is false where only
// CloudWatch says when it was.
func (c *apiGatewayCall) fill(e *schema.Event) (ownTime bool, failure *recordFailure) {
	v := &c.values
	found := 0
	for _, field := range [...]int{apiGatewayRequestID, apiGatewayMethod, apiGatewayStatus, apiGatewayAddress, apiGatewayRoute, apiGatewayEvent} {
		if v[field] != "" {
			found++
		}
	}
	if found < 2 {
		return false, &recordFailure{ReasonUnknownFormat, "the record lacks what a record of API Gateway's access log has: add $context.requestId, $context.identity.sourceIp, $context.httpMethod and $context.status to the format"}
	}
	if ownTime, failure = c.time(e); failure != nil {
		return ownTime, failure
	}
	c.request(e)
	c.caller(e)
	setSource(e, &c.addresses, v[apiGatewayAddress])
	setStatus(e, v[apiGatewayStatus])
	setCount(e, schema.TrafficBytesIn, v[apiGatewayLength])
	setDuration(e, v[apiGatewayLatency], 1)
	e.Text[schema.HTTPRequestUserAgent] = v[apiGatewayAgent]
	e.Text[schema.MetadataEventCode] = v[apiGatewayEvent]
	e.Text[schema.MetadataOriginalEventUID] = v[apiGatewayRequestID]
	e.Text[schema.MetadataCorrelationUID] = v[apiGatewayRequestID]
	// The CRM writes this id beside every row that the call caused, so it tells more
	// than the gateway's own.
	if v[apiGatewayCRMRequest] != "" {
		e.Text[schema.MetadataCorrelationUID] = v[apiGatewayCRMRequest]
	}
	c.outcome(e)
	setClass(e)
	if v[apiGatewayMethod] == "" && e.Text[schema.HTTPRequestMethod] == "" { // a WebSocket's message
		e.Number[schema.ActivityID] = schema.ActivityOther
	}
	e.Text[schema.MetadataProductName] = "API Gateway"
	e.Text[schema.MetadataProductVendorName] = "AWS"
	e.Text[schema.MetadataLogName] = "access"
	e.Text[schema.MetadataLogFormat] = apiGatewayName
	return ownTime, nil
}

// time reads the best time that there is.
func (c *apiGatewayCall) time(e *schema.Event) (own bool, failure *recordFailure) {
	none := true
	for _, text := range c.values[apiGatewayEpoch : apiGatewayTimestamp+1] {
		if text == "" {
			continue
		}
		none = false
		if text[0] == '[' {
			text = strings.TrimSuffix(text[1:], "]")
		}
		if ms, ok := c.clock.millis(text); ok {
			e.Time = ms
			return true, nil
		}
	}
	switch {
	case c.stamp != 0:
		e.Time = c.stamp
		return false, nil
	case none:
		return false, &recordFailure{ReasonTime, "the record has no time: add $context.requestTimeEpoch to the access log's format"}
	}
	return false, &recordFailure{ReasonTime, "the record's time cannot be read: log $context.requestTimeEpoch or $context.requestTime as they are"}
}

// request fills in what was called. The path is what the client asked for; the
// resource or route is the operation that API Gateway took it for.
func (c *apiGatewayCall) request(e *schema.Event) {
	v := &c.values
	method, path, route := v[apiGatewayMethod], v[apiGatewayPath], v[apiGatewayRoute]
	if routeMethod, target, two := strings.Cut(route, " "); two && strings.HasPrefix(target, "/") {
		if method == "" && routeMethod != "ANY" {
			method = routeMethod
		}
		if path == "" && v[apiGatewayResource] == "" {
			path = target
		}
	}
	if path == "" {
		path = v[apiGatewayResource]
	} else if v[apiGatewayResource] != "" {
		e.Text[schema.APIOperation] = v[apiGatewayResource]
	}
	if route != "" {
		e.AddUnmapped("resourcePath", e.Text[schema.APIOperation])
		e.Text[schema.APIOperation] = route
	}
	setURL(e, path)
	e.Text[schema.HTTPRequestMethod] = method
	setHTTPVersion(e, v[apiGatewayProtocol])
	if v[apiGatewayDomain] != "" {
		e.Text[schema.DstEndpointHostname] = hostOnly(v[apiGatewayDomain])
	}
	switch api, stage := v[apiGatewayAPI], v[apiGatewayStage]; {
	case api != "" && stage != "":
		c.service = append(append(append(c.service[:0], api...), '/'), stage...)
		e.Text[schema.APIServiceName] = unsafe.String(unsafe.SliceData(c.service), len(c.service))
	case api == "" && stage == "":
		e.Text[schema.APIServiceName] = v[apiGatewayDomain]
	default:
		e.Text[schema.APIServiceName] = api + stage
	}
}

// caller fills in who called: the claims of a token, the principal of an authorizer, or
// who signed the request.
func (c *apiGatewayCall) caller(e *schema.Event) {
	v := &c.values
	name, uid := "", ""
	for _, field := range [...]int{apiGatewayUserName, apiGatewayPrincipal, apiGatewayUser, apiGatewayCaller} {
		if name == "" {
			name = v[field]
		}
	}
	for _, field := range [...]int{apiGatewaySubject, apiGatewayUserARN, apiGatewayPrincipal, apiGatewayCaller, apiGatewayUser} {
		if uid == "" {
			uid = v[field]
		}
	}
	e.Text[schema.ActorUserName], e.Text[schema.ActorUserUID] = name, uid
	for _, other := range [...]struct {
		column string
		field  int
	}{{"caller", apiGatewayCaller}, {"user", apiGatewayUser}, {"principalId", apiGatewayPrincipal}, {"userArn", apiGatewayUserARN}} {
		if value := v[other.field]; value != name && value != uid {
			e.AddUnmapped(other.column, value)
		}
	}
	e.Text[schema.ActorAppUID] = v[apiGatewayClient]
	for _, field := range [...]int{apiGatewayAPIKeyID, apiGatewayAPIKey, apiGatewayAccessKey} {
		if e.Text[schema.SessionCredentialUID] == "" {
			e.Text[schema.SessionCredentialUID] = v[field]
		}
	}
}

// outcome fills in why a call failed. The gateway's own answers have a type, which
// says more than a status that the operator can change.
func (c *apiGatewayCall) outcome(e *schema.Event) {
	v := &c.values
	kind, reason := v[apiGatewayResponseType], ""
	for i, name := range [...]string{"error.message", "integrationErrorMessage", "authorizer.error"} {
		if text := strings.Trim(v[apiGatewayError+i], `"`); reason == "" {
			reason = text
		} else {
			e.AddUnmapped(name, text)
		}
	}
	e.AddUnmapped("wafResponseCode", v[apiGatewayWAF])
	if kind == "" || reason == "" {
		e.Text[schema.StatusDetail] = kind + reason
	} else {
		c.detail = append(append(append(c.detail[:0], kind...), ' '), reason...)
		e.Text[schema.StatusDetail] = unsafe.String(unsafe.SliceData(c.detail), len(c.detail))
	}
	refused := true
	switch kind {
	case "THROTTLED", "QUOTA_EXCEEDED":
		e.Number[schema.DispositionID] = dispositionRejected
		e.Number[schema.IsRateLimited] = 1
	case "ACCESS_DENIED", "UNAUTHORIZED", "INVALID_API_KEY", "EXPIRED_TOKEN", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "WAF_FILTERED":
		e.Number[schema.ActionID] = schema.ActionDenied
	default:
		refused = v[apiGatewayWAF] == "WAF_BLOCK"
		if refused {
			e.Number[schema.ActionID] = schema.ActionDenied
		}
	}
	if refused {
		e.Number[schema.StatusID] = schema.StatusFailure
	}
}
