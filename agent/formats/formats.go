// Package formats turns the bytes of a log into events. Each log family has one
// file with its decoder. Decoders are pure: no files, no network, no clock.
package formats

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// HeadSize is how many bytes of a file Detect wants to see, at most.
const HeadSize = 64 << 10

// Format is one family of logs.
type Format struct {
	// Name is the word used in the configuration and in metadata_log_format.
	Name string
	// Title names the family for people.
	Title string
	// Line says that a record is one line, or begins one, so that the log can be
	// followed while it is written. The other formats are read as finished files.
	Line bool
	// Multiline says that more lines may belong to a record that looks whole: where
	// it ends shows only when the next begins. Decode does not use the last record
	// until then, or until atEOF; whoever follows such a log gives its last lines
	// with atEOF when it has been quiet for a while.
	Multiline bool
	// Identified says that records have an identifier of their own, by which their
	// UID is made: two with one UID are one event, also in one file or in one
	// followed log. In other formats what is repeated is counted.
	Identified bool
	// Detect looks at the head of a file (at most HeadSize bytes, cut anywhere)
	// and says why it is this format, or "" when it is not.
	Detect func(head []byte) (why string)
	// New makes a decoder for one file, or for one followed log.
	New func(Options) Decoder
}

// Options are what a decoder needs to know and the log does not say.
type Options struct {
	// Tenant is used where the log names no tenant.
	Tenant string
	// Zone is used for times without a zone; nil means UTC.
	Zone *time.Location
	// DateOrder is that of days and months where a date alone does not tell, such as
	// 02/03/2026; unknown means that such a date is refused unless the file tells.
	DateOrder DateOrder
	// Reference is a moment at which the log was there, such as when its file was last
	// written: times without a year are of the last year in which they do not lie
	// behind it. Zero means that it is not known.
	Reference time.Time
	// Start is where the first byte given to Decode stands in the file.
	Start Position
}

// Position is a place in a (decompressed) file.
type Position struct {
	// Offset counts bytes from 0.
	Offset int64
	// Line counts from 1; 0 means that it is not known.
	Line int64
}

// Decoder reads the records of one file. It keeps what it learned from earlier
// calls (a header, a line number), and is not safe for concurrent use.
type Decoder interface {
	// Decode reads the whole records at the start of data, gives each to sink, and
	// returns how many bytes it used up. Bytes after the last whole record are not
	// used; the caller gives them again with more behind them. With atEOF nothing
	// more will come: all of data is used, and what is left of a record is rejected.
	// Every byte used belongs to an event, a rejection, a header or white space.
	Decode(data []byte, atEOF bool, sink Sink) (used int)
}

// Sink takes what a decoder reads, in the order of the file. The event and its
// strings, and the rejection's content, are valid only during the call.
type Sink interface {
	Event(*schema.Event)
	Reject(Rejection)
}

// Rejection is a stretch of bytes that is not a readable record.
type Rejection struct {
	Position
	// Column counts from 1, in bytes of the line; 0 where it is not known.
	Column int
	// Reason is one of the Reason constants, Detail the sentence for a person:
	// what was found, what was expected, and how to mend it. Detail holds no value
	// from the record.
	Reason string
	Detail string
	// Content is the bytes as they stand in the file, not yet redacted.
	Content []byte
}

// Reasons for a rejection: few and fixed, so that they can be counted.
const (
	ReasonColumnCount     = "wrong column count"
	ReasonQuote           = "unbalanced quote"
	ReasonTime            = "unreadable time"
	ReasonCut             = "record cut off"
	ReasonTooLong         = "record too long"
	ReasonNotText         = "not text"
	ReasonSyntax          = "syntax error"
	ReasonHeader          = "unusable header"
	ReasonEventType       = "no event type"
	ReasonUnknownFormat   = "unknown format"
	ReasonUnreadableBytes = "unreadable bytes"
)

// MaxRecord is the longest record that is decoded, in bytes; a longer one is
// rejected in parts with ReasonTooLong, so memory stays bounded.
const MaxRecord = 4 << 20

var all = []Format{
	salesforceELF,
	loginHistory,
	setupAuditTrail,
	salesforceRTEM,
	hubspot,
	zoho,
	sugarAudit,
	sugarLog,
	sugarAccess,
	microsoftAudit,
	entraSignIn,
	mulesoftAudit,
	mulesoftAnalytics,
	mulesoftJSON,
	boomiAudit,
	boomiExecution,
	workatoJob,
	workatoActivity,
	windowsEvents,
	cef,
	leef,
	syslog,
	mulesoftLog,
	boomiLog,
	bpaLog,
	kong,
	nginxJSON,
	apiGateway,
	envoy,
	envoyJSON,
	apache,
	nginx,
	// The records of these could be anybody's: they come last.
	otlp,
	gelf,
	logfmt,
	jsonLines,
	genericCSV,
}

// All lists the formats in the order in which Detect asks them: the mappings of the
// user come first.
func All() []Format { return append(mappings(), all...) }

// ByName finds a format by its name.
func ByName(name string) (Format, error) {
	var names []string
	for _, f := range append(mappings(), all...) {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(names, ", "))
}

// Detect finds the format of a file from its first bytes.
func Detect(head []byte) (f Format, why string, ok bool) {
	head = bytes.TrimPrefix(head, byteOrderMark)
	for _, f := range append(mappings(), all...) {
		if why := f.Detect(head); why != "" {
			return f, why, true
		}
	}
	return Format{}, "", false
}

// byteOrderMark is UTF-8's, which some tools write at the start of a file.
var byteOrderMark = []byte("\xEF\xBB\xBF")
