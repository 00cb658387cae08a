package formats

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const boomiLogName = "boomi-log"

// boomiLog is the log of a Boomi runtime (container log) or of a process:
//
//	Mar 2, 2026 9:12:00 AM UTC WARNING [com.boomi.CLASS METHOD] MESSAGE
//	2026-03-02T09:12:00Z	INFO	[PROCESS] MESSAGE
//
// and java.util.logging's form of two lines. The layouts are not documented in
// public. Times without a zone are local.
var boomiLog = Format{
	Name:      boomiLogName,
	Title:     "Boomi container or process log",
	Line:      true,
	Multiline: true,
	Detect:    detectBoomiLog,
	New: func(o Options) Decoder {
		l := &boomiLines{zone: o}
		return &headRecords{
			lines: newLines(o.Start), tenant: o.Tenant, format: boomiLogName,
			isHead: isBoomiHead, record: l.record, wanted: "DATE LEVEL [SOURCE] MESSAGE",
		}
	},
}

type boomiLines struct{ zone Options }

const (
	javaLevels = `SEVERE|WARNING|WARN|INFO|CONFIG|FINE|FINER|FINEST|ERROR|DEBUG`
	javaTime   = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2}, \d{4},? \d{1,2}:\d\d:\d\d[ \x{202F}][AP]M(?: [A-Z]{2,5})?`
	boomiTime  = javaTime + `|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?`
)

var (
	boomiHead = regexp.MustCompile(`^(` + boomiTime + `)\s+(?:(` + javaLevels + `)\b[ \t]*|([A-Za-z_][\w$.]+\.[\w$.]+ [\w$<>]+)\s*$)`)
	// boomiStart has the two-line form without its class, as the end of a log has it.
	boomiStart = regexp.MustCompile(`^(?:` + boomiTime + `)`)
	// javaMonth is how the other form begins.
	javaMonth = regexp.MustCompile(`^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* [0-9, :APM]*$`)
	boomiLine = regexp.MustCompile(`^(` + javaLevels + `): `)
	// boomiRun is the id of a process's run.
	boomiRun = regexp.MustCompile(`\bexecution-[0-9a-f]{8}-[0-9a-f-]{27}-\d{4}\.\d\d\.\d\d\b`)
)

func isBoomiHead(line []byte) headKind {
	switch {
	case boomiHead.Match(line):
		return headYes
	case boomiStart.Match(line) || isTimeCut(line) || javaMonth.Match(line):
		return headCut
	}
	return headNo
}

func detectBoomiLog(head []byte) string {
	head, encoding := plainHead(head)
	if !detectHeads(head, isBoomiHead) {
		return ""
	}
	for _, mark := range [][]byte{[]byte("com.boomi."), []byte("Boomi"), []byte("boomi"), []byte("Executing Process"), []byte("execution-")} {
		if bytes.Contains(head, mark) {
			return "lines DATE LEVEL [SOURCE] MESSAGE with words of Boomi" + encoding
		}
	}
	return ""
}

func (l *boomiLines) record(e *schema.Event, text string) (*recordFailure, bool) {
	first, more, _ := strings.Cut(text, "\n")
	at := boomiHead.FindStringSubmatchIndex(first[:min(len(first), headSize)])
	if at == nil {
		return &recordFailure{ReasonSyntax, "expected DATE LEVEL [SOURCE] MESSAGE"}, false
	}
	ms, wrong := ipaasMillis(text[at[2]:at[3]], l.zone.Zone)
	if wrong != "" {
		return &recordFailure{ReasonTime, "the date " + wrong}, false
	}
	e.Time = ms
	var level, source, message string
	if at[4] >= 0 {
		level, message = text[at[4]:at[5]], text[at[1]:]
		if strings.HasPrefix(message, "[") {
			end := closingBracket(message[1:])
			if end+2 <= len(message) {
				source, message = message[1:end+1], strings.TrimLeft(message[end+2:], " \t")
			}
		}
	} else {
		source, message = text[at[6]:at[7]], more
		if found := boomiLine.FindStringSubmatch(more); found != nil {
			level, message = found[1], more[len(found[0]):]
		}
	}
	severity, _ := levelSeverity(level)
	if severity == schema.SeverityUnknown {
		severity = schema.SeverityInformational
	}
	e.Number[schema.SeverityID] = uint64(severity)
	setMessage(e, message)
	setRun(e, severity >= schema.SeverityMedium, message)
	if severity >= schema.SeverityMedium {
		e.Number[schema.SeverityID] = uint64(severity)
	} else if severity == schema.SeverityLow {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
	e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	e.Text[schema.MetadataCorrelationUID] = boomiRun.FindString(text[:min(len(text), maxSearched)])
	e.Text[schema.MetadataProductName], e.Text[schema.MetadataProductVendorName] = "Boomi", "Boomi"
	e.Text[schema.MetadataLogName] = "container"
	if class, _, _ := strings.Cut(source, " "); strings.Contains(class, ".") {
		e.Text[schema.APIServiceName] = class
		e.AddUnmapped("logger", source)
	} else if source != "" {
		e.Text[schema.MetadataLogName] = "process"
		e.Text[schema.ActorAppName] = source
		e.Text[schema.ResourcesName], e.Text[schema.ResourcesType] = source, "process"
	}
	e.AddUnmapped("level", level)
	return nil, false
}
