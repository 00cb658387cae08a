package formats

import (
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// leefFields are the names of attributes that mean something else than the same name
// in another log, or are LEEF's own.
var leefFields = map[string]genericField{
	"src": genericSource, "srcPort": genericSourcePort, "identSrc": genericUnmapped, "identHostName": genericSourceName,
	"dst": genericServerIP, "usrName": genericUserName, "accountName": genericTargetName, "role": genericUserType,
	"srcBytes": genericBytesOut, "dstBytes": genericBytesIn, "url": genericURL, "resource": genericObject,
	"proto": genericUnmapped, "cat": genericUnmapped, "domain": genericUnmapped, "type": genericUnmapped, "host": genericUnmapped,
}

// finish fills in the event from the attributes and the header.
func (r *leefReader) finish(e *schema.Event, head *[leefHeaderFields]string, when int64) *recordFailure {
	g := &r.record
	var stamp, layout, severity, category, account, login, logout string
	for _, p := range r.pairs {
		value := strings.TrimSpace(p.value)
		if value == "" || value == "-" || value == "N/A" {
			continue
		}
		switch p.name {
		case "devTime":
			stamp = value
			continue
		case "devTimeFormat":
			layout = value
			continue
		case "sev":
			severity = value
			continue
		case "isLoginEvent":
			login = value
			continue
		case "isLogoutEvent":
			logout = value
			continue
		case "cat":
			category = value
		case "accountName":
			account = value
		}
		if field, own := leefFields[p.name]; own {
			g.put(field, p.name, value)
		} else {
			g.pair(p.name, value)
		}
	}
	if stamp == "" && g.values[genericTime] != "" {
		stamp, g.values[genericTime] = g.values[genericTime], ""
	}
	if account != "" && g.values[genericUserName] == "" {
		g.values[genericUserName] = account
	}
	if failure := r.time(e, stamp, layout, when); failure != nil {
		return failure
	}
	id := head[4]
	g.values[genericEvent] = id
	act := g.values[genericOperation]
	if act != "" && (outcomeOf(act) != schema.StatusUnknown || actionOf(act) != 0) && g.values[genericOutcome] == "" {
		g.values[genericOutcome], g.values[genericOperation] = act, ""
	}
	if failure := g.end(); failure != nil {
		return failure
	}
	if e.Text[schema.Message] == "" {
		setMessage(e, id)
	}
	if e.Text[schema.APIOperation] == "" {
		e.Text[schema.APIOperation] = id
	}
	e.AddUnmapped("device_version", head[3])
	found, known := cefSeverity(severity)
	if !known {
		e.AddUnmapped("sev", severity)
	}
	switch class := &e.Number[schema.ClassUID]; {
	case isTrue(logout):
		*class, e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogoff
	case isTrue(login):
		*class, e.Number[schema.ActivityID] = schema.ClassAuthentication, schema.AuthLogon
	}
	carriedClass(e, g, found, id, "", category, act)
	return nil
}

// time reads the time of an event. Its format, if it has one, is a pattern of Java's.
func (r *leefReader) time(e *schema.Event, stamp, pattern string, when int64) *recordFailure {
	if stamp == "" {
		if when == 0 {
			return &recordFailure{ReasonTime, "the event has no devTime: have its sender write it, or put a syslog header with a time in front"}
		}
		e.Time = when
		return nil
	}
	if layout := *r.layouts.get(pattern, javaLayout); layout != "" {
		if at, err := time.ParseInLocation(layout, stamp, r.clock.zone()); err == nil {
			ms, wrong := r.javaMillis(at, layout)
			if wrong == "" && ms != 0 {
				e.Time = ms
				return nil
			}
		}
	}
	ms, wrong := r.clock.textMillis(stamp)
	switch {
	case wrong == "" && ms != 0:
		e.Time = ms
		return nil
	case when != 0:
		e.Time = when
		e.AddUnmapped("devTime", stamp)
		e.AddUnmapped("devTimeFormat", pattern)
		return nil
	case wrong == "":
		return &recordFailure{ReasonTime, "devTime is zero: whatever writes the log does not set it"}
	case pattern == "":
		return &recordFailure{ReasonTime, "devTime " + wrong + "; have the sender name its pattern in devTimeFormat, or write milliseconds since 1970"}
	}
	return &recordFailure{ReasonTime, "devTime is not written as devTimeFormat says, or that pattern is none that is known: have the sender write milliseconds since 1970, or yyyy-MM-dd'T'HH:mm:ss.SSSZ"}
}

// javaMillis is a time that was read with a layout, which may have lacked the year or
// have had a zone's abbreviation.
func (r *leefReader) javaMillis(at time.Time, layout string) (ms int64, wrong string) {
	if !strings.Contains(layout, "06") {
		return r.clock.millis(syslogStamp{month: at.Month(), day: at.Day(), second: at.Hour()*3600 + at.Minute()*60 + at.Second(), millis: at.Nanosecond() / int(time.Millisecond)})
	}
	if strings.Contains(layout, "MST") {
		name, _ := at.Zone()
		wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
		return zoned(wall, name, r.clock.iso.zone)
	}
	return at.UnixMilli(), ""
}

// javaLetters are the letters of Java's SimpleDateFormat, by how often they stand, as
// parts of a layout of Go's.
var javaLetters = map[string]string{
	"yyyy": "2006", "yy": "06", "y": "2006", "uuuu": "2006", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1", "dd": "02", "d": "2",
	"EEEE": "Monday", "EEE": "Mon", "EE": "Mon", "E": "Mon", "HH": "15", "H": "15", "kk": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5",
	"a": "PM", "z": "MST", "zzz": "MST", "Z": "-0700", "X": "Z07", "XX": "Z0700", "XXX": "Z07:00",
}

// javaLayout is a pattern of Java's as a layout of Go's; "" when it cannot be one.
func javaLayout(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		if c == '\'' {
			end := strings.IndexByte(pattern[i+1:], '\'')
			switch {
			case end < 0:
				return ""
			case end == 0:
				b.WriteByte('\'')
			default:
				b.WriteString(pattern[i+1 : i+1+end])
			}
			i += end + 2
			continue
		}
		if c|0x20-'a' >= 26 {
			b.WriteByte(c)
			i++
			continue
		}
		end := i
		for end < len(pattern) && pattern[end] == c {
			end++
		}
		if c == 'S' {
			if i == 0 || pattern[i-1] != '.' && pattern[i-1] != ',' {
				return "" // Go reads fractions of seconds behind a dot only
			}
			b.WriteString(strings.Repeat("0", end-i))
		} else if part, known := javaLetters[pattern[i:end]]; known {
			b.WriteString(part)
		} else {
			return ""
		}
		i = end
	}
	return b.String()
}
