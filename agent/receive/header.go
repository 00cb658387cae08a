package receive

import (
	"bytes"
	"time"
)

// inner is what stands behind the header of a syslog message (RFC 5424 or RFC 3164), or
// the message itself when it has none.
func inner(message []byte) []byte {
	end := bytes.IndexByte(message[:min(len(message), 5)], '>')
	if end < 2 || message[0] != '<' {
		return message
	}
	rest := message[end+1:]
	if version, more, ok := bytes.Cut(rest, []byte{' '}); ok && len(version) == 1 && version[0]-'1' < 9 {
		if text, ok := behindStructured(more); ok {
			return text
		}
	}
	return behindTag(rest)
}

// behindStructured passes over TIMESTAMP HOST APP PROCID MSGID and the structured data.
func behindStructured(rest []byte) (text []byte, ok bool) {
	for range 5 {
		if _, rest, ok = bytes.Cut(rest, []byte{' '}); !ok {
			return nil, false
		}
	}
	if after, ok := bytes.CutPrefix(rest, []byte{'-'}); ok {
		return behindMark(after), true
	}
	for len(rest) > 0 && rest[0] == '[' {
		quoted := false
		i := 1
		for ; i < len(rest) && (quoted || rest[i] != ']'); i++ {
			switch rest[i] {
			case '\\':
				if quoted {
					i++
				}
			case '"':
				quoted = !quoted
			}
		}
		if i >= len(rest) {
			return nil, false
		}
		rest = rest[i+1:]
	}
	return behindMark(rest), true
}

func behindMark(text []byte) []byte {
	return bytes.TrimPrefix(bytes.TrimPrefix(text, []byte{' '}), []byte("\xEF\xBB\xBF"))
}

// behindTag passes over TIMESTAMP HOST TAG: of the older form. The time may be missing,
// or the host, as with nginx's nohostname; the tag ends with a colon.
func behindTag(rest []byte) []byte {
	const stamp = len(time.Stamp)
	if len(rest) > stamp && rest[stamp] == ' ' {
		if _, err := time.Parse(time.Stamp, string(rest[:stamp])); err == nil {
			rest = rest[stamp+1:]
		}
	}
	text := rest
	for range 3 {
		word, more, ok := bytes.Cut(text, []byte{' '})
		if !ok {
			break
		}
		text = more
		if bytes.HasSuffix(word, []byte{':'}) && !bytes.ContainsAny(word, `{}"'=,`) {
			return more
		}
	}
	return rest
}
