package formats

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const mulesoftLogName = "mulesoft-log"

// mulesoftLog is the log of a Mule runtime or of an application in it, in the
// patterns of log4j2 that Mule ships:
//
//	%-5p %d [%t] %c: %m%n
//	%-5p %d [%t] [processor: %X{processorPath}; event: %X{correlationId}] %c: %m%n
//
// with times in local time. Stack traces and Mule's blocks of asterisks belong to
// the record before them.
var mulesoftLog = Format{
	Name:      mulesoftLogName,
	Title:     "MuleSoft runtime or application log (log4j)",
	Line:      true,
	Multiline: true,
	Detect:    detectMulesoftLog,
	New: func(o Options) Decoder {
		l := &mulesoftLines{zone: o}
		return &headRecords{
			lines: newLines(o.Start), tenant: o.Tenant, format: mulesoftLogName,
			isHead: isMulesoftHead, record: l.record, wanted: "LEVEL DATE [THREAD] LOGGER: MESSAGE",
		}
	},
}

type mulesoftLines struct{ zone Options }

const (
	log4jLevels = `TRACE|DEBUG|INFO|WARN|ERROR|FATAL`
	log4jTime   = `\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[,.]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?`
)

var (
	mulesoftHead  = regexp.MustCompile(`^(?:(` + log4jLevels + `)\s+)?(` + log4jTime + `)\s+(?:(` + log4jLevels + `)\s+)?\[`)
	mulesoftStart = regexp.MustCompile(`^(?:(?:` + log4jLevels + `)\s+)?` + log4jTime)
	mulesoftLevel = regexp.MustCompile(`^(?:` + log4jLevels + `)\s+`)
)

func isMulesoftHead(line []byte) headKind {
	switch {
	case mulesoftHead.Match(line):
		return headYes
	case mulesoftStart.Match(line) || isTimeCut(line[len(mulesoftLevel.Find(line)):]):
		return headCut
	}
	return headNo
}

// mulesoftMarks are what stands in the logs of Mule and hardly in others'.
var mulesoftMarks = [][]byte{
	[]byte("[["), []byte("org.mule."), []byte("com.mulesoft."), []byte("[processor:"), []byte("[MuleRuntime]"), []byte(".CPU_LITE"), []byte(".uber."),
}

func detectMulesoftLog(head []byte) string {
	head, encoding := plainHead(head)
	if !detectHeads(head, isMulesoftHead) {
		return ""
	}
	for _, mark := range mulesoftMarks {
		if bytes.Contains(head, mark) {
			return "lines LEVEL DATE [THREAD] LOGGER: MESSAGE, as Mule's log4j2 patterns write them" + encoding
		}
	}
	return ""
}

func (l *mulesoftLines) record(e *schema.Event, text string) (*recordFailure, bool) {
	at := mulesoftHead.FindStringSubmatchIndex(text[:min(len(text), headSize)])
	if at == nil {
		return &recordFailure{ReasonSyntax, "expected LEVEL DATE [THREAD] LOGGER: MESSAGE"}, false
	}
	ms, wrong := ipaasMillis(text[at[4]:at[5]], l.zone.Zone)
	if wrong != "" {
		return &recordFailure{ReasonTime, "the date " + wrong}, false
	}
	e.Time = ms
	var m mulesoftRecord
	if at[2] >= 0 {
		m.level = text[at[2]:at[3]]
	} else if at[6] >= 0 {
		m.level = text[at[6]:at[7]]
	}
	m.cut(text[at[1]:])
	m.fill(e)
	return nil, false
}

// cut takes apart what stands behind the bracket of the thread. Names of threads
// have brackets and spaces in them.
func (m *mulesoftRecord) cut(rest string) {
	line, more, _ := strings.Cut(rest, "\n")
	if thread, context, found := strings.Cut(line, "] [processor: "); found {
		m.thread = thread
		m.processor, line, _ = strings.Cut(context, "; event: ")
		m.event, line, _ = strings.Cut(line, "]")
	} else if thread, context, found := strings.Cut(line, "] [event: "); found {
		m.thread = thread
		m.event, line, _ = strings.Cut(context, "]")
	} else {
		if end := closingBracket(line); end < len(line) {
			m.thread, line = line[:end], line[end+1:]
		}
	}
	line = strings.TrimLeft(line, " ")
	if word, after, found := strings.Cut(line, " "); found && m.level == "" {
		if _, known := levelSeverity(word); known { // DATE [THREAD] LEVEL LOGGER - MESSAGE
			m.level, line = word, strings.TrimLeft(after, " ")
		}
	}
	for _, separator := range []string{": ", " - "} {
		if logger, message, found := strings.Cut(line+" ", separator); found && logger != "" && !strings.ContainsAny(logger, " \t") {
			m.logger, line = logger, strings.TrimRight(message, " ")
			break
		}
	}
	m.message = line
	if more != "" {
		m.message += "\n" + more
	}
}

// closingBracket finds the bracket that closes the one before line; the end of line
// when none does.
func closingBracket(line string) int {
	depth := 1
	for i := range len(line) {
		switch line[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	if end := strings.Index(line, "] "); end >= 0 {
		return end
	}
	return len(line)
}
