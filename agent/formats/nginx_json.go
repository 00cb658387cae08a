package formats

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const nginxJSONName = "nginx-json"

// nginxJSON is an access log that nginx writes as JSON, one object a line. The
// operator chooses the names; those of the variables and a few usual others are
// known, also some that Apache's users give to mod_log_config's fields. Source: the
// documentation of ngx_http_log_module and ngx_http_core_module.
var nginxJSON = Format{
	Name:   nginxJSONName,
	Title:  "nginx access log (JSON)",
	Line:   true,
	Detect: detectNginxJSON,
	New: func(o Options) Decoder {
		l := &nginxJSONLog{clock: clock{zone: o.Zone}, tenant: o.Tenant}
		l.json.lines = newLines(o.Start)
		l.json.objects.classify = classifyNginx
		l.json.record = l.record
		return &l.json
	},
}

type nginxJSONLog struct {
	json      jsonLog
	clock     clock
	addresses addresses
	tenant    string
	values    [nginxFields]string
}

// What a name in the log means, where it is no column of its own.
const (
	nginxUnmapped = iota
	nginxDropped
	// The times, best first.
	nginxMsec
	nginxISO
	nginxTimestamp
	nginxLocal
	nginxAddress
	nginxRealAddress
	nginxPort
	nginxUser
	nginxKey
	nginxRequest
	nginxMethod
	nginxRequestURI
	nginxURI
	nginxArgs
	nginxProtocol
	nginxStatus
	nginxBodyBytes
	nginxBytes
	nginxRequestLength
	nginxRequestTime
	nginxHost
	nginxServerName
	nginxReferrer
	nginxUserAgent
	nginxForwarded
	nginxCRMRequestID
	nginxRequestID
	nginxTLSVersion
	nginxTLSCipher
	nginxFields
)

var nginxNames = map[string]int{
	"msec": nginxMsec, "time_msec": nginxMsec,
	"time_iso8601": nginxISO, "@timestamp": nginxISO, "time_iso": nginxISO,
	"timestamp": nginxTimestamp, "time": nginxTimestamp, "ts": nginxTimestamp, "datetime": nginxTimestamp, "date": nginxTimestamp,
	"time_local":  nginxLocal,
	"remote_addr": nginxAddress, "client": nginxAddress, "client_ip": nginxAddress, "clientip": nginxAddress, "remote_ip": nginxAddress, "remote_address": nginxAddress, "remoteip": nginxAddress, "remotehost": nginxAddress, "remote_host": nginxAddress,
	"realip_remote_addr": nginxRealAddress,
	"remote_port":        nginxPort,
	"remote_user":        nginxUser, "remoteuser": nginxUser,
	"request":        nginxRequest,
	"request_method": nginxMethod, "method": nginxMethod, "http_method": nginxMethod,
	"request_uri": nginxRequestURI,
	"uri":         nginxURI, "document_uri": nginxURI, "path": nginxURI, "url": nginxURI, "request_path": nginxURI,
	"args": nginxArgs, "query_string": nginxArgs, "query": nginxArgs,
	"server_protocol": nginxProtocol, "protocol": nginxProtocol,
	"status": nginxStatus, "response_status": nginxStatus, "http_status": nginxStatus,
	"body_bytes_sent": nginxBodyBytes,
	"bytes_sent":      nginxBytes,
	"request_length":  nginxRequestLength,
	"request_time":    nginxRequestTime,
	"http_host":       nginxHost, "host": nginxHost, "vhost": nginxHost,
	"server_name":  nginxServerName,
	"http_referer": nginxReferrer, "http_referrer": nginxReferrer, "referer": nginxReferrer, "referrer": nginxReferrer,
	"http_user_agent": nginxUserAgent, "user_agent": nginxUserAgent, "agent": nginxUserAgent, "useragent": nginxUserAgent,
	"http_x_forwarded_for": nginxForwarded, "x_forwarded_for": nginxForwarded, "proxy_add_x_forwarded_for": nginxForwarded,
	"http_x_sfdc_request_id": nginxCRMRequestID, "sent_http_x_sfdc_request_id": nginxCRMRequestID, "upstream_http_x_sfdc_request_id": nginxCRMRequestID,
	"request_id": nginxRequestID, "http_x_request_id": nginxRequestID, "req_id": nginxRequestID,
	"ssl_protocol": nginxTLSVersion, "tls_version": nginxTLSVersion,
	"ssl_cipher": nginxTLSCipher, "tls_cipher": nginxTLSCipher,
}

// classifyNginx finds what a path means.
func classifyNginx(path string) int {
	name := nginxVariable(path)
	if field, known := nginxNames[name]; known {
		return field
	}
	for _, prefix := range []string{"upstream_http_", "sent_http_", "http_", "arg_", "cookie_"} {
		bare, found := strings.CutPrefix(name, prefix)
		switch {
		case !found:
		case prefix == "cookie_" || strings.HasPrefix(bare, "cookie"):
			return nginxDropped
		case isKeyName(bare):
			return nginxKey
		case isSecretHeader(bare):
			return nginxDropped
		}
	}
	switch name {
	case "apikey", "api_key", "x_api_key":
		return nginxKey
	case "authorization", "cookie", "set_cookie":
		return nginxDropped
	}
	return nginxUnmapped
}

// nginxVariable is a path as nginx would name the variable. Some put all fields
// into an object of their own.
func nginxVariable(path string) string {
	path = strings.ReplaceAll(strings.ToLower(path), "-", "_")
	return strings.TrimPrefix(strings.TrimPrefix(path, "nginx."), "access.")
}

func (l *nginxJSONLog) record(e *schema.Event) *recordFailure {
	v := &l.values
	clear(v[:])
	leaves := l.json.objects.leaves
	for i := range leaves {
		leaf := &leaves[i]
		switch field := leaf.node.field; {
		case leaf.text == "" || leaf.text == "-" || field == nginxDropped:
		case field == nginxUnmapped:
			e.AddUnmapped(leaf.node.path, leaf.text)
		case v[field] == "":
			v[field] = leaf.text
		case v[field] != leaf.text && field != nginxKey:
			e.AddUnmapped(leaf.node.path, leaf.text)
		}
	}
	if failure := l.time(e); failure != nil {
		return failure
	}
	l.request(e)
	source := v[nginxAddress]
	if v[nginxRealAddress] != "" && source == "" {
		source = v[nginxRealAddress]
	}
	if v[nginxPort] != "" {
		setCount(e, schema.SrcEndpointPort, v[nginxPort])
	}
	setSource(e, &l.addresses, source)
	e.Text[schema.ActorUserName] = v[nginxUser]
	e.Text[schema.SessionCredentialUID] = v[nginxKey]
	setStatus(e, v[nginxStatus])
	sent := v[nginxBytes]
	if sent == "" {
		sent = v[nginxBodyBytes]
	}
	setCount(e, schema.TrafficBytesIn, sent)
	setCount(e, schema.TrafficBytesOut, v[nginxRequestLength])
	setDuration(e, v[nginxRequestTime], 1000)
	host := v[nginxHost]
	if host == "" {
		host = v[nginxServerName]
	}
	e.Text[schema.APIServiceName] = host
	if host != "" {
		e.Text[schema.DstEndpointHostname] = hostOnly(host)
	}
	e.Text[schema.HTTPRequestReferrer] = v[nginxReferrer]
	e.Text[schema.HTTPRequestUserAgent] = v[nginxUserAgent]
	e.Text[schema.HTTPRequestXForwardedFor] = v[nginxForwarded]
	setTLS(e, v[nginxTLSVersion], v[nginxTLSCipher])
	e.Text[schema.MetadataOriginalEventUID] = v[nginxRequestID]
	e.Text[schema.MetadataCorrelationUID] = v[nginxCRMRequestID]
	if v[nginxCRMRequestID] == "" {
		e.Text[schema.MetadataCorrelationUID] = v[nginxRequestID]
	}
	setClass(e)
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataProductName] = "nginx"
	e.Text[schema.MetadataProductVendorName] = "F5"
	e.Text[schema.MetadataLogName] = "access"
	e.Text[schema.MetadataLogFormat] = nginxJSONName
	e.UID = l.json.uid(l.tenant, "access")
	return nil
}

// time reads the best time that the record has.
func (l *nginxJSONLog) time(e *schema.Event) *recordFailure {
	none := true
	for _, text := range l.values[nginxMsec : nginxLocal+1] {
		if text == "" {
			continue
		}
		if text[0] == '[' { // as Apache's %t has it
			text = strings.TrimSuffix(text[1:], "]")
		}
		if ms, ok := l.clock.millis(text); ok {
			e.Time = ms
			return nil
		}
		none = false
	}
	if none {
		return &recordFailure{ReasonTime, "the record has no time: add $time_iso8601 or $msec to log_format"}
	}
	return &recordFailure{ReasonTime, "the record's time cannot be read: write $time_iso8601 or $msec in log_format"}
}

// request fills in method, URL and version, from fields of their own or from the
// request line.
func (l *nginxJSONLog) request(e *schema.Event) {
	v := &l.values
	switch request := v[nginxRequest]; {
	case request == "":
	case request[0] == '/' && strings.IndexByte(request, ' ') < 0: // Apache's %U
		setURL(e, request)
	default:
		setRequestLine(e, request)
	}
	if v[nginxMethod] != "" {
		e.Text[schema.HTTPRequestMethod] = v[nginxMethod]
	}
	if v[nginxProtocol] != "" {
		setHTTPVersion(e, v[nginxProtocol])
	}
	if v[nginxRequestURI] != "" {
		setURL(e, v[nginxRequestURI])
	} else if v[nginxURI] != "" && e.Text[schema.HTTPRequestURLPath] == "" {
		setURL(e, v[nginxURI])
	}
	if e.Text[schema.HTTPRequestURLQuery] == "" {
		e.Text[schema.HTTPRequestURLQuery] = strings.TrimPrefix(v[nginxArgs], "?")
	}
}

// nginxMarks are names that hardly any other product's log uses.
var nginxMarks = map[string]bool{
	"time_local": true, "time_iso8601": true, "msec": true, "remote_addr": true, "remote_user": true, "request_uri": true,
	"request_time": true, "request_length": true, "request_method": true, "body_bytes_sent": true, "bytes_sent": true,
	"http_user_agent": true, "http_referer": true, "http_referrer": true, "http_x_forwarded_for": true, "http_host": true,
	"upstream_addr": true, "upstream_response_time": true, "upstream_status": true, "ssl_protocol": true, "ssl_cipher": true,
}

func detectNginxJSON(head []byte) string {
	var marks []string
	status := false
	for _, path := range firstPaths(head) {
		name := nginxVariable(path)
		if nginxMarks[name] {
			marks = append(marks, name)
		}
		status = status || nginxNames[name] == nginxStatus
	}
	if len(marks) < 3 || !status {
		return ""
	}
	return fmt.Sprintf("JSON objects with nginx's variables %s, %s and %s", marks[0], marks[1], marks[2])
}

// firstPaths lists the paths of the first object in head that has some, also of one
// that head cuts off.
func firstPaths(head []byte) (paths []string) {
	for tries := 0; tries < 20 && len(head) > 0; tries++ {
		head = bytes.TrimLeft(head, " \t\r\n[,\x00")
		if len(head) == 0 {
			break
		}
		if head[0] == '{' {
			objects := jsonObjects{classify: func(string) int { return 0 }}
			n, err := objects.object(head)
			if (err == nil || n >= len(head)) && len(objects.leaves) > 0 {
				for _, leaf := range objects.leaves {
					paths = append(paths, leaf.node.path)
				}
				return paths
			}
		}
		_, head, _ = bytes.Cut(head, []byte{'\n'})
	}
	return nil
}
