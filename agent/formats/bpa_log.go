package formats

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const bpaLogName = "bpa-log"

// BPALayout says how a text log of BPA Platform is written. Its layout is not
// documented in public, so all of it can be chosen.
type BPALayout struct {
	// Columns are the names of the columns of lines without a header; the ones that
	// mean something are time, level, task, step, message, user, run id, computer,
	// event id. Nil means time, level, task, step, message, user, run id.
	Columns []string
	// Delimiter is one of , ; | and tab; 0 means that it is found out.
	Delimiter byte
	// Pattern is a regular expression (RE2) with groups named as columns
	// ((?P<time>...)), for lines that no delimiter cuts. It has to match at the
	// start of a record within its first 256 bytes up to the message; the rest of
	// the record follows the message.
	Pattern string
	// Time is how the column time is written, as for Go's time.Parse
	// ("02/01/2006 15:04:05"); "" means ISO 8601 or a way that leaves no doubt.
	Time string
}

// bpaLog is the log of BPA Platform in the usual layout, or with a header.
var bpaLog = mustBPALog(BPALayout{})

func mustBPALog(layout BPALayout) Format {
	f, err := NewBPALog(layout)
	if err != nil {
		panic(err)
	}
	return f
}

// NewBPALog is the format of BPA Platform's text log in a layout of its own. It
// returns an error when the layout cannot be used.
func NewBPALog(layout BPALayout) (Format, error) {
	base := bpaLines{name: bpaLogName, layout: layout, columns: bpaDefaults}
	if layout.Columns != nil {
		base.columns = nil
		for _, name := range layout.Columns {
			base.columns = append(base.columns, bpaColumn{name, bpaNames[plainName(name)]})
		}
		if !base.has(ipaasTime) {
			return Format{}, fmt.Errorf("use columns %q: one of them must be named time", layout.Columns)
		}
	}
	if !strings.ContainsRune("\x00,;|\t", rune(layout.Delimiter)) {
		return Format{}, fmt.Errorf("use delimiter %q: it must be one of , ; | and tab", layout.Delimiter)
	}
	if layout.Pattern != "" {
		pattern, err := regexp.Compile(`^(?:` + layout.Pattern + `)`)
		if err != nil {
			return Format{}, fmt.Errorf("use pattern: %w", err)
		}
		base.pattern, base.columns = pattern, nil
		for _, name := range pattern.SubexpNames() {
			base.columns = append(base.columns, bpaColumn{name, bpaNames[plainName(name)]})
		}
		if !base.has(ipaasTime) {
			return Format{}, fmt.Errorf("use pattern: one of its groups must be named time, as in (?P<time>[^,]+)")
		}
	}
	return Format{
		Name:      bpaLogName,
		Title:     "BPA Platform (TaskCentre) text log",
		Line:      true,
		Multiline: true,
		Detect:    detectBPALog,
		New:       func(o Options) Decoder { return base.decoder(o) },
	}, nil
}

type bpaColumn struct {
	name  string
	field ipaasField
}

// bpaNames are what the columns of a text log mean.
var bpaNames = map[string]ipaasField{
	"time": ipaasTime, "timestamp": ipaasTime, "date": ipaasTime, "datetime": ipaasTime, "dateandtime": ipaasTime, "logged": ipaasTime, "eventtime": ipaasTime, "starttime": ipaasTime,
	"level": ipaasLevel, "severity": ipaasLevel, "type": ipaasLevel, "eventtype": ipaasLevel,
	"status": ipaasStatus, "result": ipaasStatus, "outcome": ipaasStatus,
	"task": ipaasApp, "taskname": ipaasApp, "process": ipaasApp,
	"step": ipaasStep, "stepname": ipaasStep, "tool": ipaasStep,
	"message": ipaasMessage, "description": ipaasMessage, "details": ipaasMessage, "text": ipaasMessage, "event": ipaasMessage,
	"user": ipaasUserName, "username": ipaasUserName, "account": ipaasUserName, "runas": ipaasUserName,
	"run": ipaasCorrelation, "runid": ipaasCorrelation, "instance": ipaasCorrelation, "instanceid": ipaasCorrelation, "jobid": ipaasCorrelation, "taskrunid": ipaasCorrelation,
	"computer": ipaasHost, "machine": ipaasHost, "server": ipaasHost, "host": ipaasHost,
	"eventid": ipaasType, "id": ipaasType,
	"source":   ipaasSource,
	"duration": ipaasDuration, "durationms": ipaasDuration,
}

var bpaDefaults = []bpaColumn{
	{"time", ipaasTime}, {"level", ipaasLevel}, {"task", ipaasApp}, {"step", ipaasStep}, {"message", ipaasMessage}, {"user", ipaasUserName}, {"run id", ipaasCorrelation},
}

// bpaLines reads lines with columns.
type bpaLines struct {
	name    string
	layout  BPALayout
	pattern *regexp.Regexp
	columns []bpaColumn
	// extra is what columns behind those of the header mean.
	extra ipaasField
	zone  *time.Location
	v     [ipaasFields]string
	// finish fills in what depends on the product.
	finish func(e *schema.Event, v *[ipaasFields]string)
}

func (l *bpaLines) has(field ipaasField) bool {
	for _, c := range l.columns {
		if c.field == field {
			return true
		}
	}
	return false
}

func (l bpaLines) decoder(o Options) Decoder {
	l.zone = o.Zone
	own := &l
	if own.finish == nil {
		own.finish = finishBPA
	}
	return &headRecords{
		lines: newLines(o.Start), tenant: o.Tenant, format: own.name, isHead: own.isHead, record: own.record,
		wanted: "a line with the columns time, level, task, step, message, or as the layout says",
	}
}

const windowsTime = `\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?|\d{1,2}[/.]\d{1,2}[/.]\d{4},? \d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?`

// bpaHead is a line that has a time among its first columns.
var bpaHead = regexp.MustCompile(`^(?:[^\n]{0,120}[,;\t|])?"?(?:` + windowsTime + `)"?[ ]*(?:[,;\t|]|$)`)

func (l *bpaLines) isHead(line []byte) headKind {
	switch {
	case l.pattern != nil:
		if l.pattern.Match(line) {
			return headYes
		}
		return headNo
	case bpaHead.Match(line) || bpaHeader(line) != nil:
		return headYes
	case isTimeCut(bytes.TrimPrefix(line, []byte{'"'})):
		return headCut
	}
	return headNo
}

func (l *bpaLines) record(e *schema.Event, text string) (failure *recordFailure, skip bool) {
	clear(l.v[:])
	if l.pattern != nil {
		head := text[:min(len(text), headSize)]
		at := l.pattern.FindStringSubmatchIndex(head)
		if at == nil {
			return &recordFailure{ReasonSyntax, "the layout's pattern does not match this line"}, false
		}
		for i := 1; i < len(l.columns); i++ {
			if at[2*i] >= 0 {
				l.set(e, i, text[at[2*i]:at[2*i+1]])
			}
		}
		l.v[ipaasMessage] += text[at[1]:]
	} else if failure, skip = l.delimited(e, text); failure != nil || skip {
		return failure, skip
	}
	if l.layout.Time != "" {
		zone := l.zone
		if zone == nil {
			zone = time.UTC
		}
		at, err := time.ParseInLocation(l.layout.Time, l.v[ipaasTime], zone)
		if err != nil {
			return &recordFailure{ReasonTime, "the time is not written as the layout says: mend the layout's time"}, false
		}
		e.SetTime(at)
	} else {
		ms, wrong := ipaasMillis(l.v[ipaasTime], l.zone)
		if wrong != "" {
			return &recordFailure{ReasonTime, "the time " + wrong}, false
		}
		e.Time = ms
	}
	l.finish(e, &l.v)
	return nil, false
}

func (l *bpaLines) delimited(e *schema.Event, text string) (failure *recordFailure, skip bool) {
	first, _, _ := strings.Cut(text, "\n")
	if columns := bpaHeader([]byte(first)); columns != nil && !bpaHead.MatchString(first) {
		l.columns = columns
		if first == text {
			return nil, true
		}
		return &recordFailure{ReasonSyntax, "lines without a time follow the header: they belong to no record"}, false
	}
	delimiter := l.layout.Delimiter
	if delimiter == 0 {
		delimiter = bpaDelimiter(text)
	}
	fields, more, ok := bpaFields(text, delimiter)
	if !ok {
		return &recordFailure{ReasonQuote, "a quote in this record is never closed: write each quote inside a field twice, or fetch the file again if it was cut off"}, false
	}
	if len(fields) < min(3, len(l.columns)) {
		return &recordFailure{ReasonColumnCount, fmt.Sprintf("expected %d columns, found %d: check the delimiter and the header", len(l.columns), len(fields))}, false
	}
	if &l.columns[0] == &bpaDefaults[0] {
		// Behind the header of a log that is followed from its middle, the columns are
		// guessed: better none than wrong ones.
		if _, known := levelSeverity(fields[1]); !known {
			return &recordFailure{ReasonHeader, "no header names the columns, and the second is no level: read the log from its start, or give its columns in the layout"}, false
		}
	}
	for i, value := range fields {
		switch {
		case i < len(l.columns):
			l.set(e, i, value)
		case l.extra != ipaasUnmapped && l.v[l.extra] == "":
			l.v[l.extra] = value
		default:
			e.AddUnmapped(fmt.Sprintf("column %d", i+1), value)
		}
	}
	if more = strings.TrimSpace(more); more != "" {
		l.v[ipaasMessage] = strings.TrimSpace(l.v[ipaasMessage] + "\n" + more)
	}
	return nil, false
}

func (l *bpaLines) set(e *schema.Event, column int, value string) {
	c := l.columns[column]
	switch {
	case value == "":
	case c.field != ipaasUnmapped && l.v[c.field] == "":
		l.v[c.field] = value
	case c.name != "":
		e.AddUnmapped(c.name, value)
	}
}

// bpaPlainLine is a line without a header, by which the log is recognised.
var bpaPlainLine = regexp.MustCompile(`^"?(?:` + windowsTime + `)"?[ ]*[,;\t|][ ]*"?(?:Information|Warning|Error|Success|Failure|Critical)"?[ ]*[,;\t|](?:[^\n]*[,;\t|]){2}`)

func detectBPALog(head []byte) string {
	head, encoding := plainHead(head)
	head = bytes.TrimLeft(head, " \t\r\n\x00")
	first, _, _ := bytes.Cut(head, []byte{'\n'})
	if columns := bpaHeader(bytes.TrimRight(first, "\r ")); columns != nil {
		task, more := false, false
		for _, c := range columns {
			task = task || strings.HasPrefix(plainName(c.name), "task") && c.field == ipaasApp
			more = more || c.field == ipaasStep || c.field == ipaasMessage
		}
		if task && more {
			return "a header with the columns of a BPA Platform log" + encoding
		}
		return ""
	}
	for range 20 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		if bpaPlainLine.Match(line) {
			return "lines TIME,LEVEL,TASK,STEP,MESSAGE as of a BPA Platform log" + encoding
		}
		head = rest
	}
	return ""
}
