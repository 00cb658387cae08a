package audit

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// attributeColumns are the columns that an attribute of their name fills.
var attributeColumns = func() map[string]schema.Text {
	columns := map[string]schema.Text{}
	for _, c := range []schema.Text{
		schema.SrcEndpointIP, schema.SrcEndpointName, schema.StatusCode, schema.StatusDetail, schema.AuthProtocol, schema.LogonType,
		schema.HTTPRequestUserAgent, schema.TLSVersion, schema.MetadataCorrelationUID, schema.UserName,
	} {
		columns[c.Column()] = c
	}
	return columns
}()

// Event is the record in the terms of OCSF.
func (r *Record) Event() schema.Event {
	var e schema.Event
	e.SetTime(r.At)
	e.UID = r.identity()
	kind := classOf(r.Action)
	text := func(column schema.Text, value string) { e.Text[column] = value }
	text(schema.MetadataTenantUID, r.Tenant)
	text(schema.MetadataProductName, Product)
	text(schema.MetadataProductVendorName, Product)
	text(schema.MetadataLogName, LogName)
	text(schema.MetadataLogFormat, LogFormat)
	text(schema.SourceName, Product)
	text(schema.MetadataEventCode, r.Action)
	text(schema.APIOperation, r.Action)
	text(schema.ActorUserName, r.Actor)
	text(schema.ResourcesType, r.ObjectType)
	text(schema.ResourcesUID, r.Object)
	if _, err := schema.ParseUID(r.Object); err != nil {
		text(schema.ResourcesName, r.Object)
	}
	text(schema.Message, r.sentence())
	e.Number[schema.ClassUID] = kind.class
	e.Number[schema.ActivityID] = kind.activity
	e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	e.Number[schema.StatusID] = schema.StatusSuccess
	e.Number[schema.ActorUserTypeID] = schema.UserTypeUser
	switch {
	case isRefused(r.Action):
		// Who was turned away is known by what was claimed, or not at all.
		e.Number[schema.ActorUserTypeID] = schema.UserTypeOther
	case r.Actor == "" || r.Via == ViaItself:
		text(schema.ActorUserName, orElse(r.Actor, Product))
		e.Number[schema.ActorUserTypeID] = schema.UserTypeSystem
	}
	if r.Failed {
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
		e.Number[schema.StatusID] = schema.StatusFailure
		e.Number[schema.ActionID] = schema.ActionDenied
	}
	e.AddUnmapped("via", r.Via)
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		if column, has := attributeColumns[name]; has {
			e.Text[column] = r.Attributes[name]
		} else {
			e.AddUnmapped(name, r.Attributes[name])
		}
	}
	formats.SetSource(&e, e.Text[schema.SrcEndpointIP])
	return e
}

// isRefused says whether an action is that of somebody who was turned away.
func isRefused(action string) bool { return strings.HasSuffix(action, ".refuse") }

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// identity is the same for the same act, however often it is written.
func (r *Record) identity() schema.UID {
	var h schema.UIDHasher
	h.Part("crmwatch audit")
	if r.UID != (schema.UID{}) {
		h.Part(r.UID.String())
		return h.Sum()
	}
	h.Number(uint64(r.At.UnixMilli()))
	for _, part := range []string{r.Tenant, r.Actor, r.Via, r.Action, r.ObjectType, r.Object, r.Detail} {
		h.Part(part)
	}
	if r.Failed {
		h.Part("failed")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		h.Part(name)
		h.Part(r.Attributes[name])
	}
	return h.Sum()
}

// sentence is what people read.
func (r *Record) sentence() string {
	if r.Detail != "" {
		return r.Detail
	}
	words := []string{orElse(r.Actor, Product) + ":", r.Action}
	if r.ObjectType != "" {
		words = append(words, strings.ReplaceAll(r.ObjectType, "_", " "))
	}
	if r.Object != "" {
		words = append(words, r.Object)
	}
	if r.Failed {
		words = append(words, "(refused)")
	}
	return strings.Join(words, " ")
}

// processKey makes the hashes that stand for credentials that got into a record. Nobody
// compares them, so a key of this process will do.
var processKey = sync.OnceValue(func() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return key
})

func cleaner() *redact.Redactor { return redact.New(processKey()) }
