package formats

import (
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const envoyJSONName = "envoy-json"

// envoyJSON is an access log that Envoy writes as JSON, one object a line. The
// operator chooses the names; those that Istio, Envoy Gateway and Contour set are
// known, and those of the command operators themselves. Values are strings or numbers.
// Sources: Envoy's access log usage, the default formats of the three.
var envoyJSON = Format{
	Name:   envoyJSONName,
	Title:  "Envoy and Istio access log (JSON)",
	Line:   true,
	Detect: detectEnvoyJSON,
	New: func(o Options) Decoder {
		l := &envoyJSONLog{call: envoyCall{clock: clock{zone: o.Zone}}, tenant: o.Tenant}
		l.json.lines = newLines(o.Start)
		l.json.objects.classify = classifyEnvoy
		l.json.record = l.record
		return &l.json
	},
}

type envoyJSONLog struct {
	json   jsonLog
	call   envoyCall
	tenant string
}

// envoyNames are the fields by their names in small letters and digits.
var envoyNames = map[string]int{
	"starttime": envoyTime, "timestamp": envoyTime, "time": envoyTime, "ts": envoyTime,
	"method": envoyMethod, "requestmethod": envoyMethod, "reqmethod": envoyMethod, "httpmethod": envoyMethod,
	"path": envoyPath, "requestpath": envoyPath, "reqpath": envoyPath, "uri": envoyPath, "requesturi": envoyPath, "url": envoyPath,
	"xenvoyoriginalpath": envoyOriginalPath, "xenvoyoriginpath": envoyOriginalPath, "originalpath": envoyOriginalPath, "requestoriginalpath": envoyOriginalPath,
	"protocol": envoyProtocol, "requestprotocol": envoyProtocol, "httpprotocol": envoyProtocol,
	"responsecode": envoyCode, "responsestatus": envoyCode, "statuscode": envoyCode, "status": envoyCode,
	"responseflags": envoyFlags, "responseflagslong": envoyFlags, "flags": envoyFlags,
	"responsecodedetails":          envoyDetails,
	"connectionterminationdetails": envoyTermination,
	"bytesreceived":                envoyReceived, "requestbytes": envoyReceived,
	"bytessent": envoySent, "responsebytes": envoySent,
	"duration": envoyDuration, "durationms": envoyDuration, "requestduration": envoyDuration,
	"xforwardedfor": envoyForwarded, "forwardedfor": envoyForwarded,
	"useragent": envoyUserAgent,
	"referer":   envoyReferrer, "referrer": envoyReferrer,
	"requestid": envoyRequestID, "xrequestid": envoyRequestID,
	"xsfdcrequestid": envoyCRMRequest, "sfdcrequestid": envoyCRMRequest,
	"authority": envoyAuthority, "host": envoyAuthority, "requestauthority": envoyAuthority,
	"downstreamremoteaddress": envoyRemote, "remoteaddress": envoyRemote, "clientip": envoyRemote, "clientaddress": envoyRemote,
	"downstreamremoteaddresswithoutport": envoyRemoteAlone,
	"downstreamdirectremoteaddress":      envoyPeerAddress, "downstreamdirectremoteaddresswithoutport": envoyPeerAddress,
	"requestedservername": envoyServerName, "sni": envoyServerName,
	"routename":            envoyRoute,
	"downstreamtlsversion": envoyTLSVersion, "tlsversion": envoyTLSVersion,
	"downstreamtlscipher": envoyTLSCipher, "tlscipher": envoyTLSCipher,
	"downstreampeerurisan": envoyPeer, "peerurisan": envoyPeer, "downstreamprincipal": envoyPeer, "peerprincipal": envoyPeer,
	"downstreampeersubject": envoyPeerSubject, "peersubject": envoyPeerSubject,
	"jwtsub": envoySubject, "sub": envoySubject, "subject": envoySubject, "userid": envoySubject,
	"user": envoyUser, "username": envoyUser, "jwtusername": envoyUser,
	"clientid": envoyClient, "jwtclientid": envoyClient, "azp": envoyClient,
}

// envoyWord is a path in small letters and digits, without what says that the rest is
// the name of a header.
func envoyWord(path string) string {
	word := plainName(path)
	for _, prefix := range [...]string{"requestheaders", "responseheaders", "reqheaders", "respheaders", "headers"} {
		if rest, found := strings.CutPrefix(word, prefix); found && rest != "" {
			return rest
		}
	}
	return word
}

// classifyEnvoy finds what a path means.
func classifyEnvoy(path string) int {
	if field, known := envoyNames[envoyWord(path)]; known {
		return field
	}
	name := strings.ToLower(path)
	switch {
	case isKeyName(name[strings.LastIndexByte(name, '.')+1:]):
		return envoyKey
	case isSecretHeader(name):
		return envoyDropped
	}
	return envoyUnmapped
}

func (l *envoyJSONLog) record(e *schema.Event) *recordFailure {
	v := &l.call.values
	clear(v[:])
	leaves := l.json.objects.leaves
	for i := range leaves {
		leaf := &leaves[i]
		switch field := leaf.node.field; {
		case leaf.text == "" || leaf.text == "-" || field == envoyDropped:
		case field == envoyUnmapped:
			e.AddUnmapped(leaf.node.path, leaf.text)
		case v[field] == "":
			v[field] = leaf.text
		case v[field] != leaf.text && field != envoyKey:
			e.AddUnmapped(leaf.node.path, leaf.text)
		}
	}
	if v[envoyCode] == "" && v[envoyFlags] == "" && v[envoyMethod] == "" && v[envoyReceived] == "" && v[envoyRemote] == "" {
		return &recordFailure{ReasonUnknownFormat, "the object has no method, response code, response flags or bytes: it is no record of an access log; write what Envoy says about itself to another file"}
	}
	if failure := l.call.fill(e); failure != nil {
		return failure
	}
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataLogFormat] = envoyJSONName
	e.UID = l.json.uid(l.tenant, "access")
	return nil
}

// envoyMarks are names that hardly any other product's log uses.
var envoyMarks = map[string]bool{
	"responseflags": true, "responseflagslong": true, "responsecodedetails": true, "connectionterminationdetails": true, "upstreamtransportfailurereason": true,
	"upstreamcluster": true, "upstreamhost": true, "upstreamlocaladdress": true, "upstreamservicetime": true, "xenvoyupstreamservicetime": true,
	"downstreamremoteaddress": true, "downstreamlocaladdress": true, "downstreamdirectremoteaddress": true, "downstreamremoteaddresswithoutport": true,
	"requestedservername": true, "routename": true, "xenvoyoriginalpath": true, "xenvoyoriginpath": true,
}

// detectEnvoyJSON claims objects with at least two of Envoy's own names, and a third
// or Envoy's names of what every access log has.
func detectEnvoyJSON(head []byte) string {
	var marks []string
	usual := 0
	for _, path := range firstPaths(head) {
		word := envoyWord(path)
		switch {
		case envoyMarks[word]:
			marks = append(marks, path)
		case word == "starttime" || word == "responsecode" || word == "bytesreceived" || word == "bytessent" || word == "authority":
			usual++
		}
	}
	if len(marks) == 0 || len(marks)+usual < 4 {
		return ""
	}
	return fmt.Sprintf("JSON objects with Envoy's %s and %d more of its names", marks[0], len(marks)+usual-1)
}
