package redact

import "strings"

// minRun is the length of the shortest run of letters, digits, "_" and "-" that can
// be a secret without a name.
const minRun = 12

var inRun = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isAlnum(byte(c)) || c == '_' || c == '-'
	}
	return set
}()

// findTokens finds secrets that are known by their look. Every one has a run of at
// least minRun letters and digits, so it is enough to look at every minRun-th byte.
func (r *Redactor) findTokens(s string) {
	for i := 0; i+minRun <= len(s); {
		if !inRun[s[i+minRun-1]] {
			i += minRun
			continue
		}
		from, to := i+minRun-1, i+minRun
		for from > i && inRun[s[from-1]] {
			from--
		}
		for to < len(s) && inRun[s[to]] {
			to++
		}
		i = to
		if to-from >= minRun {
			i = max(i, r.run(s, from, to))
		}
		i++
	}
}

// run looks at one run, s[from:to], and returns the place up to which all is known.
func (r *Redactor) run(s string, from, to int) int {
	if from > 0 {
		from = afterEscape(s, from, to)
		if end := r.afterWord(s, from, to); end > 0 {
			return end
		}
	}
	for i := from; i < to-2; i++ {
		if !beginsToken[s[i]] || !secondOfToken[s[i+1]] || !thirdOfToken[s[i+2]] {
			continue
		}
		if kind, end := token(s, from, i, to); end > 0 {
			r.found(s, i, end, kind)
			if kind == KindCloudKey {
				r.cloudSecret(s, i, end)
			}
			return end
		}
	}
	if length := ibanLength(s[from:to]); length > 0 && to-from == length && isIBAN(s[from:to]) {
		r.found(s, from, to, KindIBAN)
		return to
	}
	if len(s) >= minOpaque {
		r.opaque(s, from, to)
	}
	return to
}

// beginsToken, secondOfToken and thirdOfToken are the first three characters of what
// token knows.
var beginsToken, secondOfToken, thirdOfToken = func() (first, second, third [256]bool) {
	known := []string{"eyJ", "AKIA", "ASIA", "AIza", "00D", "5Aep"}
	for _, prefix := range tokenPrefixes {
		known = append(known, prefix.text)
	}
	for _, text := range known {
		first[text[0]], second[text[1]], third[text[2]] = true, true, true
	}
	return first, second, third
}()

// afterEscape passes over the digits of an escape that the run seems to begin with:
// %20, %2520, \x20, \u0020, \n.
func afterEscape(s string, from, to int) int {
	n := 0
	switch s[from-1] {
	case '%', '\\':
		_, n = at(s, from-1, anyDepth)
		n--
	}
	return min(from+max(n, 0), to)
}

// afterWord finds a credential behind "Bearer", "Basic" and the like, or behind the
// first part of a token that has a dot in it.
func (r *Redactor) afterWord(s string, from, to int) (end int) {
	switch s[from-1] {
	case '/':
		if to-from >= minWebhook && isWebhook(s[:from]) {
			r.found(s, from, to, KindToken)
			return to
		}
		return 0
	case '=', '"', '&', ',', ';', '?', '(', '[':
		return 0
	}
	c, n := before(s, from)
	switch {
	case c == '.' && strings.HasSuffix(s[:from], "ya29."), c == '.' && strings.HasSuffix(s[:from], "SG."):
		end = (&namedField{s: s, encoded: true, depth: 1}).end(to)
		r.found(s, from, end, KindToken)
		return end
	case !isSpace(c) && c != '+':
		return 0
	}
	i := from
	for range maxGap {
		c, m := before(s, i)
		if m == 0 || !isSpace(c) && c != '+' {
			break
		}
		i -= m
	}
	word := i
	for word > 0 && i-word < 8 && isLetter(s[word-1]) {
		word--
	}
	if !isScheme(s[word:i]) {
		return 0
	}
	end = (&namedField{s: s, mark: ':', encoded: n > 1, depth: n / 2}).end(from)
	if !looksRandom(s[from:end]) {
		return 0
	}
	r.found(s, from, end, KindToken)
	return end
}

// minWebhook is less than the length of the secret part of a Slack webhook's URL.
const minWebhook = 20

// isWebhook says whether s ends with the public part of a Slack webhook's URL.
func isWebhook(s string) bool {
	if len(s) > 64 {
		s = s[len(s)-64:]
	}
	at := strings.Index(s, "/services/T")
	return at >= 0 && strings.Count(s[at:], "/") == 4
}

// token finds the end of the token that begins at s[i], in the run s[from:to]; 0
// when none begins there.
func token(s string, from, i, to int) (kind Kind, end int) {
	rest := s[i:to]
	switch rest[0] {
	case 'e':
		return jsonWebToken(s, from, i, to)
	case 'A':
		switch {
		case strings.HasPrefix(rest, "AKIA"), strings.HasPrefix(rest, "ASIA"):
			n := 4
			for n < len(rest) && (isUpper(rest[n]) || isDigit(rest[n])) {
				n++
			}
			if n >= 20 {
				return KindCloudKey, i + n
			}
		case strings.HasPrefix(rest, "AIza") && len(rest) >= 39:
			return KindAPIKey, to
		}
	case '0':
		return sessionID(s, i, to)
	case '5':
		if strings.HasPrefix(rest, "5Aep") {
			end = to
			for end < len(s) && (inRun[s[end]] || s[end] == '.') {
				end++
			}
			if end-i >= 40 {
				return KindToken, end
			}
		}
	default:
		for _, prefix := range tokenPrefixes {
			if rest[0] == prefix.text[0] && strings.HasPrefix(rest, prefix.text) && len(rest) >= len(prefix.text)+prefix.more {
				return KindToken, to
			}
		}
	}
	return noKind, 0
}

// tokenPrefixes are how tokens of well-known products begin, and how many more
// characters they have at least.
var tokenPrefixes = []struct {
	text string
	more int
}{
	{"xoxa-", 10}, {"xoxb-", 10}, {"xoxe-", 10}, {"xoxp-", 10}, {"xoxr-", 10}, {"xoxs-", 10}, {"xoxc-", 10}, {"xoxd-", 10}, {"xapp-", 10},
	{"ghp_", 20}, {"gho_", 20}, {"ghu_", 20}, {"ghs_", 20}, {"ghr_", 20}, {"github_pat_", 20}, {"glpat-", 16},
	{"sk_live_", 10}, {"sk_test_", 10}, {"rk_live_", 10}, {"rk_test_", 10}, {"whsec_", 16}, {"shpat_", 16},
	{"pat-na1-", 20}, {"pat-na2-", 20}, {"pat-eu1-", 20}, {"pat-ap1-", 20}, {"npm_", 30},
}

// jsonWebToken finds a JWT: eyJ, then parts with dots between; or, where a token was
// cut off, a first part alone.
func jsonWebToken(s string, from, i, to int) (Kind, int) {
	if !strings.HasPrefix(s[i:to], "eyJ") || to-i < minRun {
		return noKind, 0
	}
	end := to
	for end < len(s) && (inRun[s[end]] || s[end] == '.') {
		end++
	}
	if end > to+4 || i == from && to-i >= 20 {
		return KindJWT, end
	}
	return noKind, 0
}

// sessionID finds a Salesforce session id or access token: the organisation's id,
// "!", and about a hundred more characters.
func sessionID(s string, i, to int) (Kind, int) {
	if to-i != 15 && to-i != 18 || !strings.HasPrefix(s[i:to], "00D") {
		return noKind, 0
	}
	c, n := at(s, to, anyDepth)
	if c != '!' {
		return noKind, 0
	}
	end := to + n
	for end < len(s) && (inRun[s[end]] || s[end] == '.') {
		end++
	}
	if end-to-n < 20 {
		return noKind, 0
	}
	return KindSession, end
}
