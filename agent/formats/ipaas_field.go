package formats

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// ipaasField is what a field of an integration platform's record means.
type ipaasField int

const (
	ipaasUnmapped ipaasField = iota
	ipaasDropped
	ipaasTime
	// ipaasTime2 is another time, for where the first is missing.
	ipaasTime2
	ipaasSeconds
	ipaasNanos
	ipaasID
	ipaasCorrelation
	ipaasCorrelation2
	ipaasTenant
	ipaasUserID
	ipaasUserName
	ipaasUserEmail
	ipaasAddress
	ipaasUserAgent
	ipaasUserAgentVersion
	ipaasApp
	ipaasAppID
	ipaasHost
	ipaasCity
	ipaasCountry
	ipaasType
	ipaasAction
	ipaasModifier
	ipaasLevel
	ipaasSource
	ipaasMessage
	ipaasErrorType
	ipaasFailed
	ipaasResourceID
	ipaasResourceName
	ipaasResourceType
	ipaasObjects
	ipaasStatus
	ipaasHTTPStatus
	ipaasDuration
	ipaasRows
	ipaasRows2
	ipaasRowsFailed
	ipaasMethod
	ipaasPath
	ipaasBytesOut
	ipaasBytesIn
	ipaasPolicy
	ipaasAPIName
	ipaasAPIVersion
	ipaasThread
	ipaasLogger
	ipaasStep
	ipaasLines
	// ipaasParts are texts that are joined, line by line.
	ipaasParts
	ipaasFields
)

// ipaasMillis reads the times that integration platforms write: numbers since 1970,
// ISO 8601, or the way of a locale. A time without a zone is in zone. wrong goes on
// after "the time ".
func ipaasMillis(text string, zone *time.Location) (ms int64, wrong string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\u202F", " "))
	if text == "" {
		return 0, "is missing: add it to the export"
	}
	if ms, ok := epochMillis(text); ok {
		if ms == 0 {
			return 0, "is zero: whatever writes the log does not set it"
		}
		return ms, ""
	}
	if len(text) > 64 {
		return 0, "does not hold a time such as 2026-03-02T08:15:01Z"
	}
	if len(text) > 19 && text[19] == ',' { // log4j and many locales
		text = text[:19] + "." + text[20:]
	}
	if len(text) > 10 && text[10] == 't' {
		text = text[:10] + "T" + text[11:]
	}
	if text[0]|0x20-'a' < 26 {
		for _, layout := range []string{"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", "Jan 2, 2006 15:04:05"} {
			clock, abbreviation := cutZone(text)
			for _, try := range []string{text, clock} {
				if at, err := time.Parse(layout, try); err == nil {
					if try == text {
						abbreviation = ""
					}
					return zoned(at, abbreviation, zone)
				}
			}
		}
	}
	// 2026-03-02 09:12:00 UTC and 2026-03-02 09:12:00 +0000
	if len(text) > 19 && text[4] == '-' {
		for _, suffix := range []string{" UTC", " GMT", " Z"} {
			if rest, found := strings.CutSuffix(text, suffix); found {
				text = rest + "Z"
			}
		}
		if at := strings.LastIndexByte(text, ' '); at >= 19 && at+1 < len(text) && (text[at+1] == '+' || text[at+1] == '-') {
			text = text[:at] + text[at+1:]
		}
		if n := len(text); (text[n-3] == '+' || text[n-3] == '-') && n >= 22 { // +00
			text += "00"
		}
	}
	return parseLocalTime(text, zone)
}

// time reads the record's time from the first of fields that has one.
func (r *ipaasReader) time(column string, fields ...ipaasField) *recordFailure {
	wrong := "is missing: add it to the export"
	for _, field := range fields {
		if r.v[field] == "" {
			continue
		}
		ms, no := ipaasMillis(r.v[field], r.zone)
		if no == "" {
			r.e.Time = ms
			return nil
		}
		wrong = no
	}
	return &recordFailure{ReasonTime, "the field " + column + " " + wrong}
}

// user fills in who did it.
func (r *ipaasReader) user() {
	e, v := r.e, &r.v
	e.Text[schema.ActorUserUID] = v[ipaasUserID]
	e.Text[schema.ActorUserName] = v[ipaasUserName]
	e.Text[schema.ActorUserEmailAddr] = v[ipaasUserEmail]
	if strings.IndexByte(v[ipaasUserName], '@') > 0 && v[ipaasUserEmail] == "" {
		e.Text[schema.ActorUserEmailAddr] = v[ipaasUserName]
	}
	if e.Text[schema.ActorUserName] == "" {
		e.Text[schema.ActorUserName] = v[ipaasUserEmail]
	}
}

// source fills in from where it was done.
func (r *ipaasReader) source() {
	setSource(r.e, &r.addresses, r.v[ipaasAddress])
	r.e.Text[schema.HTTPRequestUserAgent] = r.v[ipaasUserAgent]
}

// ipaasNumber is a number as it stands, or the second element of ["Long",1054].
func ipaasNumber(text string) string {
	if rest, found := strings.CutPrefix(text, `["Long",`); found {
		return strings.Trim(rest, `"]`)
	}
	return strings.ReplaceAll(text, ",", "")
}

// isTrue reads a boolean as exports write it.
func isTrue(text string) bool {
	switch strings.ToLower(text) {
	case "true", "yes", "1", "t", "y":
		return true
	}
	return false
}

// ipaasArray gives the objects of a JSON array to found; it returns false when text
// is no array of objects.
func ipaasArray(text string, found func(object *fastjson.Value)) bool {
	if len(text) == 0 || text[0] != '[' && text[0] != '{' {
		return false
	}
	value, err := fastjson.Parse(text)
	if err != nil {
		return false
	}
	if value.Type() == fastjson.TypeObject {
		found(value)
		return true
	}
	items, _ := value.Array()
	for _, item := range items {
		if item.Type() != fastjson.TypeObject {
			return false
		}
		found(item)
	}
	return true
}

// ipaasText is the text of a member, whatever its type, without bytes that are no
// UTF-8.
func ipaasText(object *fastjson.Value, names ...string) string {
	for _, name := range names {
		value := object.Get(name)
		if value == nil || value.Type() == fastjson.TypeNull {
			continue
		}
		var text string
		if value.Type() == fastjson.TypeString {
			text = string(value.GetStringBytes())
		} else {
			text = string(value.MarshalTo(nil))
		}
		if text = strings.ToValidUTF8(text, "\uFFFD"); text != "" {
			return text
		}
	}
	return ""
}

// setMillis fills in the time between two times.
func (r *ipaasReader) setMillis(from, to ipaasField) {
	start, wrong := ipaasMillis(r.v[from], r.zone)
	end, wrong2 := ipaasMillis(r.v[to], r.zone)
	if wrong == "" && wrong2 == "" && end >= start {
		setDuration(r.e, strconv.FormatInt(end-start, 10), 1)
	}
}
