package formats

import (
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// What a field of Envoy's access log means, where it is no column of its own.
const (
	envoyUnmapped = iota
	envoyDropped
	envoyTime
	envoyMethod
	envoyPath
	envoyOriginalPath
	envoyProtocol
	envoyCode
	envoyFlags
	envoyDetails
	envoyTermination
	envoyReceived
	envoySent
	envoyDuration
	envoyForwarded
	envoyUserAgent
	envoyReferrer
	envoyRequestID
	envoyCRMRequest
	envoyAuthority
	envoyRemote
	envoyRemoteAlone
	envoyPeerAddress
	envoyServerName
	envoyRoute
	envoyTLSVersion
	envoyTLSCipher
	envoyKey
	envoyPeer
	envoyPeerSubject
	envoySubject
	envoyUser
	envoyClient
	envoyFields
)

// envoyCall makes events of what Envoy says about a request or a connection.
type envoyCall struct {
	clock     clock
	addresses addresses
	values    [envoyFields]string
	scratch   []byte
}

// fill fills e from the values, which are not "-", or says why it cannot.
func (c *envoyCall) fill(e *schema.Event) *recordFailure {
	v := &c.values
	ms, ok := c.clock.millis(v[envoyTime])
	switch {
	case v[envoyTime] == "":
		return &recordFailure{ReasonTime, "the record has no time: add %START_TIME% to the access log's format"}
	case !ok:
		return &recordFailure{ReasonTime, "the record's time cannot be read: write %START_TIME% without a format of its own, or as %START_TIME(%s.%3f)%"}
	}
	e.Time = ms
	e.Text[schema.HTTPRequestMethod] = v[envoyMethod]
	setHTTPVersion(e, v[envoyProtocol])
	if v[envoyOriginalPath] != "" {
		setURL(e, v[envoyOriginalPath])
		e.AddUnmapped("path", v[envoyPath])
	} else {
		setURL(e, v[envoyPath])
	}
	setCount(e, schema.TrafficBytesOut, v[envoyReceived])
	setCount(e, schema.TrafficBytesIn, v[envoySent])
	setDuration(e, v[envoyDuration], 1)
	setTLS(e, v[envoyTLSVersion], v[envoyTLSCipher])
	e.Text[schema.HTTPRequestUserAgent] = v[envoyUserAgent]
	e.Text[schema.HTTPRequestReferrer] = v[envoyReferrer]
	e.Text[schema.MetadataOriginalEventUID] = v[envoyRequestID]
	e.Text[schema.MetadataCorrelationUID] = v[envoyRequestID]
	// The CRM writes this id beside every row that the call caused, so it tells more
	// than the proxy's own.
	if v[envoyCRMRequest] != "" {
		e.Text[schema.MetadataCorrelationUID] = v[envoyCRMRequest]
	}
	c.host(e)
	c.source(e)
	c.caller(e)
	setStatus(e, v[envoyCode])
	c.outcome(e)
	setClass(e)
	if v[envoyMethod] == "" { // a connection, or a request that was never understood
		e.Number[schema.ActivityID] = schema.ActivityOther
	}
	e.Text[schema.MetadataProductName] = "Envoy"
	e.Text[schema.MetadataProductVendorName] = "Envoy"
	e.Text[schema.MetadataLogName] = "access"
	return nil
}

// host fills in what was called.
func (c *envoyCall) host(e *schema.Event) {
	v := &c.values
	host := v[envoyAuthority]
	if host == "" {
		host = v[envoyServerName]
	} else {
		e.AddUnmapped("requested_server_name", v[envoyServerName])
	}
	if host != "" {
		e.Text[schema.DstEndpointHostname] = hostOnly(host)
	}
	e.Text[schema.APIServiceName] = host
	if route := v[envoyRoute]; route == "default" { // Istio's name of the only route
		e.AddUnmapped("route_name", route)
	} else if route != "" {
		e.Text[schema.APIServiceName] = route
	}
}

// source fills in where the call came from: the address that Envoy trusts, or what
// X-Forwarded-For says where the log has no other.
func (c *envoyCall) source(e *schema.Event) {
	v := &c.values
	e.Text[schema.HTTPRequestXForwardedFor] = v[envoyForwarded]
	e.AddUnmapped("downstream_direct_remote_address", v[envoyPeerAddress])
	remote := v[envoyRemote]
	if remote == "" {
		remote = v[envoyRemoteAlone]
	}
	if isAddressPort(remote) { // ports change with every connection, addresses do not
		at := strings.LastIndexByte(remote, ':')
		if c.addresses.set(e, remote[:at]) {
			setCount(e, schema.SrcEndpointPort, remote[at+1:])
			return
		}
	}
	if c.addresses.set(e, remote) {
		return
	}
	first, _, _ := strings.Cut(v[envoyForwarded], ",")
	if c.addresses.set(e, strings.TrimSpace(first)) {
		return
	}
	if v[envoyPeerAddress] != "" {
		remote = v[envoyPeerAddress]
	}
	setSource(e, &c.addresses, remote)
}

// caller fills in who called: what a verified token says, or the certificate that the
// client showed.
func (c *envoyCall) caller(e *schema.Event) {
	v := &c.values
	e.Text[schema.ActorUserUID] = v[envoySubject]
	e.Text[schema.ActorUserName] = v[envoyUser]
	e.Text[schema.ActorAppUID] = v[envoyClient]
	e.Text[schema.SessionCredentialUID] = firstOf(v[envoyKey])
	peer := v[envoyPeer]
	if peer == "" {
		peer = v[envoyPeerSubject]
	} else {
		e.AddUnmapped("downstream_peer_subject", v[envoyPeerSubject])
	}
	if v[envoyUser] == "" && v[envoySubject] == "" && peer != "" {
		e.Text[schema.ActorUserName] = peer
		e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	} else {
		e.AddUnmapped("downstream_peer", peer)
	}
}

// outcome fills in what the flags and details say. A response code of 0 means that
// the client has got none.
func (c *envoyCall) outcome(e *schema.Event) {
	v := &c.values
	flags, details := v[envoyFlags], v[envoyDetails]
	if details == "" {
		details = v[envoyTermination]
	} else {
		e.AddUnmapped("connection_termination_details", v[envoyTermination])
	}
	switch {
	case flags == "" || details == "":
		e.Text[schema.StatusDetail] = flags + details
	default:
		c.scratch = append(append(append(c.scratch[:0], flags...), ' '), details...)
		e.Text[schema.StatusDetail] = unsafe.String(unsafe.SliceData(c.scratch), len(c.scratch))
	}
	refused := strings.HasPrefix(details, "rbac_access_denied") || strings.HasPrefix(v[envoyTermination], "rbac_access_denied")
	if refused {
		e.Number[schema.ActionID] = schema.ActionDenied
	}
	for more := flags != ""; more; {
		var flag string
		flag, flags, more = strings.Cut(flags, ",")
		switch strings.TrimSpace(flag) {
		case "RL", "RateLimited":
			e.Number[schema.DispositionID] = dispositionRejected
			e.Number[schema.IsRateLimited] = 1
			refused = true
		case "UAEX", "UnauthorizedExternalService":
			e.Number[schema.ActionID] = schema.ActionDenied
			refused = true
		}
	}
	if refused && e.Number[schema.StatusID] == schema.StatusUnknown {
		e.Number[schema.StatusID] = schema.StatusFailure
	}
}
