package formats

import (
	"bytes"
	"slices"

	"github.com/crmwatch/crmwatch/schema"
)

// anyones are the formats whose records could be any other format's: they claim only
// what no other claims.
var anyones = []string{logfmtName, jsonLinesName, genericCSVName}

// specific are all formats but anyones; they are known only when all is.
var specific []Format

func init() {
	for _, f := range all {
		if !slices.Contains(anyones, f.Name) {
			specific = append(specific, f)
		}
	}
}

// isOthers says whether a format of its own claims the head.
func isOthers(head []byte) bool {
	return slices.ContainsFunc(specific, func(f Format) bool { return f.Detect(head) != "" })
}

// genericEvidence is what the names in a head say about whether it is a log. Tables
// and documents have dates and names too, so a time is not enough.
type genericEvidence struct{ seen [genericFields]bool }

func (g *genericEvidence) see(field genericField, value string) {
	switch field {
	case genericLevel: // of a tank, of an account
		if isNumber(value) || genericSeverity(value) == schema.SeverityUnknown {
			return
		}
	case genericMethod: // of payment
		if activityOfMethod(value).http == 0 {
			return
		}
	}
	g.seen[field] = true
}

// isLog says whether the fields are those of a log: a time, and something that tells
// of somebody who does something. The names of the second rank are found in many
// tables, so it takes two of them.
func (g *genericEvidence) isLog() bool {
	count := func(fields ...genericField) (n int) {
		for _, field := range fields {
			if g.seen[field] {
				n++
			}
		}
		return n
	}
	strong := count(genericSource, genericUserName, genericUserID, genericMethod, genericHTTPStatus, genericOutcome, genericOperation, genericLevel, genericLevelPython,
		genericLevelOTel, genericSession, genericCredential, genericUserAgent, genericRequestLine, genericAppID, genericStatement, genericCRMRequest)
	weak := count(genericUserEmail, genericStatus, genericURL, genericPath, genericMessage, genericAppName, genericService, genericEvent, genericObject, genericRows,
		genericError, genericCorrelation, genericRequestID, genericTrace, genericDuration, genericMillis, genericSeconds, genericMicros, genericNanos, genericPeer)
	if g.seen[genericTime] {
		return strong > 0 || weak > 1
	}
	return count(genericTime2, genericDate) > 0 && strong > 1
}

// unreadable says whether too much of a head cannot be read for it to be a log. A bad
// day has up to two rejections for each event.
func (s *countingSink) unreadable() bool { return s.rejections > 2*s.events }

// jsonStart is a head from its first line on, or from its second where the first was
// cut off, if JSON begins there; a text with an example of JSON in it is none.
func jsonStart(head []byte) []byte {
	for range 2 {
		head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n,\x00")
		if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
			return head
		}
		_, head, _ = bytes.Cut(head, []byte{'\n'})
	}
	return nil
}
