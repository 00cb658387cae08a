package formats

import (
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// apiGatewayNames are the $context variables, and what operators call them, in small
// letters and digits.
var apiGatewayNames = map[string]int{
	"requesttimeepoch": apiGatewayEpoch,
	"requesttime":      apiGatewayTime,
	"timestamp":        apiGatewayTimestamp, "time": apiGatewayTimestamp, "date": apiGatewayTimestamp, "datetime": apiGatewayTimestamp,
	"requestid":      apiGatewayRequestID,
	"xsfdcrequestid": apiGatewayCRMRequest, "sfdcrequestid": apiGatewayCRMRequest,
	"httpmethod": apiGatewayMethod, "method": apiGatewayMethod, "requestmethod": apiGatewayMethod,
	"path": apiGatewayPath, "requestpath": apiGatewayPath, "uri": apiGatewayPath, "url": apiGatewayPath,
	"resourcepath": apiGatewayResource, "resource": apiGatewayResource,
	"routekey": apiGatewayRoute, "route": apiGatewayRoute,
	"eventtype": apiGatewayEvent,
	"protocol":  apiGatewayProtocol,
	"status":    apiGatewayStatus, "statuscode": apiGatewayStatus, "responsestatus": apiGatewayStatus,
	"responselength":  apiGatewayLength,
	"responselatency": apiGatewayLatency,
	"ip":              apiGatewayAddress, "sourceip": apiGatewayAddress, "identitysourceip": apiGatewayAddress, "clientip": apiGatewayAddress, "sourceipaddress": apiGatewayAddress,
	"useragent": apiGatewayAgent, "identityuseragent": apiGatewayAgent,
	"domainname": apiGatewayDomain, "domain": apiGatewayDomain, "host": apiGatewayDomain,
	"apiid": apiGatewayAPI, "stage": apiGatewayStage,
	"caller": apiGatewayCaller, "identitycaller": apiGatewayCaller,
	"user": apiGatewayUser, "identityuser": apiGatewayUser,
	"userarn": apiGatewayUserARN, "identityuserarn": apiGatewayUserARN,
	"principalid": apiGatewayPrincipal, "authorizerprincipalid": apiGatewayPrincipal, "authorizerprincipal": apiGatewayPrincipal,
	"apikeyid": apiGatewayAPIKeyID, "identityapikeyid": apiGatewayAPIKeyID,
	"apikey": apiGatewayAPIKey, "identityapikey": apiGatewayAPIKey,
	"accesskey": apiGatewayAccessKey, "identityaccesskey": apiGatewayAccessKey, "accesskeyid": apiGatewayAccessKey,
	"errormessage": apiGatewayError, "errormessagestring": apiGatewayError, "error": apiGatewayError, "message": apiGatewayError,
	"errorresponsetype": apiGatewayResponseType, "responsetype": apiGatewayResponseType,
	"wafresponsecode":         apiGatewayWAF,
	"integrationerrormessage": apiGatewayIntegrationError, "integrationerror": apiGatewayIntegrationError,
	"authorizererror": apiGatewayAuthorizerError, "authorizeerror": apiGatewayAuthorizerError, "authenticateerror": apiGatewayAuthorizerError,
}

// apiGatewayClaims are the claims of a token that say who called; the others are the
// caller's own affair, and are dropped.
var apiGatewayClaims = map[string]int{
	"sub": apiGatewaySubject, "clientid": apiGatewayClient, "username": apiGatewayUserName, "cognitousername": apiGatewayUserName,
}

// apiGatewayMarks are variables that hardly any other log names so; true stands for
// those that only API Gateway has.
var apiGatewayMarks = map[string]bool{
	"requesttimeepoch": true, "extendedrequestid": true, "integrationlatency": true, "integrationstatus": true, "integrationerrormessage": true,
	"apikeyid": true, "identityapikeyid": true, "resourcepath": true, "routekey": true, "errorresponsetype": true, "errormessagestring": true,
	"apiid": true, "identitysourceip": true, "authorizerprincipalid": true, "responselatency": true,
	"requesttime": false, "httpmethod": false, "responselength": false, "sourceip": false, "stage": false, "caller": false, "principalid": false,
	"domainname": false, "resourceid": false, "connectionid": false, "eventtype": false, "requestid": false,
}

// apiGatewayWord is a path in small letters and digits, without what only says that it
// is a variable.
func apiGatewayWord(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "@message."), "message.")
	return plainName(strings.TrimPrefix(strings.TrimPrefix(path, "$"), "context."))
}

// classifyAPIGateway finds what a path means.
func classifyAPIGateway(path string) int {
	word := apiGatewayWord(path)
	if at := strings.LastIndex(word, "claims"); at >= 0 {
		if field, known := apiGatewayClaims[word[at+len("claims"):]]; known {
			return field
		}
		return apiGatewayDropped
	}
	if field, known := apiGatewayNames[word]; known {
		return field
	}
	name := strings.ToLower(path)
	name = name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case strings.HasSuffix(word, "xsfdcrequestid"):
		return apiGatewayCRMRequest
	case strings.HasSuffix(word, "clientcertpem"):
		return apiGatewayDropped
	case isKeyName(name):
		return apiGatewayAPIKey
	}
	for _, own := range [...]string{"authorizer", "authorize"} { // they stand before names of no secret
		name = strings.TrimPrefix(name, own)
	}
	if isSecretHeader(name) {
		return apiGatewayDropped
	}
	return apiGatewayUnmapped
}

// begin empties the event for the next record.
func (l *apiGatewayLog) begin() {
	l.event.Reset()
	clear(l.call.values[:])
	l.call.stamp, l.byLine = 0, false
}

// record fills the event from the object that was just scanned, or says why it cannot.
func (l *apiGatewayLog) record() *recordFailure {
	if l.objects.repeated {
		return &recordFailure{ReasonQuote, "a name stands twice in the record: API Gateway does not escape the quotes in a value, so a client can have written one of them"}
	}
	e, v := &l.event, &l.call.values
	leaves := l.objects.leaves
	for i := range leaves {
		leaf := &leaves[i]
		switch field := leaf.node.field; {
		case leaf.text == "" || leaf.text == "-" || field == apiGatewayDropped:
		case field == apiGatewayUnmapped:
			e.AddUnmapped(leaf.node.path, leaf.text)
		case v[field] == "":
			v[field] = leaf.text
		case v[field] != leaf.text && (field < apiGatewayAPIKeyID || field > apiGatewayAccessKey):
			e.AddUnmapped(leaf.node.path, leaf.text)
		}
	}
	own, failure := l.call.fill(e)
	if failure != nil {
		return failure
	}
	sum := l.objects.hash()
	l.identify(own)
	l.hasher.Number(sum.Hi)
	l.hasher.Number(sum.Lo)
	e.UID = l.hasher.Sum()
	return nil
}

// identify begins the identity of a record: the same, however it was delivered.
func (l *apiGatewayLog) identify(ownTime bool) {
	l.hasher.Reset()
	l.hasher.Part(l.tenant)
	l.hasher.Part("access")
	if !ownTime {
		l.hasher.Number(uint64(l.event.Time))
	}
	l.event.Text[schema.MetadataTenantUID] = l.tenant
}

// isMarked says whether the record that was just read from an object can be nothing
// but API Gateway's.
func (l *apiGatewayLog) isMarked() bool {
	marks, only := 0, 0
	for i := range l.objects.leaves {
		if own, known := apiGatewayMarks[apiGatewayWord(l.objects.leaves[i].node.path)]; known {
			marks++
			if own {
				only++
			}
		}
	}
	return marks >= 4 && only >= 1
}

// apiGatewaySight counts what is read from a head.
type apiGatewaySight struct {
	log                        *apiGatewayLog
	marked, events, rejections int
}

// Event implements Sink.
func (s *apiGatewaySight) Event(*schema.Event) {
	s.events++
	if s.log.byLine || s.log.isMarked() {
		s.marked++
	}
}

// Reject implements Sink.
func (s *apiGatewaySight) Reject(Rejection) { s.rejections++ }

// detectAPIGateway claims a head in which most of what is read are records with
// variables or ids of API Gateway.
func detectAPIGateway(head []byte) string {
	var s *apiGatewaySight
	for _, atEOF := range [...]bool{false, true} { // the head may be cut off, or be all
		s = &apiGatewaySight{log: newAPIGatewayLog(Options{})}
		s.log.strict = true
		if s.log.Decode(head, atEOF, s); s.events > 0 {
			break
		}
	}
	if s.marked == 0 || s.marked < s.rejections || s.marked*2 < s.events {
		return ""
	}
	return fmt.Sprintf("%d of the first %d records have variables of API Gateway's $context", s.marked, s.events+s.rejections)
}
