package formats

import (
	"net/netip"
	"strconv"
	"strings"
)

// syslogHeader is what stands in front of a message. Its strings point into the line.
type syslogHeader struct {
	// pri is facility*8+severity; -1 where the line has none.
	pri int
	// standard says that the message is of RFC 5424.
	standard bool
	// stamped says that there is a time; when is it, in milliseconds since 1970, and
	// wrong why it cannot be known. timeAt is where it stands in the line.
	stamped bool
	when    int64
	wrong   string
	timeAt  int
	// yearless says that the time names no year.
	yearless              bool
	host, app, pid, msgid string
	data, message         string
	messageAt             int
}

// maxTag is the longest name of a program in a line of RFC 3164.
const maxTag = 128

// read reads the header, all but the structured data.
func (h *syslogHeader) read(line string, clock *syslogClock) (failure *recordFailure, at int) {
	*h = syslogHeader{pri: -1}
	rest := line
	if n := leadingCount(rest); n > 0 { // a length that was of no use
		rest = rest[n:]
	}
	if strings.HasPrefix(rest, "<") {
		end := strings.IndexByte(rest[:min(len(rest), 5)], '>')
		pri, err := strconv.Atoi(rest[1:max(end, 1)])
		if err != nil || pri < 0 {
			return &recordFailure{ReasonSyntax, "expected a priority such as <134> at the start of the line"}, len(line) - len(rest) + 1
		}
		h.pri, rest = pri, strings.TrimLeft(rest[end+1:], " ")
	}
	if version, after, ok := strings.Cut(rest, " "); ok && h.pri >= 0 && isVersion(version) && isStandardTime(after) {
		h.standard = true
		return h.readStandard(line, after, clock)
	}
	return h.readTraditional(line, rest, clock)
}

// leadingCount is the length of a number and a space in front of a priority.
func leadingCount(s string) int {
	n := 0
	for n < len(s) && n <= maxCountDigits && s[n]-'0' < 10 {
		n++
	}
	if n > 0 && n+2 < len(s) && s[n] == ' ' && s[n+1] == '<' && s[n+2]-'0' < 10 {
		return n + 1
	}
	return 0
}

func isVersion(s string) bool {
	return len(s) >= 1 && len(s) <= 2 && s[0]-'1' < 9 && s[len(s)-1]-'0' < 10
}

func isStandardTime(s string) bool {
	return strings.HasPrefix(s, "- ") || len(s) > 5 && s[0]-'0' < 10 && s[4] == '-'
}

// readStandard reads what follows the version: TIMESTAMP HOSTNAME APP-NAME PROCID
// MSGID STRUCTURED-DATA [MSG].
func (h *syslogHeader) readStandard(line, rest string, clock *syslogClock) (failure *recordFailure, at int) {
	h.timeAt = len(line) - len(rest)
	var stamp string
	for _, field := range []*string{&stamp, &h.host, &h.app, &h.pid, &h.msgid} {
		rest = strings.TrimLeft(rest, " ")
		token, after, ok := strings.Cut(rest, " ")
		if !ok {
			return &recordFailure{ReasonSyntax, "the header of RFC 5424 ends too early: expected TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA behind the version, with - for what is not known"}, len(line)
		}
		if field != &stamp && !isHeaderWord(token) {
			return &recordFailure{ReasonSyntax, "a word in the header of RFC 5424 is none of HOSTNAME, APP-NAME, PROCID and MSGID: expected these four behind the time, with - for what is not known"}, len(line) - len(rest)
		}
		*field, rest = present(token), after
	}
	if stamp == "" {
		h.wrong = "the message has - for its time: have the sender write one (RFC 5424 TIMESTAMP), or a relay its own (rsyslog: %timegenerated%)"
	} else {
		var ok bool
		h.stamped = true
		if h.when, ok = clock.iso.millis(stamp); !ok {
			h.wrong = "the time cannot be read: expected 2026-03-02T09:12:00.118Z or - behind the version"
		}
	}
	h.data = rest
	return nil, 0
}

// isHeaderWord says whether a word can be one of the header: it is printable ASCII, and
// looks like no piece of a message that got there, which may hold a secret.
func isHeaderWord(word string) bool {
	if len(word) > 255 || strings.ContainsAny(word, "=\"{}") || strings.Contains(word, "://") || strings.Contains(word, "----") {
		return false
	}
	if strings.HasSuffix(word, ":") && !isAddress(word) || len(word) > 12 && isNumber(word) {
		return false
	}
	for i := range len(word) {
		if word[i] < ' ' || word[i] == 0x7F {
			return false
		}
	}
	return true
}

// secretTags are words in front of a colon that name what follows as a secret, and no
// program.
var secretTags = wordSet("authorization proxy-authorization cookie set-cookie password passwd secret token api-key apikey x-api-key api_key bearer basic")

// readTraditional reads what follows the priority: [TIME] [HOST] [TAG[PID]:] TEXT.
func (h *syslogHeader) readTraditional(line, rest string, clock *syslogClock) (failure *recordFailure, at int) {
	h.timeAt = len(line) - len(rest)
	after, failure := h.stamp(rest, clock)
	if failure != nil {
		return failure, h.timeAt
	}
	if !h.stamped && h.pri < 0 {
		return &recordFailure{ReasonSyntax, "expected a syslog line: <PRI>1 TIMESTAMP HOSTNAME APP-NAME ..., <PRI>Mmm dd hh:mm:ss HOST TAG: ..., or the same without <PRI>"}, 0
	}
	if !h.stamped {
		h.wrong = "the line has no time: have the sender or a relay write one (RFC 5424)"
	}
	rest = strings.TrimLeft(after, " ")
	if token, more, _ := strings.Cut(rest, " "); h.stamped && isSyslogHost(token) && !isCarried(rest) && !h.tag(rest) && !isRepeated(rest) {
		h.host, rest = strings.TrimSuffix(strings.TrimPrefix(token, "["), "]"), strings.TrimLeft(more, " ")
		rest = strings.TrimPrefix(rest, ": ") // Cisco's devices
	}
	if !isCarried(rest) && h.tag(rest) {
		rest = strings.TrimLeft(rest[h.tagLength(rest):], " ")
	} else {
		h.app, h.pid = "", ""
	}
	if rest == "" && h.app == "" {
		return &recordFailure{ReasonSyntax, "nothing follows the header: the message was cut off, or its length is wrong"}, len(line)
	}
	h.message, h.messageAt = strings.TrimPrefix(rest, string(byteOrderMark)), len(line)-len(rest)
	return nil, 0
}

// isCarried says whether s begins with a record of a format that is known by its
// first characters, so that they name no host or program.
func isCarried(s string) bool {
	return isCEF(s) || isLEEF(s) || len(s) > 0 && (s[0] == '{' || s[0] == '"')
}

// isSyslogHost says whether a word can be a host's name or address.
func isSyslogHost(word string) bool {
	if word == "" || len(word) > 255 {
		return false
	}
	for i := range len(word) {
		if c := word[i]; c-'0' >= 10 && c|0x20-'a' >= 26 && strings.IndexByte(".-_:[]%/", c) < 0 && c < 0x80 {
			return false
		}
	}
	return word[0] != '[' || strings.HasSuffix(word, "]")
}

// tag reads TAG: or TAG[PID]: at the start of s.
func (h *syslogHeader) tag(s string) bool {
	end := 0
	for end < len(s) && end <= maxTag && s[end] != ':' && s[end] != '[' && s[end] > ' ' && strings.IndexByte(`"={}<>|,;`, s[end]) < 0 {
		end++
	}
	if end == 0 || end > maxTag || end == len(s) || s[end] != ':' && s[end] != '[' {
		return false
	}
	h.app, h.pid = s[:end], ""
	next := end + 1
	if s[end] == '[' {
		closed := strings.IndexByte(s[end:min(len(s), end+maxTag)], ']')
		if closed < 2 || strings.ContainsAny(s[end:end+closed], " =\"") {
			return false
		}
		h.pid = s[end+1 : end+closed]
		if next = end + closed + 1; next == len(s) || s[next] != ':' {
			return next < len(s) && s[next] == ' '
		}
		next++
	} else if word, _, _ := strings.Cut(s, " "); isAddress(word) || secretTags[strings.ToLower(h.app)] { // an IPv6 address is a host
		return false
	}
	return next == len(s) || s[next] == ' ' || s[end] == '['
}

// tagLength is how long the tag is that tag has read.
func (h *syslogHeader) tagLength(s string) int {
	n := len(h.app)
	if h.pid != "" {
		n += len(h.pid) + 2
	}
	if n < len(s) && s[n] == ':' {
		n++
	}
	return n
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// time is the header's time; 0 when there is none that can be read.
func (h *syslogHeader) time() int64 {
	if h.wrong != "" {
		return 0
	}
	return h.when
}

// syslogFacilities and syslogSeverities are the names of RFC 5424, 6.2.1.
var (
	syslogFacilities = [24]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "security", "console", "solaris-cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	syslogSeverities = [8]string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}
)

// facility is the name of the facility, or its number where RFC 5424 has none.
func (h *syslogHeader) facility() string {
	if n := h.pri >> 3; n < len(syslogFacilities) {
		return syslogFacilities[n]
	}
	return strconv.Itoa(h.pri >> 3)
}

func (h *syslogHeader) severityName() string { return syslogSeverities[h.pri&7] }
