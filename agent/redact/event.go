package redact

import (
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/crmwatch/crmwatch/schema"
)

// credentials are the columns into which decoders put credentials as they are.
var credentials = [...]schema.Text{schema.ActorSessionUID, schema.ActorSessionUIDAlt, schema.SessionCredentialUID}

// freeText are the columns into which anybody can have written anything.
var freeText = [...]schema.Text{
	schema.HTTPRequestURLPath, schema.HTTPRequestURLQuery, schema.HTTPRequestReferrer, schema.QueryString,
	schema.StatusDetail, schema.Message, schema.ResourcesUID, schema.RawData,
}

// repeating are those in which the same few texts stand again and again.
var repeating = [...]schema.Text{schema.HTTPRequestUserAgent, schema.HTTPRequestXForwardedFor, schema.ResourcesName}

// names are the columns that hold a name, and a token only by mistake.
var names = [...]schema.Text{schema.UserName, schema.ActorUserName}

// Event replaces the secrets of an event: credentials by their hash, and those in
// free text and in unmapped values by their kind. Calling it again with the same
// Redactor changes nothing.
func (r *Redactor) Event(e *schema.Event) {
	for _, column := range credentials {
		if e.Text[column] != "" {
			e.Text[column] = r.Hash(e.Text[column])
		}
	}
	for _, column := range freeText {
		if s := e.Text[column]; len(s) >= minText {
			e.Text[column] = r.Text(s)
		}
	}
	for _, column := range repeating {
		if s := e.Text[column]; len(s) >= minText {
			e.Text[column] = r.cleaned(s)
		}
	}
	for _, column := range names {
		if s := e.Text[column]; len(s) >= minRun {
			e.Text[column] = r.token(s)
		}
	}
	for i := range e.Unmapped {
		a := &e.Unmapped[i]
		known := &r.field[i%fieldsKnown]
		if known.name != a.Name {
			known.kind, known.weak = r.kindOfName(a.Name)
			known.name = strings.Clone(a.Name)
		}
		if known.kind != noKind && isSecretValue(a.Value, known.kind, known.weak, false) {
			a.Value = r.secretField(a.Value, known.kind)
		} else if len(a.Value) >= minRun || hasMark(a.Value) {
			a.Value = r.Text(a.Value)
		}
	}
}

// secretField replaces the value of a field that is named as secrets are.
func (r *Redactor) secretField(value string, kind Kind) string {
	switch {
	case kind.hashed():
		return r.Hash(value)
	case isMarked(value):
		return value
	}
	r.count[kind]++
	return marker + kind.String() + "]"
}

// token is Text for names: it looks only for what can be nothing but a token.
func (r *Redactor) token(s string) string {
	r.spans = r.spans[:0]
	r.findTokens(s)
	if len(r.spans) == 0 {
		return s
	}
	return r.replace(s)
}

const (
	// cleanKnown is how many clean texts are remembered, a power of two, and
	// maxClean the length of the longest.
	cleanKnown = 512
	maxClean   = 256
	// fieldsKnown is how many places of unmapped fields are remembered: the records
	// of one log have the same names in the same places.
	fieldsKnown = 64
)

// cleaned is Text for columns whose values repeat: a text that was clean before is
// clean now.
func (r *Redactor) cleaned(s string) string {
	if len(s) > maxClean {
		return r.Text(s)
	}
	slot := &r.clean[xxh3.HashString(s)%cleanKnown]
	if *slot == s {
		return s
	}
	clean := r.Text(s)
	if len(clean) == len(s) && clean == s {
		*slot = strings.Clone(s)
	}
	return clean
}
