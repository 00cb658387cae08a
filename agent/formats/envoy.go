package formats

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

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

// envoyText is one field of a line.
type envoyText struct {
	value  string
	quoted bool
	// end is where the field ends in the line.
	end int
}

const (
	// maxEnvoyTexts is how many fields of a line are told apart.
	maxEnvoyTexts = 64
	// maxEnvoyReasons is how many fields stand between the flags and the sizes.
	maxEnvoyReasons = 4
)

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

// split cuts line[at:] into fields. Envoy does not escape: a quote ends a field only
// in front of a space, and one of the five fields behind the sizes only in front of
// the next. ok is false when a field is not closed.
func (l *envoyLog) split(line string, at int) (ok bool) {
	l.fields = l.fields[:0]
	headers := -1 // the index of X-Forwarded-For
	for len(l.fields) < maxEnvoyTexts {
		for at < len(line) && line[at] == ' ' {
			at++
		}
		if at == len(line) {
			return true
		}
		n := len(l.fields)
		if line[at] != '"' || n == maxEnvoyTexts-1 {
			end := len(line)
			if next := strings.IndexByte(line[at:], ' '); next >= 0 && n < maxEnvoyTexts-1 {
				end = at + next
			}
			l.fields = append(l.fields, envoyText{value: line[at:end], end: end})
			at = end
			continue
		}
		if headers < 0 && n >= 7 && areSizes(l.fields[n-4:]) {
			headers = n
		}
		behind := " "
		if headers >= 0 && n < headers+4 {
			behind = ` "`
		}
		end := at + 1
		for ; ; end++ {
			next := strings.IndexByte(line[end:], '"')
			if next < 0 {
				return false
			}
			if end += next; end+1 == len(line) || strings.HasPrefix(line[end+1:], behind) {
				break
			}
		}
		l.fields = append(l.fields, envoyText{line[at+1 : end], true, end + 1})
		at = end + 1
	}
	return true
}

// areSizes says whether fields are bytes received, bytes sent, duration and upstream
// time.
func areSizes(fields []envoyText) bool {
	return !fields[0].quoted && isDigits(fields[0].value) && !fields[1].quoted && isDigits(fields[1].value) &&
		isDigitsOrDash(fields[2]) && isDigitsOrDash(fields[3])
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

// sizes is the index of the bytes received: the first of four numbers in front of five
// quoted fields; -1 without them.
func (l *envoyLog) sizes() int {
	for at := 3; at <= 3+maxEnvoyReasons && at+8 < len(l.fields); at++ {
		if areSizes(l.fields[at:]) && l.fields[at+4].quoted {
			return at
		}
	}
	return -1
}

func isDigitsOrDash(t envoyText) bool { return !t.quoted && (t.value == "-" || isDigits(t.value)) }

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

// isIstioTail says whether fields begin with a cluster, three addresses and a name.
func isIstioTail(fields []envoyText) bool {
	if len(fields) < 5 {
		return false
	}
	addresses := 0
	for i := range 5 {
		if fields[i].quoted {
			return false
		}
		if i >= 1 && i <= 3 && fields[i].value != "-" {
			if !isAddressPort(fields[i].value) && !strings.HasPrefix(fields[i].value, "envoy://") {
				return false
			}
			addresses++
		}
	}
	return addresses > 0
}

// isAddressPort says whether s looks like an address with a port.
func isAddressPort(s string) bool {
	at := strings.LastIndexByte(s, ':')
	return at > 0 && len(s)-at <= len(":65535") && isDigits(s[at+1:]) && (s[0] == '[' && s[at-1] == ']' || s[0]-'0' < 10 && strings.IndexByte(s, ':') == at)
}

func (l *envoyLog) value(i int) string { return validText(present(l.fields[i].value)) }

// name is the name of field number i behind the time: its place in the line, from 1.
func (l *envoyLog) name(i int) string {
	for len(l.names) <= i {
		l.names = append(l.names, "field_"+strconv.Itoa(len(l.names)+2))
	}
	return l.names[i]
}

// validText is s, with what is not UTF-8 written as \xHH.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(appendValid(nil, s))
}

// isEnvoyFlags says whether s is written as response flags are: short capitals, or the
// long names, with commas.
func isEnvoyFlags(s string) bool {
	if s == "-" {
		return true
	}
	for i := range len(s) {
		if s[i]|0x20-'a' >= 26 && s[i] != ',' {
			return false
		}
	}
	return s != ""
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
