package formats

import (
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// cefFields are the names of the extension that mean something else than the same
// name in another log, or are CEF's own. Other names, and those that labels give, are
// read as in any other record.
var cefFields = map[string]genericField{
	"src": genericSource, "spt": genericSourcePort, "shost": genericSourceName,
	"suser": genericUserName, "suid": genericUserID, "spriv": genericUserType, "duser": genericTargetName, "duid": genericTargetID,
	"dst": genericServerIP, "dhost": genericServerName, "destinationServiceName": genericAPIName, "sourceServiceName": genericService, "sproc": genericService,
	"request": genericURL, "requestUrl": genericURL, "requestMethod": genericMethod, "requestClientApplication": genericUserAgent,
	"requestContext": genericReferrer, "requestCookies": genericDropped,
	"in": genericBytesIn, "bytesIn": genericBytesIn, "out": genericBytesOut, "bytesOut": genericBytesOut,
	"outcome": genericOutcome, "eventOutcome": genericOutcome, "reason": genericReason, "msg": genericMessage, "externalId": genericEventID,
	"fname": genericObject, "fileName": genericObject, "fileType": genericObjectType, "fileId": genericObjectID,
	"proto": genericUnmapped, "type": genericUnmapped, "cat": genericUnmapped, "priority": genericUnmapped, "host": genericUnmapped,
}

// cefTimes are the fields that hold the time, best first.
var cefTimes = [...]string{"rt", "deviceReceiptTime", "end", "endTime", "start", "startTime", "art"}

// cefProtocols are values of app that name no application.
var cefProtocols = map[string]bool{"http": true, "https": true, "http/1.1": true, "http/2": true, "tcp": true, "udp": true, "ssh": true, "ssl": true, "tls": true,
	"dns": true, "ftp": true, "sftp": true, "smtp": true, "ldap": true, "rdp": true, "telnet": true, "imap": true, "pop3": true, "quic": true}

// deniedWords and allowedWords are what a device says that it did about a request.
var deniedWords, allowedWords = wordSet("deny denied block blocked drop dropped reject rejected refuse refused forbidden prevented prevent quarantine quarantined reset terminated"),
	wordSet("allow allowed accept accepted permit permitted pass passed granted")

func wordSet(list string) map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		words[word] = true
	}
	return words
}

// actionOf is OCSF's action_id for a device's word.
func actionOf(word string) uint64 {
	switch word = strings.ToLower(word[:min(len(word), 16)]); {
	case deniedWords[word]:
		return schema.ActionDenied
	case allowedWords[word]:
		return schema.ActionAllowed
	}
	return 0
}

// maxLabels is how many labels of an event are used.
const maxLabels = 64

// extension gives the pairs to the record. It returns the texts of the times.
func (r *cefReader) extension(e *schema.Event) (times [len(cefTimes)]string) {
	g := &r.record
	r.labels = r.labels[:0]
	for _, p := range r.pairs {
		if name, is := strings.CutSuffix(p.name, "Label"); is && len(r.labels) < maxLabels {
			r.labels = append(r.labels, pair{name, p.value})
		}
	}
	r.act, r.category, r.source6, r.server6 = "", "", "", ""
next:
	for _, p := range r.pairs {
		value := strings.TrimSpace(p.value)
		if value == "" || value == "-" {
			continue
		}
		for i, name := range cefTimes {
			if p.name == name {
				if times[i] == "" {
					times[i] = value
				}
				continue next
			}
		}
		switch p.name {
		case "act", "deviceAction":
			if r.act == "" {
				r.act = value
			}
			continue
		case "cat", "deviceEventCategory":
			r.category = value
		case "categoryOutcome":
			if g.values[genericOutcome] == "" {
				g.put(genericOutcome, p.name, strings.TrimPrefix(value, "/"))
				continue
			}
		case "app", "applicationProtocol":
			if !cefProtocols[strings.ToLower(value[:min(len(value), 16)])] {
				g.put(genericAppName, p.name, value)
				continue
			}
			g.put(genericUnmapped, p.name, value)
			continue
		case "c6a2":
			r.source6 = value
		case "c6a3":
			r.server6 = value
		}
		if field, own := cefFields[p.name]; own {
			g.put(field, p.name, value)
		} else if name, is := strings.CutSuffix(p.name, "Label"); is && r.labels.has(name) {
			continue
		} else if label := r.labels.of(p.name); label != "" {
			g.pair(label, value)
		} else {
			g.pair(p.name, value)
		}
	}
	if g.values[genericSource] == "" && isAddress(r.source6) {
		g.put(genericSource, "c6a2", r.source6)
	}
	if g.values[genericServerIP] == "" && isAddress(r.server6) {
		g.put(genericServerIP, "c6a3", r.server6)
	}
	if r.act != "" && outcomeOf(r.act) == schema.StatusUnknown && actionOf(r.act) == 0 {
		g.put(genericOperation, "act", r.act)
	} else if r.act != "" && g.values[genericOutcome] == "" {
		g.put(genericOutcome, "act", r.act)
	} else if r.act != "" {
		e.AddUnmapped("act", r.act)
	}
	return times
}

// cefLabels are the names that fields such as cs1 have by their labels.
type cefLabels []pair

func (l cefLabels) of(name string) string {
	for _, label := range l {
		if label.name == name {
			return strings.TrimSpace(label.value)
		}
	}
	return ""
}

func (l cefLabels) has(name string) bool { return l.of(name) != "" }

// finish fills in the event from the record and the header.
func (r *cefReader) finish(e *schema.Event, head *[cefHeaderFields]string, times [len(cefTimes)]string, when int64) *recordFailure {
	g := &r.record
	wrong, used := "", -1
	var moments [len(cefTimes)]int64
	for i, text := range times {
		if text == "" {
			continue
		}
		ms, no := r.clock.textMillis(text)
		switch {
		case no != "" && wrong == "":
			wrong = "the field " + cefTimes[i] + " " + no
		case no == "":
			moments[i] = ms
			if used < 0 {
				used, e.Time = i, ms
			}
		}
	}
	for i, text := range times {
		if i != used {
			e.AddUnmapped(cefTimes[i], text)
		}
	}
	switch {
	case used >= 0:
	case when != 0:
		e.Time = when
	case wrong != "":
		return &recordFailure{ReasonTime, wrong}
	default:
		return &recordFailure{ReasonTime, "the event has no time: have its sender write rt, end or start, or put a syslog header with a time in front"}
	}
	if e.Time == 0 {
		return &recordFailure{ReasonTime, "the time of the event is zero: whatever writes the log does not set it"}
	}
	id, name := head[4], head[5]
	g.values[genericEvent] = name
	if failure := g.end(); failure != nil {
		return failure
	}
	if from, to := max(moments[4], moments[5]), max(moments[2], moments[3]); from != 0 && to > from && e.Number[schema.Duration] == 0 {
		setDuration(e, strconv.FormatInt(to-from, 10), 1)
	}
	e.Text[schema.MetadataEventCode] = id
	if id == "" {
		e.Text[schema.MetadataEventCode] = name
	}
	if e.Text[schema.Message] == "" {
		setMessage(e, name)
	}
	if e.Text[schema.APIOperation] == "" {
		e.Text[schema.APIOperation] = name
	} else {
		e.AddUnmapped("name", name)
	}
	e.AddUnmapped("device_version", head[3])
	severity, known := cefSeverity(head[6])
	if !known {
		e.AddUnmapped("severity", head[6])
	}
	carriedClass(e, g, severity, name, id, r.category, r.act)
	return nil
}

// carriedClass decides the class of an event of CEF or LEEF that its record leaves
// open, and what a challenge means. It comes last.
func carriedClass(e *schema.Event, g *genericRecord, severity schema.Severity, name, id, category, act string) {
	class := &e.Number[schema.ClassUID]
	if action := actionOf(act); action != 0 {
		e.Number[schema.ActionID] = action
	}
	if *class != schema.ClassAuthentication && g.deeds.get(name, genericDeedOf).verb == verbNone {
		for _, text := range [...]string{id, category} {
			switch deed := g.deeds.get(text, genericDeedOf); {
			case text == "" || *class == schema.ClassAuthentication:
			case deed.logoff:
				*class, e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogoff
			case deed.login:
				*class, e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogon
			}
			if *class == schema.ClassAuthentication && e.Number[schema.StatusID] == schema.StatusUnknown {
				e.Number[schema.StatusID] = outcomeOf(text)
			}
		}
	}
	if *class == schema.ClassAuthentication && e.Number[schema.StatusID] == schema.StatusUnknown {
		if outcomeOf(e.Text[schema.StatusDetail]) == schema.StatusFailure {
			e.Number[schema.StatusID] = schema.StatusFailure
		} else {
			e.Number[schema.StatusID] = outcomeOf(e.Text[schema.Message])
		}
	}
	status := e.Number[schema.StatusID]
	switch {
	case *class == schema.ClassAuthentication:
		// That a challenge was sent is no login, however well it went.
		if status == schema.StatusSuccess && (outcomeOf(name) == schema.StatusOther || outcomeOf(act) == schema.StatusOther) {
			e.Number[schema.StatusID] = schema.StatusOther
		}
		loginUsers(e)
	case *class == schema.ClassAPIActivity && e.Text[schema.HTTPRequestMethod] == "" && e.Number[schema.HTTPResponseCode] == 0 &&
		e.Text[schema.ActorUserName] == "" && e.Text[schema.ActorUserUID] == "" && e.Text[schema.SrcEndpointIP] == "" && e.Text[schema.UserName] == "" &&
		status != schema.StatusSuccess && (status == schema.StatusFailure || severity >= schema.SeverityHigh):
		// Nobody called: it is the device's own trouble.
		*class, e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
	e.Number[schema.SeverityID] = uint64(severity)
}

// loginUsers gives a login both the user that is logged in and the one who does it,
// where the record names one of them.
func loginUsers(e *schema.Event) {
	switch {
	case e.Text[schema.ActorUserName] == "" && e.Text[schema.ActorUserUID] == "":
		e.Text[schema.ActorUserName], e.Text[schema.ActorUserUID] = e.Text[schema.UserName], e.Text[schema.UserUID]
	case e.Text[schema.UserName] == "" && e.Text[schema.UserUID] == "":
		e.Text[schema.UserName], e.Text[schema.UserUID] = e.Text[schema.ActorUserName], e.Text[schema.ActorUserUID]
	}
}

// cefSeverity reads 0 to 10, or Low, Medium, High and Very-High.
func cefSeverity(text string) (s schema.Severity, known bool) {
	switch n, err := strconv.ParseFloat(text, 64); {
	case err != nil:
	case n >= 0 && n < 4:
		return schema.SeverityLow, true
	case n >= 0 && n < 7:
		return schema.SeverityMedium, true
	case n >= 0 && n < 9:
		return schema.SeverityHigh, true
	case n >= 0 && n <= 10:
		return schema.SeverityCritical, true
	}
	switch plainName(text[:min(len(text), 16)]) {
	case "low":
		return schema.SeverityLow, true
	case "medium":
		return schema.SeverityMedium, true
	case "high":
		return schema.SeverityHigh, true
	case "veryhigh", "critical":
		return schema.SeverityCritical, true
	case "", "unknown", "informational", "info":
		return schema.SeverityInformational, true
	}
	return schema.SeverityInformational, false
}
