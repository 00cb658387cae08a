package formats

import (
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const envoyName = "envoy"

// envoy is the access log of Envoy in its default text format, also with more fields
// behind, and in Istio's:
//
//	[%START_TIME%] "METHOD PATH PROTOCOL" CODE FLAGS [DETAILS TERMINATION "FAILURE"] RECEIVED SENT DURATION UPSTREAM
//	"X-FORWARDED-FOR" "USER-AGENT" "X-REQUEST-ID" "AUTHORITY" "UPSTREAM HOST" [CLUSTER LOCAL LOCAL REMOTE SNI ROUTE]
//
// on one line. Sources: Envoy's access log usage, Istio's pilot/pkg/model accesslog.
var envoy = Format{
	Name:   envoyName,
	Title:  "Envoy and Istio access log (default text)",
	Line:   true,
	Detect: detectEnvoy,
	New:    func(o Options) Decoder { return newEnvoyLog(o) },
}

type envoyLog struct {
	lineLog
	call   envoyCall
	fields []envoyText
	names  []string
}

func newEnvoyLog(o Options) *envoyLog {
	l := &envoyLog{call: envoyCall{clock: clock{zone: o.Zone}}}
	l.lines, l.tenant, l.lineLog.read = newLines(o.Start), o.Tenant, l.read
	return l
}

// read fills e from a line, or says what is wrong with it and where.
func (l *envoyLog) read(e *schema.Event, line string) (failure *recordFailure, at int) {
	end := strings.IndexByte(line[:min(maxTime, len(line))], ']')
	if !strings.HasPrefix(line, "[") || end < 0 && len(line) >= maxTime {
		return &recordFailure{ReasonSyntax, `expected a line of Envoy's access log: [TIME] "METHOD PATH PROTOCOL" CODE FLAGS ...; what Envoy and its agent say about themselves belongs into another file`}, 0
	}
	if end < 0 {
		return &recordFailure{ReasonSyntax, "the time in brackets is not closed"}, len(line)
	}
	if end+1 < len(line) && line[end+1] == '[' {
		return &recordFailure{ReasonSyntax, "this is a line of Envoy's own log, not of its access log: write the two to different files"}, end + 1
	}
	c := &l.call
	clear(c.values[:])
	c.values[envoyTime] = line[1:end]
	if !l.split(line, end+1) {
		return &recordFailure{ReasonSyntax, "a quoted field is not closed, or the five behind the sizes are not complete"}, len(line)
	}
	if failure, at = l.head(line, end+1); failure != nil {
		return failure, at
	}
	sizes := l.sizes()
	if sizes < 0 {
		return &recordFailure{ReasonSyntax, "expected bytes received, bytes sent, duration and upstream time behind the flags, and the quoted X-Forwarded-For behind them"}, len(line)
	}
	for _, t := range l.fields[sizes+4 : sizes+9] {
		if !t.quoted {
			return &recordFailure{ReasonSyntax, "five quoted fields have to follow the upstream time"}, t.end - len(t.value)
		}
	}
	l.reasons(e, sizes)
	for i, field := range [...]int{envoyReceived, envoySent, envoyDuration} {
		c.values[field] = l.fields[sizes+i].value
	}
	e.AddUnmapped("upstream_service_time", present(l.fields[sizes+3].value))
	quoted := sizes + 4
	for i, field := range [...]int{envoyForwarded, envoyUserAgent, envoyRequestID, envoyAuthority} {
		c.values[field] = l.fields[quoted+i].value
	}
	e.AddUnmapped("upstream_host", l.value(quoted+4))
	l.rest(e, quoted+5)
	for i, value := range c.values {
		c.values[i] = validText(present(value))
	}
	if failure := c.fill(e); failure != nil {
		return failure, 1
	}
	e.Text[schema.MetadataLogFormat] = envoyName
	return nil, 0
}

// head takes the request, the response code and the flags.
func (l *envoyLog) head(line string, at int) (*recordFailure, int) {
	if len(l.fields) < 3 {
		return &recordFailure{ReasonSyntax, "the line ends in front of the response's flags"}, len(line)
	}
	request, code, flags := &l.fields[0], &l.fields[1], &l.fields[2]
	if !request.quoted {
		return &recordFailure{ReasonSyntax, "expected the request in quotes behind the time"}, at
	}
	if _, number := smallNumber(code.value); code.quoted || !number && code.value != "-" {
		return &recordFailure{ReasonSyntax, "expected a response code such as 200 behind the request"}, request.end + 1
	}
	if flags.quoted || !isEnvoyFlags(flags.value) {
		return &recordFailure{ReasonSyntax, "expected response flags such as UH or a dash behind the response code"}, code.end + 1
	}
	c := &l.call
	c.values[envoyCode], c.values[envoyFlags] = code.value, flags.value
	method, rest, ok := strings.Cut(request.value, " ")
	space := strings.LastIndexByte(rest, ' ')
	if !ok || space < 0 {
		c.values[envoyMethod] = request.value
		return nil, 0
	}
	c.values[envoyMethod], c.values[envoyPath], c.values[envoyProtocol] = method, rest[:space], rest[space+1:]
	return nil, 0
}

// reasons takes what Istio writes between the flags and the sizes.
func (l *envoyLog) reasons(e *schema.Event, sizes int) {
	c := &l.call
	for i := 3; i < sizes; i++ {
		switch t := &l.fields[i]; {
		case t.quoted && i == sizes-1:
			e.AddUnmapped("upstream_transport_failure_reason", l.value(i))
		case !t.quoted && i == 3:
			c.values[envoyDetails] = t.value
		case !t.quoted && i == 4:
			c.values[envoyTermination] = t.value
		default:
			e.AddUnmapped(l.name(i), l.value(i))
		}
	}
}

// rest takes what stands behind the upstream's host: Istio's six fields, and others.
func (l *envoyLog) rest(e *schema.Event, at int) {
	if isIstioTail(l.fields[min(at, len(l.fields)):]) {
		c := &l.call
		for i, name := range [...]string{"upstream_cluster", "upstream_local_address", "downstream_local_address"} {
			e.AddUnmapped(name, l.value(at+i))
		}
		c.values[envoyRemote] = l.fields[at+3].value
		c.values[envoyServerName] = l.fields[at+4].value
		if at += 5; at < len(l.fields) {
			c.values[envoyRoute] = l.fields[at].value
			at++
		}
	}
	for ; at < len(l.fields); at++ {
		if name, value, named := strings.Cut(l.fields[at].value, "="); named && name != "" && !l.fields[at].quoted {
			e.AddUnmapped(validText(name), validText(present(value)))
		} else {
			e.AddUnmapped(l.name(at), l.value(at))
		}
	}
}

// detectEnvoy claims a log when at least half of its first lines can be read: Envoy
// writes its own log to the same place.
func detectEnvoy(head []byte) string {
	l := newEnvoyLog(Options{})
	read, total := detectLines(head, func(line string) bool {
		l.event.Reset()
		failure, _ := l.read(&l.event, line)
		return failure == nil
	})
	if read == 0 || read*2 < total {
		return ""
	}
	return fmt.Sprintf(`%d of the first %d lines read [TIME] "METHOD PATH PROTOCOL" CODE FLAGS RECEIVED SENT DURATION`, read, total)
}
