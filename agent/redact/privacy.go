package redact

import (
	"crypto/cipher"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/crmwatch/crmwatch/schema"
)

// PrivacyOptions say what is stored of people.
type PrivacyOptions struct {
	// Key makes the pseudonyms; nil means that people keep their names.
	Key *PseudonymKey
	// Users, Addresses and IDs say what becomes a pseudonym: the names of users, e-mail
	// addresses wherever they stand, and the ids that products give to users.
	Users, Addresses, IDs bool
	// KeepDomain leaves the domain of an address behind its pseudonym.
	KeepDomain bool
	// Except are names that stay readable, as those of service accounts, in lower case;
	// * stands for any text.
	Except []string
	// FreeText are the columns of free text that are kept when LimitFreeText is set, and
	// Drop those that are not stored; see CheckFreeText and CheckDrop.
	LimitFreeText bool
	FreeText      []string
	Drop          []string
}

// Any says whether there is anything to do.
func (o *PrivacyOptions) Any() bool {
	return o != nil && (o.Key != nil || o.LimitFreeText || len(o.Drop) > 0)
}

// LeavesOut says whether a column is not stored, such as one that a rule needs.
func (o *PrivacyOptions) LeavesOut(column string) bool {
	if o == nil {
		return false
	}
	m := newMinimum(o)
	return m.reason(column) != stored
}

// Privacy takes people out of events, after their secrets: their names become
// pseudonyms, and what is not to be stored is left out. Equal names have equal
// pseudonyms, so rules count and join as before. It is not safe for concurrent use:
// Clone it for each worker.
type Privacy struct {
	options *PrivacyOptions
	minimum minimum
	persons map[string]*person
	serial  uint32
	// own are the people that the event itself names.
	own      [len(userColumns)]*person
	subject  subject
	seen     [seenKnown]seenValue
	found    []exchange
	identity cipher.Block
}

// subject are the serials of the people that an event names.
type subject [len(userColumns)]uint32

// seenKnown is how many values of dictionary columns are remembered, a power of two.
const seenKnown = 1024

// seenValue is what became of a value of a column in an event of the same people.
type seenValue struct {
	column  schema.Text
	subject subject
	value   string
	clean   string
}

// userColumns are the columns that hold who somebody is.
var userColumns = [...]schema.Text{
	schema.ActorUserName, schema.UserName, schema.ActorUserEmailAddr, schema.ActorUserUID, schema.UserUID,
}

// namingColumns are those, beside free text, in which users may be named.
var namingColumns = [...]schema.Text{
	schema.HTTPRequestURLPath, schema.HTTPRequestURLQuery, schema.HTTPRequestReferrer, schema.QueryString, schema.StatusDetail, schema.Message,
	schema.ResourcesUID, schema.RawData, schema.HTTPRequestUserAgent, schema.ResourcesName,
	schema.SrcEndpointName, schema.DstEndpointHostname, schema.ActorAppUID, schema.ActorAppName, schema.ActorClientName, schema.ActorIDPUID,
	schema.MetadataCorrelationUID, schema.MetadataOriginalEventUID, schema.ActorUserName, schema.UserName, schema.ActorUserEmailAddr,
	schema.ActorUserUID, schema.UserUID,
}

// lookedAt says how a column is looked at: for the event's own people and addresses,
// for addresses alone, or not at all.
var lookedAt = func() (how [schema.TextCount]uint8) {
	for column, kind := range columnKinds {
		if kind != plainColumn && kind != credentialColumn && schema.Text(column) != schema.SourceFile {
			how[column] = forAddresses
		}
	}
	for _, column := range namingColumns {
		how[column] = forPeople
	}
	return how
}()

// isUser says of a column whether it is one of userColumns.
var isUser = func() (is [schema.TextCount]bool) {
	for _, column := range userColumns {
		is[column] = true
	}
	return is
}()

const (
	notAtAll uint8 = iota
	forAddresses
	forPeople
)

// NewPrivacy makes the Privacy of one source. fallback is a secret of the installation
// that identities are made with when there is no key of pseudonyms.
func NewPrivacy(o *PrivacyOptions, fallback *Redactor) *Privacy {
	p := &Privacy{options: o, minimum: newMinimum(o), persons: map[string]*person{}}
	if o.Key != nil {
		p.identity = uidCipher(o.Key.key)
	} else {
		p.identity = uidCipher(fallback.key)
	}
	return p
}

// Clone makes a Privacy for another worker; nil has a nil clone.
func (p *Privacy) Clone() *Privacy {
	if p == nil {
		return nil
	}
	return &Privacy{options: p.options, minimum: newMinimum(p.options), persons: map[string]*person{}, identity: p.identity}
}

// Event takes the people out of an event that went through r.Row or r.Event. Its strings
// may be kept as long as those that came.
func (p *Privacy) Event(r *Redactor, e *schema.Event) {
	if p.options.Key != nil {
		p.name(e)
	}
	p.minimum.reduce(e)
	if p.options.Key != nil {
		p.columns(r, e)
		for i := range e.Unmapped {
			a := &e.Unmapped[i]
			a.Value = p.text(a.Value)
			if strings.IndexByte(a.Name, '@') >= 0 || strings.IndexByte(a.Name, '%') >= 0 || strings.IndexByte(a.Name, '\\') >= 0 {
				a.Name = p.text(a.Name)
			}
		}
	}
	p.identity.Encrypt(e.UID[:], e.UID[:])
}

// name finds out whom the event names, and puts their pseudonyms into their columns.
func (p *Privacy) name(e *schema.Event) {
	for i, column := range userColumns {
		p.own[i], p.subject[i] = nil, 0
		value := e.Text[column]
		if value == "" || !p.asked(column) {
			continue
		}
		o := p.person(value)
		if o == nil || o.stays {
			continue
		}
		e.Text[column] = o.pseudonym
		known := false
		for _, other := range p.own[:i] {
			known = known || other == o
		}
		if !known {
			p.own[i], p.subject[i] = o, o.serial
		}
	}
}

// asked says whether a column of userColumns becomes pseudonyms.
func (p *Privacy) asked(column schema.Text) bool {
	switch column {
	case schema.ActorUserName, schema.UserName:
		return p.options.Users
	case schema.ActorUserEmailAddr:
		return p.options.Addresses
	}
	return p.options.IDs
}

// columns looks for people in all columns. What repeats is cleaned of secrets here too:
// in a batch that comes later, and an address could hide where a password begins.
func (p *Privacy) columns(r *Redactor, e *schema.Event) {
	for i := range e.Text {
		column, value := schema.Text(i), e.Text[i]
		if value == "" || lookedAt[i] == notAtAll || isUser[i] && PseudonymKeyID(value) == p.options.Key.id {
			continue
		}
		if lookedAt[i] == forAddresses && strings.IndexByte(value, '@') < 0 && strings.IndexByte(value, '%') < 0 && strings.IndexByte(value, '\\') < 0 {
			continue
		}
		if !schema.IsDictionary(column) {
			e.Text[i] = p.text(value)
			continue
		}
		if len(value) > maxClean {
			e.Text[i] = p.text(r.Column(column, value))
			continue
		}
		known := &p.seen[(xxh3.HashString(value)^uint64(p.subject[0])<<3^uint64(i))%seenKnown]
		if known.value != value || known.column != column || known.subject != p.subject {
			own := strings.Clone(value)
			*known = seenValue{column, p.subject, own, p.text(r.Column(column, own))}
		}
		e.Text[i] = known.clean
	}
}

// text puts pseudonyms in the place of the event's own people and of all addresses.
func (p *Privacy) text(s string) string {
	p.found = p.found[:0]
	for _, o := range p.own {
		if o != nil {
			p.found = o.findIn(s, p.found)
		}
	}
	if p.options.Addresses && len(s) >= minAddress {
		p.found = p.findAddresses(s, p.found)
	}
	if len(p.found) == 0 {
		return s
	}
	return exchanged(s, p.found)
}

// Content is what may be stored of a record that could not be understood, and went
// through r.Text: nobody knows where its names stand, so only addresses are replaced.
func (p *Privacy) Content(s string) string {
	if p == nil {
		return s
	}
	if p.minimum.content != stored {
		return ""
	}
	if p.options.Key == nil {
		return s
	}
	p.own, p.subject = [len(userColumns)]*person{}, subject{}
	return p.text(s)
}

// Word is text of the last event, such as one of its fields, with its people taken out.
func (p *Privacy) Word(s string) string {
	if p == nil || p.options.Key == nil {
		return s
	}
	return p.text(s)
}

// Why says why a column, or unmapped.NAME, is not stored: Dropped, Emptied or "".
func (p *Privacy) Why(column string) string { return p.minimum.reason(column) }

// Pseudonyms counts the pseudonyms in a text.
func (p *Privacy) Pseudonyms(s string) uint64 {
	if p.options.Key == nil {
		return 0
	}
	return uint64(strings.Count(s, pseudonymPrefix+p.options.Key.id+"-"))
}
