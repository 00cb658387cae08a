package formats

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	nginxName = "nginx"
	// maxTime is longer than any time in brackets.
	maxTime = 64
	// maxExtras is how many fields behind the number of bytes are told apart.
	maxExtras = 32
)

// nginx is the access log of nginx in its "combined" form
//
//	$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"
//
// or the "common" form without the last two, with a virtual host in front or more
// fields behind. Apache writes the same; what shows that it is Apache's is left to
// the format apache. Source: the documentation of ngx_http_log_module.
var nginx = Format{
	Name:   nginxName,
	Title:  "nginx access log (combined)",
	Line:   true,
	Detect: detectNginx,
	New: func(o Options) Decoder {
		return newNginxLog(o, nginxName, "nginx", "F5")
	},
}

// nginxLog reads the lines that nginx and Apache have in common.
type nginxLog struct {
	lineLog
	clock                 clock
	addresses             addresses
	name, product, vendor string
	scratch               []byte
	names                 []string
	// plain says that nothing in the line is escaped, and all of it is UTF-8.
	plain bool
	// marks is what the lines read so far say about who wrote them.
	marks apacheMarks
	// counts are Apache's whole numbers behind the user agent, in a line of its.
	counts []string
}

func newNginxLog(o Options, name, product, vendor string) *nginxLog {
	l := &nginxLog{clock: clock{zone: o.Zone}, name: name, product: product, vendor: vendor}
	l.lines, l.tenant, l.lineLog.read = newLines(o.Start), o.Tenant, l.read
	return l
}

// read fills e from a line, or says what is wrong with it and where.
func (l *nginxLog) read(e *schema.Event, line string) (failure *recordFailure, at int) {
	l.plain = strings.IndexByte(line, '\\') < 0 && utf8.ValidString(line)
	open := -1
	for from := 0; ; {
		next := strings.IndexByte(line[from:], '[')
		if next < 0 {
			break
		}
		if from += next + 1; from < 2 || line[from-2] != ' ' {
			continue
		}
		end := strings.IndexByte(line[from:min(from+maxTime, len(line))], ']')
		if ms, ok := l.clock.millis(line[from : from+max(end, 0)]); ok {
			e.Time, open, at = ms, from-2, from+end+1
			break
		}
		if from < len(line) && line[from]-'0' < 10 && at == 0 {
			at = from
		}
	}
	if open < 0 {
		if at > 0 {
			return &recordFailure{ReasonTime, "the time in brackets cannot be read: expected 02/Jan/2006:15:04:05 +0000"}, at
		}
		return &recordFailure{ReasonSyntax, `expected an access log line: ADDRESS - USER [TIME] "REQUEST" STATUS BYTES "REFERER" "USER AGENT"`}, len(line)
	}
	if !l.caller(e, line[:open]) {
		return &recordFailure{ReasonSyntax, "expected an address or host name at the start of the line"}, 0
	}
	e.Text[schema.MetadataProductName] = l.product
	e.Text[schema.MetadataProductVendorName] = l.vendor
	e.Text[schema.MetadataLogFormat] = l.name
	return l.response(e, line, at)
}

// caller reads what stands in front of the time: [HOST:PORT ]ADDRESS IDENT USER.
// nginx writes a user's name as it was sent, so it may hold spaces.
func (l *nginxLog) caller(e *schema.Event, s string) bool {
	end := strings.IndexByte(s, ' ')
	for end > 0 && s[end-1] == ',' { // a list of addresses, from X-Forwarded-For
		next := strings.IndexByte(s[end+1:], ' ')
		if next < 0 {
			end = -1
			break
		}
		end += next + 1
	}
	if end < 0 {
		return false
	}
	address, rest := s[:end], s[end+1:]
	address = l.text(address)
	ident, user, ok := strings.Cut(rest, " ")
	if second, third, more := strings.Cut(user, " "); more && ident != "-" && second == "-" {
		e.Text[schema.APIServiceName] = address
		e.Text[schema.DstEndpointHostname] = hostOnly(address)
		l.marks.vhost = l.marks.vhost || hostOnly(address) != address
		address, ident, user = l.text(ident), second, third
	}
	if !ok {
		return false
	}
	if !l.addresses.set(e, address) {
		if address == "" || strings.ContainsAny(address, `"{}=`) {
			return false
		}
		if first, _, list := strings.Cut(address, ","); list {
			e.Text[schema.HTTPRequestXForwardedFor] = address
			address = first
		}
		setSource(e, &l.addresses, address)
	}
	e.Text[schema.ActorUserName] = l.text(present(user))
	e.AddUnmapped("ident", l.text(present(ident)))
	return true
}

// response reads what stands behind the time, which ends at line[at].
func (l *nginxLog) response(e *schema.Event, line string, at int) (*recordFailure, int) {
	request, quoted, at, ok := nextField(line, at)
	if !ok || !quoted {
		return &recordFailure{ReasonSyntax, `expected the request in quotes behind the time`}, at
	}
	status, quoted, next, ok := nextField(line, at)
	if _, number := smallNumber(status); !ok || quoted || !number && status != "-" {
		return &recordFailure{ReasonSyntax, "expected a status such as 200 behind the request"}, min(at+1, len(line))
	}
	size, quoted, at, ok := nextField(line, next)
	if !ok || quoted || size != "-" && (size == "" || size[0]-'0' > 9) {
		return &recordFailure{ReasonSyntax, "expected a number of bytes behind the status"}, min(next+1, len(line))
	}
	if request = l.text(present(request)); request != "" {
		setRequestLine(e, request)
	}
	setStatus(e, status)
	setCount(e, schema.TrafficBytesIn, size)
	l.marks.dash = l.marks.dash || size == "-"
	l.counts = l.counts[:0]
	for i := 0; at < len(line); i++ {
		if i == maxExtras {
			e.AddUnmapped(l.extraName(i), l.text(line[at+1:]))
			break
		}
		value, quoted, next, ok := nextField(line, at)
		if !ok {
			return &recordFailure{ReasonSyntax, "a quoted field is not closed"}, len(line)
		}
		l.extra(e, i, l.text(present(value)), quoted)
		at = next
	}
	if l.name == apacheName {
		setApacheCounts(e, l.counts, size)
	}
	setClass(e)
	return nil, 0
}

// extra takes field number i behind the number of bytes. The first two quoted ones
// are referer and user agent; what follows is told by its look.
func (l *nginxLog) extra(e *schema.Event, i int, value string, quoted bool) {
	switch {
	case value == "":
		return
	case i == 0 && quoted:
		e.Text[schema.HTTPRequestReferrer] = value
		return
	case i == 1 && quoted:
		e.Text[schema.HTTPRequestUserAgent] = value
		return
	}
	name, rest, named := strings.Cut(value, "=")
	switch {
	case i == 0 && !quoted && isAWSRequestID(value):
		l.marks.aws = true
		e.AddUnmapped(l.extraName(i), value)
	case isAddressList(value) && e.Text[schema.HTTPRequestXForwardedFor] == "":
		e.Text[schema.HTTPRequestXForwardedFor] = value
	case isSeconds(value) && e.Number[schema.Duration] == 0:
		l.marks.seconds = true
		setDuration(e, value, 1000)
	case l.name == apacheName && !quoted && len(l.counts) < 3 && isApacheCount(strings.Trim(value, "*")):
		l.counts = append(l.counts, strings.Trim(value, "*"))
	case named && !quoted && name != "":
		rest = present(strings.Trim(rest, `"`))
		if (name == "rt" || name == "request_time") && isSeconds(rest) {
			setDuration(e, rest, 1000)
		} else {
			e.AddUnmapped(name, rest)
		}
	default:
		e.AddUnmapped(l.extraName(i), value)
	}
}

// extraName is the name of extra field number i: its place in the line, from 1.
func (l *nginxLog) extraName(i int) string {
	for len(l.names) <= i {
		l.names = append(l.names, "field_"+strconv.Itoa(len(l.names)+8))
	}
	return l.names[i]
}

// detectNginx claims a log when at least half of its first lines can be read, unless
// they show that Apache wrote them.
func detectNginx(head []byte) string {
	why, marks := detectAccessLog(head)
	if marks.apache() || marks.aws {
		return ""
	}
	return why
}

// detectAccessLog claims a log of nginx or Apache, and says what tells them apart.
func detectAccessLog(head []byte) (why string, marks apacheMarks) {
	l := newNginxLog(Options{}, nginxName, "", "")
	carried := false // as the messages of syslog
	read, total := detectLines(head, func(line string) bool {
		if carried = carried || isSyslogLine([]byte(line)); carried {
			return false
		}
		l.event.Reset()
		before := l.marks
		if failure, _ := l.read(&l.event, line); failure != nil {
			l.marks = before
			return false
		}
		l.marks.escapes(line)
		return true
	})
	if carried || read == 0 || read*2 < total {
		return "", apacheMarks{}
	}
	return fmt.Sprintf(`%d of the first %d lines read ADDRESS - USER [TIME] "REQUEST" STATUS BYTES`, read, total), l.marks
}
