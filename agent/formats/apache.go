package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const apacheName = "apache"

// apache is the access log of the Apache HTTP Server: common, combined, combinedio,
// vhost_combined, with the time taken behind. Most of its lines are the same bytes as
// nginx's, so files are recognised only where a line shows who wrote it. Source: the
// documentation of mod_log_config and mod_logio.
var apache = Format{
	Name:   apacheName,
	Title:  "Apache HTTP Server access log (common, combined)",
	Line:   true,
	Detect: detectApache,
	New: func(o Options) Decoder {
		return newNginxLog(o, apacheName, "Apache HTTP Server", "Apache")
	},
}

// apacheMarks is what lines hold that only Apache or only nginx writes.
type apacheMarks struct {
	// escaped: \" or \x1b, where nginx has \x22 and \x1B; hex is the opposite.
	escaped, hex bool
	// dash: a dash for no bytes, where nginx has 0.
	dash bool
	// vhost: a host with its port stands before the address.
	vhost bool
	// seconds: a time such as 0.815, of which Apache has only whole units.
	seconds bool
	// aws: a request's id as API Gateway writes it behind the bytes.
	aws bool
}

// apache says whether the marks speak for Apache, and none for nginx.
func (m apacheMarks) apache() bool {
	return (m.escaped || m.dash || m.vhost) && !m.hex && !m.seconds && !m.aws
}

// escapes looks at how a line writes quotes, backslashes and other bytes.
func (m *apacheMarks) escapes(line string) {
	for i := strings.IndexByte(line, '\\'); i >= 0 && i+1 < len(line); {
		next := line[i+1]
		switch b, ok := hexByte(line[min(i+2, len(line)):]); {
		case next == '"' || next == '\\' || apacheEscape(next) != 0:
			m.escaped = true
		case next != 'x' || !ok:
		case b == '"' || b == '\\' || strings.ContainsAny(line[i+2:i+4], "ABCDEF"):
			m.hex = true
		case strings.ContainsAny(line[i+2:i+4], "abcdef"):
			m.escaped = true
		}
		more := strings.IndexByte(line[i+2:], '\\')
		if more < 0 {
			break
		}
		i += 2 + more
	}
}

// apacheEscape is the character that Apache writes as a backslash and c; 0 for none,
// and for control characters, which stay escaped.
func apacheEscape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	}
	return 0
}

// isApacheCount says whether s is a whole number, or two of them as in %T/%D.
func isApacheCount(s string) bool {
	first, second, two := strings.Cut(s, "/")
	return isDigits(first) && (!two || isDigits(second))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != "" && len(s) < 20
}

// leastRequest is the length in bytes of the shortest request, "GET / HTTP/1.0" and
// an empty line.
const leastRequest = 18

// setApacheCounts tells apart the whole numbers that stand behind the user agent.
// Two of which one is the other in millionths are %T and %D; two of which the second
// is no less than the body are %I and %O of combinedio, and %D may follow; any other
// first one is %D, the time taken in microseconds. %T alone, in seconds, would be the
// same bytes: it is read as microseconds, which makes the duration too short and never
// too long.
func setApacheCounts(e *schema.Event, counts []string, size string) {
	if len(counts) == 0 {
		return
	}
	taken := func(microseconds uint64) { e.Number[schema.Duration] = (microseconds + 500) / 1000 }
	first, second, pair := strings.Cut(counts[0], "/")
	rest := counts[1:]
	if !pair && len(rest) > 0 && isDigits(rest[0]) {
		second, pair, rest = rest[0], true, rest[1:]
	}
	a, b := apacheNumber(first), apacheNumber(second)
	switch {
	case !pair:
		taken(a)
	case a == b/1e6:
		taken(b)
	case b == a/1e6:
		taken(a)
	case a >= leastRequest && b >= apacheNumber(size):
		e.Number[schema.TrafficBytesOut], e.Number[schema.TrafficBytesIn] = a, b
		if len(rest) > 0 && isDigits(rest[0]) {
			taken(apacheNumber(rest[0]))
			rest = rest[1:]
		}
	default:
		taken(a)
		e.AddUnmapped("number_2", second)
	}
	for _, number := range rest {
		e.AddUnmapped("number", number)
	}
}

// apacheNumber is the value of a string of digits; 0 for anything else.
func apacheNumber(s string) (n uint64) {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n
}

// detectApache claims an access log of which a line shows that Apache wrote it.
func detectApache(head []byte) string {
	why, marks := detectAccessLog(head)
	switch {
	case why == "" || !marks.apache():
		return ""
	case marks.vhost:
		return why + ", with Apache's HOST:PORT in front"
	case marks.escaped:
		return why + `, with escapes as Apache writes them (\")`
	}
	return why + ", with Apache's dash for no bytes"
}
