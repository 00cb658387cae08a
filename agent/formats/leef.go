package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const leefName = "leef"

// leef is the Log Event Extended Format, version 1.0 or 2.0, one event a line:
//
//	LEEF:1.0|VENDOR|PRODUCT|VERSION|EVENT ID|NAME=VALUE<tab>NAME=VALUE...
//	LEEF:2.0|VENDOR|PRODUCT|VERSION|EVENT ID|DELIMITER|NAME=VALUE...
//
// Events with a syslog header in front are read by the format syslog. Source: IBM's
// and Juniper's description of LEEF.
var leef = Format{
	Name:   leefName,
	Title:  "Log Event Extended Format (LEEF)",
	Line:   true,
	Detect: func(head []byte) string { return detectCarried(head, isLEEF, "LEEF:VERSION|VENDOR|PRODUCT|...") },
	New: func(o Options) Decoder {
		r := newLEEFReader(o)
		return &carriedLines{lines: newLines(o.Start), format: leefName, tenant: o.Tenant, clock: &r.clock,
			read: func(e *schema.Event, line string) (*recordFailure, int) { return r.read(e, line, 0) }}
	},
}

// isLEEF says whether s begins as LEEF does.
func isLEEF(s string) bool {
	rest, found := strings.CutPrefix(s, "LEEF:")
	rest = strings.TrimLeft(rest, " ")
	return found && rest != "" && rest[0]-'0' < 10
}

// leefReader makes events of LEEF.
type leefReader struct {
	clock   syslogClock
	record  genericRecord
	pairs   []pair
	layouts memo[string]
}

func newLEEFReader(o Options) leefReader {
	return leefReader{clock: newSyslogClock(o), record: newGenericRecord(leefName, leefName, o)}
}

// leefHeaderFields is how many fields stand in front of the attributes, or of their
// delimiter.
const leefHeaderFields = 5

// read fills the empty event e from s. when is the time around it, for events that
// have none of their own; 0 means that there is none.
func (r *leefReader) read(e *schema.Event, s string, when int64) (failure *recordFailure, at int) {
	if !isLEEF(s) {
		return notCarried(s, "LEEF:")
	}
	var head [leefHeaderFields]string
	rest := s
	for i := range head {
		end := fieldEnd(rest)
		if end < 0 {
			if i < leefHeaderFields-1 {
				return &recordFailure{ReasonColumnCount, "a LEEF header has five fields with | behind each: LEEF:VERSION|VENDOR|PRODUCT|VERSION|EVENT ID|, and in version 2.0 the delimiter as a sixth"}, len(s)
			}
			end = len(rest)
		}
		head[i] = strings.TrimSpace(rest[:end])
		if strings.IndexByte(head[i], '\\') >= 0 {
			head[i] = unescapeBefore(head[i], `\|`)
		}
		rest = rest[min(end+1, len(rest)):]
	}
	delimiter := "\t"
	if strings.HasPrefix(strings.TrimLeft(head[0][len("LEEF:"):], " "), "2") {
		if named, after, found := strings.Cut(rest, "|"); found {
			switch d, ok := leefDelimiter(named); {
			case ok:
				delimiter, rest = d, after
			case strings.IndexByte(named, '=') < 0:
				return &recordFailure{ReasonSyntax, "the delimiter of LEEF 2.0 cannot be used: it is one character, or x and the character's number in hexadecimal digits, as x5E"}, len(s) - len(rest)
			}
		}
	}
	r.pairs = leefPairs(r.pairs[:0], rest, delimiter)
	r.record.begin(e)
	r.record.vendor, r.record.product, r.record.log = head[1], head[2], leefName
	return r.finish(e, &head, when), len(s) - len(rest)
}

// leefDelimiter reads the delimiter's field of version 2.0: a character, its number in
// hexadecimal digits behind x or 0x, or a name of the tab. Nothing is a tab.
func leefDelimiter(field string) (delimiter string, ok bool) {
	lower := strings.ToLower(strings.TrimSpace(field))
	switch lower {
	case "":
		if len(field) == 1 { // a space, or a tab as it stands
			return field, true
		}
		return "\t", true
	case "tab", `\t`, "<tab>", "<009>", "#011":
		return "\t", true
	}
	if runes := []rune(field[:min(len(field), 8)]); len(runes) == 1 {
		return field, true
	}
	hex := strings.TrimPrefix(strings.TrimPrefix(lower, `\`), "0")
	hex, found := strings.CutPrefix(hex, "x")
	if !found || hex == "" || len(hex) > 4 {
		return "", false
	}
	code := rune(0)
	for i := range len(hex) {
		digit := hexDigit(hex[i])
		if digit > 15 {
			return "", false
		}
		code = code<<4 | rune(digit)
	}
	return string(code), code != 0
}

// leefPairs cuts the attributes at their delimiter. What has no name belongs to the
// value before it, whose delimiter it was not. Producers and relays also write a tab
// as \t, <009> or #011, or put spaces between the attributes.
func leefPairs(pairs []pair, s, delimiter string) []pair {
	if delimiter == "\t" && strings.IndexByte(s, '\t') < 0 {
		for _, written := range []string{`\t`, "<009>", "#011", "<tab>"} {
			if isLEEFDelimiter(s, written) {
				delimiter = written
				break
			}
		}
		if delimiter == "\t" && strings.Count(s, "=") > 1 {
			return cefPairs(pairs, s)
		}
	}
	from := -1 // where the present value begins
	for at := 0; at < len(s); {
		end := strings.Index(s[at:], delimiter)
		next := len(s)
		if end >= 0 {
			end, next = at+end, at+end+len(delimiter)
		} else {
			end = len(s)
		}
		equals := strings.IndexByte(s[at:end], '=')
		if name := strings.TrimSpace(s[at : at+max(equals, 0)]); name != "" && isCEFName(name) && len(pairs) < maxPairs {
			from = at + equals + 1
			pairs = append(pairs, pair{name, strings.TrimSpace(s[from:end])})
		} else if from >= 0 {
			pairs[len(pairs)-1].value = strings.TrimSpace(s[from:end])
		}
		at = next
	}
	return pairs
}

// isLEEFDelimiter says whether what is written for a tab stands in front of a name.
func isLEEFDelimiter(s, written string) bool {
	_, after, found := strings.Cut(s, written)
	if !found {
		return false
	}
	name, _, named := strings.Cut(after, "=")
	return named && isCEFName(name)
}
