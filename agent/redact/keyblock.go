package redact

import "strings"

// keyBlock finds a private key whose BEGIN line is at s[from:to] or goes on behind
// it, up to its END line or the end of the text, and returns its end; 0 when there
// is none. A BEGIN line without a key behind it, as in a search for one, is none.
func (r *Redactor) keyBlock(s string, from, to int) (end int) {
	const begin, last, dashes = "-----BEGIN", "-----END", "-----"
	for {
		start := strings.Index(s[from:to], begin)
		if start < 0 {
			return 0
		}
		start += from
		body := strings.Index(s[start+len(begin):], dashes)
		if body < 0 || start+body > to {
			return 0
		}
		body += start + len(begin) + len(dashes)
		if !hasKey(s, body) {
			if from = body - len(dashes); from >= to {
				return 0
			}
			continue
		}
		end = len(s)
		if at := strings.Index(s[body:], last); at >= 0 {
			end = body + at + len(last)
			if at = strings.Index(s[end:min(len(s), end+maxName)], dashes); at >= 0 {
				end += at + len(dashes)
			}
		}
		r.found(s, start, end, KindPrivateKey)
		return end
	}
}

// hasKey says whether base64, or the header of an encrypted key, stands at s[i]
// behind line ends and quotes.
func hasKey(s string, i int) bool {
	for range 2 * maxGap {
		c, n := at(s, i, anyDepth)
		if !isSpace(c) && !isQuote(c) && c != '+' && c != '\\' && c != ',' {
			break
		}
		i += n
	}
	if strings.HasPrefix(s[i:], "Proc-Type") {
		return true
	}
	for range minRun {
		c, n := at(s, i, anyDepth)
		if !isBase64(c) {
			return false
		}
		i += n
	}
	return true
}
