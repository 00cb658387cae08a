package formats

import (
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

// syslogInner reads messages that are records of another format: a JSON object of a
// gateway, a line of an access log. Which format it is shows in the content. What is
// found out is remembered for the names in an object, and for the program that sends
// lines, so that each is asked about once.
type syslogInner struct {
	options Options
	formats []Format
	// decoders are made when they are needed, one a format.
	decoders []Decoder
	objects  jsonObjects
	// shapes says by the names in an object which format reads it, as its place in
	// formats and 1; 0 means none.
	shapes memo[int]
	apps   map[string]*innerApp
}

// innerApp is what is known about the lines of one program.
type innerApp struct {
	// format is the place in formats and 1; 0 means that none is known.
	format int
	// asked is how many lines were of no known format since the last that was.
	asked int
}

const (
	// maxInnerApps is how many programs are remembered before all are forgotten.
	maxInnerApps = 256
	// maxAsked is how many lines of a program are looked at that are of no format.
	maxAsked = 64
	// minInner is shorter than any record of another format.
	minInner = 20
)

// carriedFormats lists the formats; it is set when the package starts, since the list
// contains the format that asks for it.
var carriedFormats func() []Format

func init() { carriedFormats = All }

func newSyslogInner(o Options) syslogInner {
	in := syslogInner{options: o, apps: map[string]*innerApp{}}
	in.options.Start = Position{Offset: 1} // no file begins here
	in.objects.classify = func(string) int { return 0 }
	return in
}

// carried are the formats whose records are one line.
func (in *syslogInner) carried() []Format {
	if in.formats == nil {
		for _, f := range carriedFormats() {
			if f.Line && !f.Multiline && f.Name != syslogName && f.Name != cefName && f.Name != leefName {
				in.formats = append(in.formats, f)
			}
		}
		in.decoders = make([]Decoder, len(in.formats))
	}
	return in.formats
}

// read gives the events of a message to sink; it returns false when the message is no
// record of another format.
func (in *syslogInner) read(app, text string, sink *innerSink) bool {
	if len(text) < minInner {
		return false
	}
	if text[0] == '{' {
		format := in.ofObject(app, text)
		return format > 0 && in.decode(format-1, text, sink)
	}
	if !mayHaveTime(text) {
		return false
	}
	known := in.apps[app]
	if known == nil {
		if len(in.apps) >= maxInnerApps {
			clear(in.apps)
		}
		known = &innerApp{}
		in.apps[strings.Clone(app)] = known
	}
	if known.format > 0 && in.decode(known.format-1, text, sink) {
		return true
	}
	if known.asked >= maxAsked {
		return false
	}
	known.asked++
	if format := in.detect(text); format > 0 && in.decode(format-1, text, sink) {
		known.format, known.asked = format, 0
		return true
	}
	return false
}

// ofObject finds the format of an object by the names in it.
func (in *syslogInner) ofObject(app, text string) int {
	n, err := in.objects.object(unsafe.Slice(unsafe.StringData(text), len(text)))
	if err != nil || strings.TrimSpace(text[n:]) != "" {
		return 0
	}
	var shape uint64
	for i := range in.objects.leaves {
		shape += in.objects.leaves[i].node.seed
	}
	var key [8]byte
	for i := range key {
		key[i] = byte(shape >> (8 * i))
	}
	return *in.shapes.get(app+string(key[:]), func(string) int { return in.detect(text) })
}

func (in *syslogInner) detect(text string) int {
	head := []byte(text + "\n")
	for i, f := range in.carried() {
		if len(head) <= HeadSize && f.Detect(head) != "" {
			return i + 1
		}
	}
	return 0
}

// decode reads a line with a format's decoder.
func (in *syslogInner) decode(format int, text string, sink *innerSink) bool {
	if in.decoders[format] == nil {
		in.decoders[format] = in.formats[format].New(in.options)
	}
	sink.buffer = append(append(sink.buffer[:0], text...), '\n')
	sink.events, sink.refusal = 0, recordFailure{}
	sink.own = ownRecords[in.formats[format].Name]
	in.decoders[format].Decode(sink.buffer, true, sink)
	if sink.events > 0 && sink.refusal.reason != "" {
		sink.log.lines.reject(sink.sink, sink.raw, 0, sink.refusal.reason, sink.refusal.detail)
	}
	return sink.events > 0
}

// mayHaveTime says whether a text has a date in numbers, as records of other formats
// have one of their own: 2026-03, /2026:.
func mayHaveTime(text string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], "20")
		if at < 0 {
			return false
		}
		at += from
		if _, ok := twoDigits(text[at+2:]); ok && at+4 < len(text) && (text[at+4] == '-' || text[at+4] == ':') {
			return true
		}
		from = at + 2
	}
}

// innerSink puts what the header says around the events of an inner record.
type innerSink struct {
	log    *syslogLog
	raw    []byte
	line   string
	sink   Sink
	buffer []byte
	events uint64
	// own says that the record is of the program that sent the message.
	own bool
	// refusal is why a part of the record could not be read.
	refusal recordFailure
}

// ownRecords are the formats in which programs write about themselves, unlike those of
// gateways, which write about others.
var ownRecords = map[string]bool{otlpName: true, gelfName: true, logfmtName: true, jsonLinesName: true}

// Event implements Sink.
func (s *innerSink) Event(e *schema.Event) {
	if h := &s.log.header; s.own && e.Text[schema.ActorAppName] == "" && e.Number[schema.ClassUID] != schema.ClassAuthentication {
		e.Text[schema.ActorAppName] = h.app
	}
	if app := s.log.header.app; s.own && app != "" && strings.HasSuffix(e.Text[schema.MetadataProductName], " log") { // the record names no product
		e.Text[schema.MetadataProductName] = app
	}
	s.log.around(e)
	s.log.give(e, s.line, s.events, s.sink)
	s.events++
}

// Reject implements Sink. A message without any event is read as a text.
func (s *innerSink) Reject(r Rejection) { s.refusal = recordFailure{r.Reason, r.Detail} }
