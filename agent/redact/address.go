package redact

import "strings"

// The lengths of the parts of an e-mail address (RFC 5321, 4.5.3.1).
const (
	maxLocal  = 64
	maxDomain = 255
	// minAddress is that of a@b.cd.
	minAddress = 6
)

// findAddresses finds e-mail addresses by their look, in clear and with escapes.
func (p *Privacy) findAddresses(s string, found []exchange) []exchange {
	for i := 0; ; {
		next := strings.IndexByte(s[i:], '@')
		if next < 0 {
			break
		}
		i += next
		found = p.address(s, i, 1, found)
		i++
	}
	for _, escape := range []byte{'%', '\\'} {
		for i := 0; ; {
			next := strings.IndexByte(s[i:], escape)
			if next < 0 {
				break
			}
			i += next
			if c, n := at(s, i, anyDepth); c == '@' {
				found = p.address(s, i, n, found)
			}
			i++
		}
	}
	return found
}

// address looks at one "@", which stands at s[i] and is n bytes long.
func (p *Privacy) address(s string, i, n int, found []exchange) []exchange {
	var buf [maxLocal + 1 + maxDomain]byte
	from, local := localPart(s, i, buf[:maxLocal])
	if len(local) == 0 {
		return found
	}
	to, domain := domainPart(s, i+n, buf[maxLocal+1:maxLocal+1:len(buf)])
	if len(domain) == 0 {
		return found
	}
	buf[maxLocal] = '@'
	value := string(buf[maxLocal-len(local) : maxLocal+1+len(domain)])
	if o := p.person(value); o != nil && !o.stays {
		found = append(found, exchange{from, to, o.pseudonym})
	}
	return found
}

// localPart reads back from s[end], into the end of buf. A "+" may be part of an
// address or a space in a query: one is taken to be part of it.
func localPart(s string, end int, buf []byte) (from int, local []byte) {
	from = end
	free := len(buf)
	for plus := false; free > 0; {
		c, n := before(s, from)
		if c == '\\' && n == 1 {
			if _, ok := unicodeEscape(s, from-1); !ok {
				break
			}
			from--
			continue
		}
		if n == 0 || !inLocal[c] || c == '+' && plus {
			break
		}
		plus = plus || c == '+'
		free--
		buf[free] = c
		from -= n
	}
	for free < len(buf) && !isAlnum(buf[free]) && buf[free] != '_' && buf[free] < 0x80 {
		free++
		_, n := at(s, from, anyDepth)
		from += n
	}
	return from, buf[free:]
}

// inLocal are the characters of the first part of an address, without those that as a
// rule stand around it.
var inLocal = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isAlnum(byte(c)) || c >= 0x80 || strings.IndexByte("._-+'", byte(c)) >= 0
	}
	return set
}()

// domainPart reads on from s[i], into buf: labels with dots between, of which the last
// begins with a letter.
func domainPart(s string, i int, buf []byte) (end int, domain []byte) {
	known, label := 0, 0
	for dots := 0; len(buf) < cap(buf); {
		c, n := at(s, i, anyDepth)
		if n > 0 && (isAlnum(c) || c == '-' || c >= 0x80) {
			buf = append(buf, c)
			i += n
			continue
		}
		if part := buf[label:]; len(part) == 0 {
			break
		} else if dots > 0 && len(part) > 1 && !isDigit(part[0]) && part[0] != '-' {
			known, end = len(buf), i
		}
		if n == 0 || c != '.' {
			break
		}
		dots++
		buf = append(buf, c)
		label = len(buf)
		i += n
	}
	return end, buf[:known]
}
