package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// genericDeed is what the name of an event or an action says was done.
type genericDeed struct {
	login, logoff bool
	verb          crmVerb
	status        uint64
}

func genericDeedOf(name string) (d genericDeed) {
	words := crmWords(name)
	d.status = outcomeOfWords(words)
	if d.verb = verbOf(words); d.verb == verbNone {
		for _, word := range words {
			switch word {
			case "query", "queried", "select", "get", "fetch", "retrieve", "lookup", "find", "describe":
				d.verb = verbRead
			case "upsert", "patch", "put", "save", "write":
				d.verb = verbUpdate
			}
		}
	}
	d.login, d.logoff = signsIn(words, true)
	return d
}

// Words beside which a login is the subject of a page, a setting or a report, and
// not what happened.
var noLoginWords = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq("page pages view viewed viewing form screen link url redirect redirected redirecting button history report settings config configuration template " +
		"reminder email mail notification list listed export exported get fetch fetched render rendered load loaded loading opened shown show displayed " +
		"create created delete deleted update updated change changed enable enabled disable disabled reset add added remove removed started starting initialized initialised configured registered " +
		"count counts statistics stats hours policy policies rate limits endpoint schema field column table middleware") {
		words[word] = true
	}
	return words
}()

// signsIn says whether words tell of a login or a logoff. In a name, as opposed to a
// sentence, "auth" and the names of second factors are enough.
func signsIn(words []string, name bool) (login, logoff bool) {
	for i, word := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch word {
		case "login", "logins", "logon", "signin", "signon", "authentication", "authenticate", "authenticated", "authn", "authenticating":
			login = true
		case "logout", "logoff", "signout", "signoff", "loggedout":
			logoff = true
		case "loggedin", "signedin":
			login = true
		case "log", "logged", "sign", "signed", "logging", "signing":
			login = login || next == "in" || next == "on" && word[0] == 's'
			logoff = logoff || next == "out" || next == "off"
			if (next == "in" || next == "out") && strings.HasSuffix(word, "ed") && i > 0 && words[i-1] == "not" {
				return false, false
			}
		case "auth", "mfa", "2fa", "otp", "twofactor":
			login = login || name
		}
		if noLoginWords[word] {
			return false, false
		}
	}
	return login && !logoff, logoff
}

// maySignIn says whether a text may tell of a login or a logoff, so that only few
// texts are cut into words.
func maySignIn(text string) bool {
	if len(text) > 200 {
		return false
	}
	for i := 0; i+5 < len(text); i++ {
		switch text[i] | 0x20 {
		case 'l':
			if text[i+1]|0x20 == 'o' && text[i+2]|0x20 == 'g' {
				return true
			}
		case 's':
			if text[i+1]|0x20 == 'i' && text[i+2]|0x20 == 'g' && text[i+3]|0x20 == 'n' {
				return true
			}
		case 'a':
			if text[i+1]|0x20 == 'u' && text[i+2]|0x20 == 't' && text[i+3]|0x20 == 'h' && text[i+4]|0x20 == 'e' {
				return true
			}
		}
	}
	return false
}

// object fills in what was done, to what, and the ids that join the record to others.
func (r *genericRecord) object() {
	e, v := r.event, &r.values
	e.Text[schema.MetadataEventCode] = v[genericEvent]
	e.Text[schema.APIOperation] = v[genericOperation]
	e.Text[schema.APIServiceName], e.Text[schema.APIVersion] = v[genericAPIName], v[genericAPIVersion]
	e.Text[schema.ResourcesName], e.Text[schema.ResourcesType], e.Text[schema.ResourcesUID] = v[genericObject], v[genericObjectType], v[genericObjectID]
	e.Text[schema.MetadataOriginalEventUID] = v[genericEventID]
	e.Text[schema.MetadataCorrelationUID] = r.first(genericCRMRequest, genericCorrelation, genericRequestID, genericTrace)
	message := v[genericMessage]
	if message == "" {
		message = v[genericMessage2]
	} else if v[genericMessage2] != "" && v[genericMessage2] != message {
		r.leave(genericMessage2)
	}
	setMessage(e, message)
}

// class fills in class, activity and severity, and what the names of events say
// about success where nothing else does.
func (r *genericRecord) class(call bool) {
	e, v := r.event, &r.values
	severity := r.severity()
	unknown := e.Number[schema.StatusID] == schema.StatusUnknown
	var deed genericDeed
	for _, name := range [...]string{v[genericEvent], v[genericOperation]} {
		if name == "" {
			continue
		}
		found := r.deeds.get(name, genericDeedOf)
		deed.login, deed.logoff = deed.login || found.login, deed.logoff || found.logoff
		if found.verb != verbNone && (deed.verb == verbNone || found.verb < deed.verb) {
			deed.verb = found.verb
		}
		if unknown && found.status != schema.StatusUnknown {
			deed.status = found.status
		}
	}
	if message := v[genericMessage]; !deed.login && !deed.logoff && maySignIn(message) {
		r.sentence(message, &deed)
	}
	if unknown {
		e.Number[schema.StatusID] = deed.status
	}
	switch {
	case deed.logoff:
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogoff
	case deed.login:
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogon
	case call:
		setClass(e)
		if e.Number[schema.ActivityID] == 0 {
			e.Number[schema.ActivityID] = deed.verb.api()
		}
	case severity >= schema.SeverityHigh:
		r.trouble()
	default:
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, deed.verb.api()
		if severity >= schema.SeverityMedium && e.Number[schema.HTTPResponseCode] == 0 && beginsWithStatus(v[genericMessage]) {
			setCallStatus(e, v[genericMessage][:3])
		}
	}
	if deed.login && e.Number[schema.StatusID] == schema.StatusFailure {
		severity = max(severity, schema.SeverityLow)
	}
	e.Number[schema.SeverityID] = uint64(severity)
}

// sentence looks for a login in a message: it counts where the record says who or
// from where, and the message or the record how it ended.
func (r *genericRecord) sentence(message string, deed *genericDeed) {
	e := r.event
	if e.Text[schema.ActorUserName] == "" && e.Text[schema.ActorUserUID] == "" && e.Text[schema.UserName] == "" && e.Text[schema.SrcEndpointIP] == "" {
		return
	}
	words := crmWords(message)
	login, logoff := signsIn(words, false)
	status := outcomeOfWords(words)
	if login && status == schema.StatusUnknown {
		for i, word := range words {
			if (word == "logged" || word == "signed") && i+1 < len(words) && words[i+1] == "in" || word == "loggedin" || word == "signedin" {
				status = schema.StatusSuccess
			}
		}
	}
	if !login && !logoff || login && status == schema.StatusUnknown && e.Number[schema.StatusID] == schema.StatusUnknown && len(words) > 3 {
		return
	}
	deed.login, deed.logoff = login, logoff
	if deed.status == schema.StatusUnknown {
		deed.status = status
	}
}

// trouble makes an application error of the record, or a failed call where the
// message names the status of a response.
func (r *genericRecord) trouble() {
	e := r.event
	text := e.Text[schema.Message]
	switch {
	case beginsWithStatus(text) && e.Number[schema.HTTPResponseCode] == 0:
		setCallStatus(e, text[:3])
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, schema.ActivityOther
	case e.Number[schema.HTTPResponseCode] != 0 || mayHoldStatus(text):
		setRun(e, true, text)
	default:
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
	e.Number[schema.StatusID] = schema.StatusFailure
	if e.Text[schema.StatusDetail] == "" {
		line, _, _ := strings.Cut(text, "\n")
		e.Text[schema.StatusDetail] = line
	}
}

// beginsWithStatus says whether a message begins with the status of a response that
// failed: "401 from CRM".
func beginsWithStatus(text string) bool {
	return len(text) > 3 && (text[0] == '4' || text[0] == '5') && text[1]-'0' < 10 && text[2]-'0' < 10 && text[1] < '6' && (text[3] == ' ' || text[3] == ':')
}

// mayHoldStatus says whether a text has a number from 400 to 599.
func mayHoldStatus(text string) bool {
	text = text[:min(len(text), maxSearched)]
	for i := 0; i+2 < len(text); i++ {
		if (text[i] == '4' || text[i] == '5') && text[i+1]-'0' < 10 && text[i+2]-'0' < 10 &&
			(i == 0 || text[i-1]-'0' > 9) && (i+3 == len(text) || text[i+3]-'0' > 9) {
			return true
		}
	}
	return false
}
