package formats

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	nginxName = "nginx"
	// maxTime is longer than any time in brackets.
	maxTime = 64
	// maxExtras is how many fields behind the number of bytes are told apart.
	maxExtras = 32
)

// nginx is the access log of nginx and Apache in their "combined" form
//
//	$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"
//
// or the "common" form without the last two, with a virtual host in front or more
// fields behind. Sources: the documentation of ngx_http_log_module and of Apache's
// mod_log_config.
var nginx = Format{
	Name:   nginxName,
	Title:  "nginx or Apache access log (combined)",
	Line:   true,
	Detect: detectNginx,
	New: func(o Options) Decoder {
		return &nginxLog{lines: newLines(o.Start), clock: clock{zone: o.Zone}, tenant: o.Tenant}
	},
}

type nginxLog struct {
	lines     lines
	clock     clock
	addresses addresses
	tenant    string
	hasher    schema.UIDHasher
	event     schema.Event
	scratch   []byte
	names     []string
}

// Decode implements Decoder.
func (l *nginxLog) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		line, n, ended := l.lines.cut(data[used:], atEOF, sink)
		if n == 0 {
			break
		}
		if line != nil {
			l.line(line, ended, sink)
		}
		used += l.lines.passLine(n, ended)
	}
	return used
}

func (l *nginxLog) line(raw []byte, ended bool, sink Sink) {
	e := &l.event
	e.Reset()
	raw = bytes.TrimPrefix(raw, byteOrderMark) // files that were joined have it in the middle
	line := unsafe.String(unsafe.SliceData(raw), len(raw))
	failure, at := l.read(e, line)
	if failure != nil {
		reason, detail := failure.reason, failure.detail
		if !ended && at >= len(line) {
			reason, detail = ReasonCut, "the line ends too early: the record was cut off while it was written"
		}
		l.lines.reject(sink, raw, at+1, reason, detail)
		return
	}
	l.hasher.Reset()
	l.hasher.Part(l.tenant)
	l.hasher.Part("access")
	l.hasher.Part(line)
	e.UID = l.hasher.Sum()
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataProductName] = "nginx"
	e.Text[schema.MetadataProductVendorName] = "F5"
	e.Text[schema.MetadataLogName] = "access"
	e.Text[schema.MetadataLogFormat] = nginxName
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	sink.Event(e)
}

// read fills e from a line, or says what is wrong with it and where.
func (l *nginxLog) read(e *schema.Event, line string) (failure *recordFailure, at int) {
	open := -1
	for from := 0; ; {
		next := strings.Index(line[from:], " [")
		if next < 0 {
			break
		}
		from += next + 2
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
		address, ident, user = l.text(ident), second, third
	}
	if address == "" || !ok || strings.ContainsAny(address, `"{}=`) {
		return false
	}
	if first, _, list := strings.Cut(address, ","); list {
		e.Text[schema.HTTPRequestXForwardedFor] = address
		address = first
	}
	setSource(e, &l.addresses, address)
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
	setClass(e)
	return nil, 0
}

// extra takes field number i behind the number of bytes. The first two quoted ones
// are referer and user agent; what follows is told by its look.
func (l *nginxLog) extra(e *schema.Event, i int, value string, quoted bool) {
	name, rest, named := strings.Cut(value, "=")
	switch {
	case value == "":
	case i == 0 && quoted:
		e.Text[schema.HTTPRequestReferrer] = value
	case i == 1 && quoted:
		e.Text[schema.HTTPRequestUserAgent] = value
	case isAddressList(value) && e.Text[schema.HTTPRequestXForwardedFor] == "":
		e.Text[schema.HTTPRequestXForwardedFor] = value
	case isSeconds(value) && e.Number[schema.Duration] == 0:
		setDuration(e, value, 1000)
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

// detectNginx claims a log when at least half of its first lines can be read.
func detectNginx(head []byte) string {
	l := nginxLog{lines: newLines(Position{})}
	read, total := 0, 0
	for len(head) > 0 && total < 20 {
		line, rest, ended := bytes.Cut(head, []byte{'\n'})
		head = rest
		line = bytes.TrimRight(bytes.TrimLeft(line, "\x00"), " \r\t")
		if len(line) == 0 {
			continue
		}
		l.event.Reset()
		failure, _ := l.read(&l.event, unsafe.String(unsafe.SliceData(line), len(line)))
		if failure == nil {
			read++
		} else if !ended && total > 0 {
			break // the head may be cut off in this line
		}
		total++
	}
	if read == 0 || read*2 < total {
		return ""
	}
	return fmt.Sprintf(`%d of the first %d lines read ADDRESS - USER [TIME] "REQUEST" STATUS BYTES`, read, total)
}
