package redact

import (
	"strings"

	"github.com/zeebo/xxh3"
)

// maxName is the length of the longest name that is looked at.
const maxName = 64

// secretSuffixes are how the names of secrets end, in lower case and without
// separators.
var secretSuffixes = []struct {
	suffix string
	kind   Kind
}{
	{"password", KindPassword}, {"passwd", KindPassword}, {"pwd", KindPassword}, {"passphrase", KindPassword}, {"passcode", KindPassword},
	{"secret", KindSecret}, {"credentials", KindSecret}, {"credential", KindSecret}, {"codeverifier", KindSecret},
	{"token", KindToken}, {"jwt", KindJWT},
	{"apikey", KindAPIKey}, {"accesskey", KindAPIKey}, {"secretkey", KindAPIKey}, {"accountkey", KindAPIKey}, {"sharedkey", KindAPIKey},
	{"signingkey", KindAPIKey}, {"encryptionkey", KindAPIKey}, {"masterkey", KindAPIKey}, {"authkey", KindAPIKey},
	{"privatekey", KindPrivateKey},
	{"sessionid", KindSession}, {"sessionkey", KindSession}, {"loginkey", KindSession}, {"sessid", KindSession},
	{"authorization", KindAuthorization},
	{"cookie", KindCookie},
	{"assertion", KindAssertion}, {"samlresponse", KindAssertion},
	{"signature", KindSecret},
	{"authcode", KindCode}, {"authorizationcode", KindCode}, {"otp", KindCode},
}

// secretNames are names that hold a secret only when they are the whole name.
var secretNames = map[string]Kind{
	"sid": KindSession, "connectsid": KindSession, "session": KindSession,
	"pass": KindPassword, "dbpass": KindPassword, "userpass": KindPassword,
	"code": KindCode, "sig": KindSecret, "key": KindAPIKey, "auth": KindAuthorization, "xauth": KindAuthorization,
}

// harmlessNames end as secrets do and only page through results.
var harmlessNames = map[string]bool{
	"nextpagetoken": true, "pagetoken": true, "continuationtoken": true, "skiptoken": true, "deltatoken": true, "synctoken": true,
}

// nameEnds are the last two letters of the names of secrets. Most names end in
// others, and need no closer look.
var nameEnds = func() (set [1 << 10]bool) {
	for _, s := range secretSuffixes {
		set[pair(s.suffix[len(s.suffix)-2], s.suffix[len(s.suffix)-1])] = true
	}
	for name := range secretNames {
		set[pair(name[len(name)-2], name[len(name)-1])] = true
	}
	set[pair('_', 'c')] = true // a custom field ends in __c
	return set
}()

// pair is the place of two letters, in either case, in nameEnds; that of other
// characters is that of some letters too.
func pair(a, b byte) int { return int(a&31)<<5 | int(b&31) }

// knownNames is how many names are remembered; a power of two.
const knownNames = 512

// knownName is what was found out about a name.
type knownName struct {
	name string
	kind Kind
	weak bool
}

// kindOfName says which secret a field of this name holds. weak means that the name
// alone does not tell, so the value has to look like a secret too.
func (r *Redactor) kindOfName(name string) (kind Kind, weak bool) {
	n := len(name)
	for n > 0 && isDigit(name[n-1]) { // password2
		n--
	}
	name = name[:n]
	if n < 2 || !nameEnds[pair(name[n-2], name[n-1])] {
		return noKind, false
	}
	if len(name) > 2*maxName {
		name = name[len(name)-2*maxName:]
	}
	known := &r.names[xxh3.HashString(name)%knownNames]
	if known.name != name {
		known.kind, known.weak = judgeName(name)
		known.name = strings.Clone(name)
	}
	return known.kind, known.weak
}

func judgeName(name string) (kind Kind, weak bool) {
	if n := len(name); n > 3 && (name[n-3:] == "__c" || name[n-3:] == "__C") {
		name = name[:n-3] // a custom field
	}
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	if name == "" {
		return noKind, false
	}
	var all, last [maxName]byte
	n, m := 0, 0
	for i := range len(name) {
		switch c := name[i]; {
		case isLetter(c):
			all[n], last[m] = c|0x20, c|0x20
			n, m = n+1, m+1
		case isDigit(c):
			all[n], last[m] = c, c
			n, m = n+1, m+1
		case c == '.':
			m = 0
		}
	}
	if harmlessNames[string(all[:n])] || harmlessNames[string(last[:m])] {
		return noKind, false
	}
	if kind, ok := secretNames[string(last[:m])]; ok {
		return kind, kind == KindCode || kind == KindAPIKey || kind == KindAuthorization || string(last[:m]) == "session"
	}
	squeezed := string(all[:n])
	for _, s := range secretSuffixes {
		if strings.HasSuffix(squeezed, s.suffix) {
			return s.kind, false
		}
	}
	return noKind, false
}
