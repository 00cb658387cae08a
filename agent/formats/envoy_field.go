package formats

import (
	"strconv"
	"strings"
)

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

// value is field number i, and "" where it is a dash.
func (l *envoyLog) value(i int) string { return validText(present(l.fields[i].value)) }

// name is the name of field number i behind the time: its place in the line, from 1.
func (l *envoyLog) name(i int) string {
	for len(l.names) <= i {
		l.names = append(l.names, "field_"+strconv.Itoa(len(l.names)+2))
	}
	return l.names[i]
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
