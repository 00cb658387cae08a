package formats

import (
	"errors"
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// syslogText makes events of messages that are no record of another format: what a
// person reads, with fields among the words (NAME=VALUE), as a JSON object, or in the
// structured data.
type syslogText struct {
	record    genericRecord
	addresses addresses
	objects   jsonObjects
	// secrets are the places in the text of values that are credentials.
	secrets [][2]int
	scratch []byte
}

// read fills in the event, or says why that cannot be done.
func (t *syslogText) read(e *schema.Event, h *syslogHeader, pairs []pair) *recordFailure {
	text, count := cutRepeats(h.message)
	login, isLogin := readLogin(h.app, text)
	r := &t.record
	r.begin(e)
	for _, p := range pairs {
		if strings.IndexByte(p.name, '.') >= 0 { // of the sender
			e.AddUnmapped(p.name, p.value)
		} else {
			r.pair(p.name, p.value)
		}
	}
	whole, cut := text, false
	isObject := !isLogin && strings.HasPrefix(text, "{")
	if isObject {
		isObject, cut = t.object(text)
	}
	switch {
	case isLogin:
		whole = login.text
	case isObject:
		whole = ""
	default:
		if !t.pairs(text) { // a field behind other text is not the message
			r.values[genericMessage] = ""
		}
		whole = t.withoutSecrets(text)
	}
	if r.values[genericMessage] == "" {
		r.values[genericMessage] = whole
	}
	if failure := t.time(e, h); failure != nil {
		return failure
	}
	if h.app != "" {
		r.product = h.app
	} else {
		r.product = syslogName
	}
	t.level(h, text)
	if !isLogin {
		t.sentence(text)
	}
	if r.values[genericEvent] == "" && (r.values[genericUserName] != "" || r.values[genericSource] != "") {
		r.values[genericEvent] = h.msgid
	}
	if failure := r.end(); failure != nil {
		return failure
	}
	t.header(e, h)
	e.AddUnmapped("count", count)
	if cut {
		e.Number[schema.IsTruncated] = 1
	}
	if isLogin {
		login.fill(e, &t.addresses)
	}
	if e.Number[schema.ClassUID] == schema.ClassAuthentication {
		loginUsers(e)
		if e.Number[schema.StatusID] == schema.StatusUnknown {
			e.Number[schema.StatusID] = outcomeOf(text)
		}
		if e.Number[schema.StatusID] == schema.StatusFailure {
			e.Number[schema.SeverityID] = max(e.Number[schema.SeverityID], uint64(schema.SeverityLow))
		}
		if e.Text[schema.DstEndpointHostname] == "" {
			e.Text[schema.DstEndpointHostname] = h.host
		}
		if e.Text[schema.APIServiceName] == "" {
			e.Text[schema.APIServiceName] = h.app
		}
	} else if e.Text[schema.ActorAppName] == "" {
		e.Text[schema.ActorAppName] = h.app
	}
	return nil
}

// level gives the record the severity of the header, or of the text's first word,
// where no field names one.
func (t *syslogText) level(h *syslogHeader, text string) {
	level := &t.record.values[genericLevel]
	switch {
	case *level != "":
	case h.pri >= 0:
		*level = "01234567"[h.pri&7 : h.pri&7+1]
	default:
		*level = levelWord(text)
	}
}

// time takes the time of the message itself before that of the header.
func (t *syslogText) time(e *schema.Event, h *syslogHeader) *recordFailure {
	r := &t.record
	if r.values[genericTime] != "" {
		if ms, wrong := r.millis(r.values[genericTime]); wrong == "" {
			e.Time = ms
			r.values[genericTime] = ""
			return nil
		}
	}
	if e.Time = h.time(); e.Time == 0 && h.wrong != "" {
		for _, field := range [...]genericField{genericTime, genericTime2, genericDate} {
			if r.values[field] != "" {
				return nil // end looks at it
			}
		}
		return &recordFailure{ReasonTime, h.wrong}
	}
	return nil
}

// header keeps what the header says.
func (t *syslogText) header(e *schema.Event, h *syslogHeader) {
	e.Text[schema.MetadataLogFormat] = syslogName
	if e.Text[schema.MetadataEventCode] == "" {
		e.Text[schema.MetadataEventCode] = h.msgid
	} else if e.Text[schema.MetadataEventCode] != h.msgid {
		e.AddUnmapped("syslog.msgid", h.msgid)
	}
	e.AddUnmapped("syslog.hostname", h.host)
	e.AddUnmapped("syslog.procid", h.pid)
	if h.pri >= 0 {
		e.AddUnmapped("syslog.facility", h.facility())
		e.AddUnmapped("syslog.severity", h.severityName())
	}
}

// sentence looks in a text about a login for who logs in and from where: "for user
// alice from 203.0.113.7".
func (t *syslogText) sentence(text string) {
	r := &t.record
	if !maySignIn(text) {
		return
	}
	if login, logoff := signsIn(crmWords(text), false); !login && !logoff {
		return
	}
	if at := strings.LastIndex(text, " from "); at >= 0 && r.values[genericSource] == "" {
		word, _, _ := strings.Cut(text[at+len(" from "):], " ")
		if word = strings.Trim(word, ".,;:()'\""); parseAddress(word).ip != "" {
			r.values[genericSource] = word
		}
	}
	if r.values[genericUserName] != "" {
		return
	}
	for _, lead := range []string{"user = ", "user ", "User ", "account ", "for "} {
		at := strings.Index(text, lead)
		if at < 0 || at > 0 && text[at-1] != ' ' && text[at-1] != '(' {
			continue
		}
		word, _, _ := strings.Cut(text[at+len(lead):], " ")
		if word = strings.Trim(word, ".,;:()[]'\"<>"); word != "" && !isSentenceWord(word) {
			r.values[genericUserName] = word
			return
		}
	}
}

// isSentenceWord says whether a word behind "user" or "for" is no name.
func isSentenceWord(word string) bool {
	switch strings.ToLower(word) {
	case "a", "an", "the", "is", "was", "has", "had", "not", "logged", "login", "logon", "account", "user", "agent", "name", "authentication", "authenticated",
		"failed", "successfully", "from", "to", "in", "on", "with", "and", "of", "this", "all", "signed", "session", "client", "by":
		return true
	}
	return isAddress(word)
}

// cutRepeats takes "message repeated N times: [ TEXT]", as rsyslog writes it, apart.
func cutRepeats(s string) (text, count string) {
	rest, found := strings.CutPrefix(s, "message repeated ")
	if !found {
		if rest, found = strings.CutPrefix(s, "last message repeated "); found {
			if n := leadingDigits([]byte(rest[:min(len(rest), maxCountDigits)]), maxCountDigits); n > 0 {
				return s, rest[:n]
			}
		}
		return s, ""
	}
	count, rest, found = strings.Cut(rest, " times: [")
	if !found || !isNumber(count) || len(count) > maxCountDigits {
		return s, ""
	}
	return strings.TrimSpace(strings.TrimSuffix(rest, "]")), count
}

// isRepeated says whether s is what syslogd writes in place of repeated messages.
func isRepeated(s string) bool { return strings.HasPrefix(s, "last message repeated ") }

// levelWord is the level with which a text begins, such as "error: " or "[WARN] ", or
// "".
func levelWord(text string) string {
	word := strings.TrimPrefix(text[:min(len(text), 16)], "[")
	end := strings.IndexAny(word, ":] ")
	if end < 3 || word[end] == ' ' && strings.ToUpper(word[:end]) != word[:end] {
		return ""
	}
	if _, known := genericLevels[plainName(word[:end])]; !known {
		return ""
	}
	return word[:end]
}

// object reads a message that is a JSON object. Relays cut long ones off: cut says that
// this is one of them.
func (t *syslogText) object(text string) (is, cut bool) {
	if t.objects.classify == nil {
		t.objects.classify = func(path string) int { return int(genericFieldOf(path)) }
	}
	n, err := t.objects.object(unsafe.Slice(unsafe.StringData(text), len(text)))
	if err != nil || strings.TrimSpace(text[n:]) != "" {
		return false, errors.Is(err, errJSONCut)
	}
	for i := range t.objects.leaves {
		leaf := &t.objects.leaves[i]
		t.record.put(genericField(leaf.node.field), leaf.node.path, leaf.text)
	}
	return true, false
}

// pairs reads the NAME=VALUE of a text. It returns whether the text has nothing else
// before its first one.
func (t *syslogText) pairs(text string) (pure bool) {
	pure = true
	t.secrets = t.secrets[:0]
	text = text[:min(len(text), maxMessage)]
	for i, n := 0, 0; ; {
		equals := strings.IndexByte(text[i:], '=')
		if equals < 0 || n == maxPairs {
			return pure && n > 0
		}
		equals += i
		from := equals
		for from > i && isPairName(text[from-1]) {
			from--
		}
		if n == 0 && from != 0 {
			pure = false
		}
		if from == equals || equals-from > maxTag {
			i = equals + 1
			continue
		}
		value, end := pairValue(text, equals+1)
		name := text[from:equals]
		field := *t.record.known.get(name, genericFieldOf)
		if field == genericSession || field == genericCredential || field == genericDropped {
			t.secrets = append(t.secrets, [2]int{equals + 1, end})
		}
		t.record.put(field, name, value)
		i = end
		n++
	}
}

// withoutSecrets is the text without the values that have columns of their own, in
// which they are not kept as they are.
func (t *syslogText) withoutSecrets(text string) string {
	if len(t.secrets) == 0 {
		return text
	}
	t.scratch = t.scratch[:0]
	from := 0
	for _, secret := range t.secrets {
		t.scratch = append(append(t.scratch, text[from:secret[0]]...), "***"...)
		from = secret[1]
	}
	t.scratch = append(t.scratch, text[from:]...)
	return unsafe.String(unsafe.SliceData(t.scratch), len(t.scratch))
}

func isPairName(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '_' || c == '-' || c == '.' || c == '@' || c == '/'
}

// pairValue reads a value that begins at text[i]: in quotes, or up to the next white
// space. end is where it ends, with its quotes.
func pairValue(text string, i int) (value string, end int) {
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		quote, escaped := text[i], false
		for j := i + 1; j < len(text); j++ {
			switch text[j] {
			case '\\':
				escaped = true
				j++
			case quote:
				if escaped {
					return unescapeBefore(text[i+1:j], `\"'`), j + 1
				}
				return text[i+1 : j], j + 1
			}
		}
	}
	end = i
	for end < len(text) && text[end] != ' ' && text[end] != '\t' && text[end] != '\n' {
		end++
	}
	return strings.TrimRight(text[i:end], ",;)"), end
}
