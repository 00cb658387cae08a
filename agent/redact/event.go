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

// parsed are the columns whose values are written by decoders, not by logs.
var parsed = [...]schema.Text{schema.SrcEndpointIP, schema.SrcEndpointNetwork, schema.MetadataLogFormat, schema.SourceName}

// columnKind says how a column is redacted.
type columnKind uint8

const (
	// nameColumn holds a name or an id, and a secret only by mistake.
	nameColumn columnKind = iota
	credentialColumn
	textColumn
	repeatingColumn
	plainColumn
)

var columnKinds = func() (kinds [schema.TextCount]columnKind) {
	for kind, columns := range map[columnKind][]schema.Text{
		credentialColumn: credentials[:], textColumn: freeText[:], repeatingColumn: repeating[:], plainColumn: parsed[:],
	} {
		for _, column := range columns {
			kinds[column] = kind
		}
	}
	return kinds
}()

// Column is what may be stored of a value in a column.
func (r *Redactor) Column(column schema.Text, value string) string {
	switch columnKinds[column] {
	case credentialColumn:
		return r.Hash(value)
	case textColumn:
		return r.Text(value)
	case repeatingColumn:
		return r.cleaned(value)
	case nameColumn:
		return r.Name(value)
	}
	return value
}

// Name is what may be stored of a name or an id. Text of several words is cleaned as
// all text is; in a single word only that is looked for which can be nothing but a
// token, or is a bank account as a whole, because ids look like secrets.
func (r *Redactor) Name(value string) string {
	switch {
	case ibanLength(value) == len(value) && iban(value, 0) == len(value):
		return r.Text(value)
	case len(value) < minRun && !hasMark(value), isHexID(value):
		return value
	case hasBreak(value):
		return r.cleaned(value)
	}
	return r.token(value)
}

// Event replaces the secrets of an event: credentials by their hash, and those in
// free text and in unmapped values by their kind. Calling it again with the same
// Redactor changes nothing.
func (r *Redactor) Event(e *schema.Event) {
	for column, value := range e.Text {
		if value != "" {
			e.Text[column] = r.Column(schema.Text(column), value)
		}
	}
	r.unmapped(e)
	for i := range e.Unmapped {
		e.Unmapped[i].Name = r.Name(e.Unmapped[i].Name)
	}
}

// rowColumns are the columns whose values do not repeat.
var rowColumns = func() (columns []schema.Text) {
	for column, kind := range columnKinds {
		if kind != plainColumn && !schema.IsDictionary(schema.Text(column)) {
			columns = append(columns, schema.Text(column))
		}
	}
	return columns
}()

// Row is Event but for the dictionary columns: those a batch has cleaned by Column,
// once for each value.
func (r *Redactor) Row(e *schema.Event) {
	for _, column := range rowColumns {
		if value := e.Text[column]; value != "" {
			e.Text[column] = r.Column(column, value)
		}
	}
	r.unmapped(e)
}

// unmapped takes the secrets out of the fields without a column.
func (r *Redactor) unmapped(e *schema.Event) {
	for i := range e.Unmapped {
		a := &e.Unmapped[i]
		known := &r.field[i%fieldsKnown]
		if known.name != a.Name {
			known.kind, known.weak = r.kindOfName(a.Name)
			known.name = strings.Clone(a.Name)
		}
		if i > 0 && isNextWord(e.Unmapped[i-1].Name, a.Name) && !isMarked(a.Value) {
			// A log that is cut into words puts the scheme into one and the token into the next.
			if isScheme(e.Unmapped[i-1].Value) {
				a.Value = r.secretField(a.Value, KindPassword)
				continue
			} else if strings.HasPrefix(a.Value, "KEY-----") {
				a.Value = r.secretField(a.Value, KindPrivateKey)
				continue
			}
		}
		if known.kind != noKind && isSecretValue(a.Value, known.kind, known.weak, false) {
			a.Value = r.secretField(a.Value, known.kind)
		} else if len(a.Value) >= minRun || hasMark(a.Value) {
			a.Value = r.Text(a.Value)
		}
	}
}

// isHexID says whether s is a number, a hash or a UUID: no token is known by that form.
func isHexID(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && !isHex(c) {
			return false
		}
	}
	return len(s) < 64
}

// hasBreak says whether s is more than one word.
func hasBreak(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == ' ' || c == '=' || c == '\t' || c == '\n' {
			return true
		}
	}
	return false
}

// isNextWord says whether two names differ only in their number, as those of fields
// that have no name of their own do.
func isNextWord(before, name string) bool {
	const digits = "0123456789"
	stem := strings.TrimRight(name, digits)
	return len(stem) < len(name) && name != before && strings.TrimRight(before, digits) == stem
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

// token looks only for what can be nothing but a token.
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
