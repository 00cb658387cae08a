package formats

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const sugarLogName = "sugarcrm-log"

// sugarLog is sugarcrm.log (SuiteCRM: suitecrm.log), as SugarLogger writes it:
//
//	DATE [PID][USERID][LEVEL] MESSAGE
//
// with the date as PHP's strftime('%c') or as logger.file.dateFormat says, in local
// time without a zone. A message may have more lines (SQL, dumps, stack traces): a
// record goes on until the next line that begins as above.
var sugarLog = Format{
	Name:      sugarLogName,
	Title:     "SugarCRM or SuiteCRM log (sugarcrm.log)",
	Line:      true,
	Multiline: true,
	Detect:    detectSugarLog,
	New: func(o Options) Decoder {
		return &sugarLogFile{lines: newLines(o.Start), tenant: o.Tenant, clock: o}
	},
}

type sugarLogFile struct {
	lines     lines
	clock     Options
	tenant    string
	addresses addresses
	hasher    schema.UIDHasher
	event     schema.Event
	scratch   []byte
	// long: what follows belongs to a record that was rejected as too long.
	long bool
}

// Decode implements Decoder.
func (l *sugarLogFile) Decode(data []byte, atEOF bool, sink Sink) int {
	used, ok := l.lines.start(data, atEOF, sink)
	for ok && used < len(data) {
		rest := data[used:]
		if l.lines.skip != skipNothing || rest[0] == 0 {
			n := l.cut(rest, atEOF, sink)
			if n == 0 {
				break
			}
			used += n
			continue
		}
		n, extent := l.extent(rest, atEOF)
		switch extent {
		case extentOpen:
			return used
		case extentLongLine:
			n = l.cut(rest, atEOF, sink)
		default:
			if at := bytes.Index(rest[:n], hole); at > 0 {
				n = at
			}
			l.stretch(rest[:n], extent == extentTooLong, sink)
			n = l.lines.pass(rest[:n])
		}
		used += n
	}
	return used
}

// cut lets the lines deal with what is no text, or is too long to be.
func (l *sugarLogFile) cut(rest []byte, atEOF bool, sink Sink) int {
	_, n, ended := l.lines.cut(rest, atEOF, sink)
	return l.lines.passLine(n, ended)
}

type sugarExtent uint8

const (
	// extentOpen: it has to see more.
	extentOpen sugarExtent = iota
	// extentWhole: the n bytes are a record, or lines that belong to none.
	extentWhole
	// extentTooLong: the same, but they are cut off where they get too long.
	extentTooLong
	// extentLongLine: the first line alone is too long.
	extentLongLine
)

// extent finds out how far what begins at rest goes: to the next line that begins a
// record, or a zero byte at a line's start.
func (l *sugarLogFile) extent(rest []byte, atEOF bool) (n int, e sugarExtent) {
	for n < len(rest) {
		if n > 0 && rest[n] == 0 {
			return n, extentWhole
		}
		end, whole := len(rest), false
		if newline := bytes.IndexByte(rest[n:], '\n'); newline >= 0 {
			end, whole = n+newline+1, true
		}
		part := !whole && !atEOF
		if part && len(rest)-n < sugarHeadSize {
			return 0, extentOpen // it may yet turn out to be a head, or none
		}
		if n > 0 && sugarHeadOf(rest[n:end]).ok {
			return n, extentWhole
		}
		if part && len(rest) <= l.lines.max {
			return 0, extentOpen
		}
		if end > l.lines.max {
			if n == 0 {
				return 0, extentLongLine
			}
			return n, extentTooLong
		}
		n = end
	}
	if atEOF {
		return n, extentWhole
	}
	return 0, extentOpen
}

// stretch deals with a record, or with lines that belong to none.
func (l *sugarLogFile) stretch(raw []byte, cutOff bool, sink Sink) {
	text := bytes.TrimRight(raw, " \t\r\n")
	if len(text) == 0 {
		return
	}
	head := sugarHeadOf(text)
	switch {
	case head.ok && cutOff, !head.ok && l.long:
		l.long = true
		l.lines.reject(sink, raw, 0, ReasonTooLong, fmt.Sprintf("the record is longer than %d MiB, the most that one may have: it is kept in parts", MaxRecord>>20))
		return
	case !head.ok:
		l.lines.reject(sink, raw, 1, ReasonSyntax, "expected DATE [PID][USERID][LEVEL] MESSAGE: these lines belong to a record whose first line is not here")
		return
	}
	l.long = false
	if failure := l.record(head, text); failure != nil {
		l.lines.reject(sink, raw, 1, failure.reason, failure.detail)
		return
	}
	sink.Event(&l.event)
}

// record fills the event from a record.
func (l *sugarLogFile) record(head sugarHead, text []byte) *recordFailure {
	e := &l.event
	e.Reset()
	ms, wrong := crmTimeOf(head.date, l.clock.Zone)
	if wrong != "" {
		return &recordFailure{ReasonTime, "the date " + wrong + ": write English or ISO dates (logger.file.dateFormat, such as %Y-%m-%dT%H:%M:%S%z)"}
	}
	l.scratch = l.scratch[:0]
	all := unsafe.String(unsafe.SliceData(text), len(text))
	l.scratch = appendValid(l.scratch, all)
	l.scratch = bytes.ReplaceAll(l.scratch, []byte("\r\n"), []byte("\n"))
	record := unsafe.String(unsafe.SliceData(l.scratch), len(l.scratch))
	// The head is read again: escapes may have moved what it points to.
	head = sugarHeadOf(l.scratch)
	e.Time = ms
	l.hasher.Reset()
	l.hasher.Part(l.tenant)
	l.hasher.Part(sugarLogName)
	l.hasher.Part(record)
	e.UID = l.hasher.Sum()
	e.Number[schema.SourceOffset] = uint64(l.lines.at.Offset)
	e.Text[schema.MetadataTenantUID] = l.tenant
	e.Text[schema.MetadataProductName] = "SugarCRM"
	e.Text[schema.MetadataProductVendorName] = "SugarCRM"
	e.Text[schema.MetadataLogName] = "sugarcrm.log"
	e.Text[schema.MetadataLogFormat] = sugarLogName
	e.Text[schema.MetadataEventCode] = head.level
	e.AddUnmapped("pid", head.pid)
	if head.user != "-none-" {
		e.Text[schema.ActorUserUID] = head.user
	}
	l.message(e, head, record[min(head.message, len(record)):])
	return nil
}

// detectSugarLog claims a log whose first line begins a record, or that has two such
// lines further down: a log may begin in the middle of a record.
func detectSugarLog(head []byte) string {
	heads, first := 0, true
	for len(head) > 0 && heads < 2 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		head = rest
		if line = bytes.TrimLeft(bytes.TrimRight(line, " \r\t"), "\x00"); len(line) == 0 {
			continue
		}
		if sugarHeadOf(line).ok {
			if heads++; first {
				heads = 2
			}
		}
		first = false
	}
	if heads < 2 {
		return ""
	}
	return "lines that begin DATE [PID][USERID][LEVEL], as SugarLogger writes them"
}
