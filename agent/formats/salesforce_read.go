package formats

import (
	"net/url"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// salesforceReader fills an event from source fields, one at a time. It keeps what
// it has converted before, and what the fields of the present record said about
// its outcome.
type salesforceReader struct {
	event     *schema.Event
	addresses addresses
	ids       memo[string]
	agents    memo[string]
	statuses  memo[loginStatus]
	outcome   outcome
	// foreign: texts are in another language than English.
	foreign bool
}

// outcome is what the fields of a record say about its success. A failure outweighs
// a success: REQUEST_STATUS is S also where the code threw an exception.
type outcome struct {
	failed, succeeded, other, denied, limited bool
	// login: the login's own status is known, and decides alone.
	login bool
}

func (o outcome) statusID() uint64 {
	switch {
	case o.failed:
		return schema.StatusFailure
	case o.other:
		return schema.StatusOther
	case o.succeeded:
		return schema.StatusSuccess
	}
	return schema.StatusUnknown
}

// begin starts a record.
func (r *salesforceReader) begin(e *schema.Event) {
	r.event, r.outcome = e, outcome{}
	e.Text[schema.MetadataProductName] = "Salesforce"
	e.Text[schema.MetadataProductVendorName] = "Salesforce"
}

// end fills what depends on several fields.
func (r *salesforceReader) end() {
	e, o := r.event, r.outcome
	e.Number[schema.StatusID] = o.statusID()
	if o.denied {
		e.Number[schema.ActionID] = schema.ActionDenied
	}
	if o.limited {
		e.Number[schema.IsRateLimited] = 1
	}
	if e.Number[schema.SeverityID] == 0 {
		e.Number[schema.SeverityID] = uint64(schema.SeverityInformational)
	}
}

// id is salesforceID, remembered.
func (r *salesforceReader) id(value string) string {
	if len(value) == 18 && value[:3] != "000" || len(value) != 15 && len(value) != 18 {
		return value
	}
	return *r.ids.get(value, salesforceID)
}

// text fills a column, unless a field of a higher rank has.
func (r *salesforceReader) text(column schema.Text, name, value string) {
	switch have := r.event.Text[column]; {
	case have == "":
		r.event.Text[column] = value
	case have != value:
		r.event.AddUnmapped(name, value)
	}
}

// number fills a column with a count that the source writes as text.
func (r *salesforceReader) number(column schema.Number, name, value string) {
	n, ok := parseCount(value)
	if !ok || r.event.Number[column] != 0 && r.event.Number[column] != n {
		r.event.AddUnmapped(name, value)
		return
	}
	r.event.Number[column] = n
}

// parseCount reads digits; a fraction of zeros is dropped, a minus is refused.
func parseCount(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 19 {
		return 0, false
	}
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return n, i > 0 && s[i] == '.' && strings.Trim(s[i+1:], "0") == ""
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

// parseFlag reads a boolean: documents say true and false, files hold 1 and 0.
func parseFlag(s string) (value, ok bool) {
	switch s {
	case "1", "true", "TRUE", "True", "yes", "Yes":
		return true, true
	case "0", "false", "FALSE", "False", "no", "No":
		return false, true
	}
	return false, false
}

// read deals with a field that is not empty.
func (r *salesforceReader) read(c *salesforceColumn, value string) {
	e := r.event
	switch c.kind {
	case readText:
		r.text(c.text, c.name, value)
	case readID:
		if have := e.Text[c.text]; len(have) == 18 && len(value) == 15 && have[:15] == value {
			return
		}
		r.text(c.text, c.name, r.id(value))
	case readNumber:
		r.number(c.number, c.name, value)
	case readFlag:
		if on, ok := parseFlag(value); !ok {
			e.AddUnmapped(c.name, value)
		} else if on {
			e.Number[c.number] = 1
		}
	case readResource:
		r.resource(c, value)
	case readEntity:
		r.text(schema.ResourcesName, c.name, value)
		if e.Text[schema.ResourcesType] == "" || e.Text[schema.ResourcesType] == "job" {
			e.Text[schema.ResourcesType] = "sobject"
		}
	case readAddress:
		r.address(c.name, value)
	case readPath:
		r.path(c.name, value)
	case readURL:
		r.url(c.name, value)
	case readHost:
		r.host(c.name, value)
	case readMethod:
		r.method(c.name, value)
	case readUserAgent:
		if strings.IndexByte(value, '%') >= 0 {
			value = *r.agents.get(value, unescapePercent)
		}
		r.text(schema.HTTPRequestUserAgent, c.name, value)
	case readUserType:
		r.userType(value)
	case readAPIType:
		if label, ok := apiTypes[value]; ok {
			value = label
		}
		r.text(schema.APIServiceName, c.name, value)
	case readAPIVersion:
		// Salesforce writes these two where there is no version.
		if value == "9998.0" || value == "9999.0" {
			e.AddUnmapped(c.name, value)
			return
		}
		r.text(schema.APIVersion, c.name, value)
	case readTLSVersion:
		if value = tlsVersion(value); value != "" {
			r.text(schema.TLSVersion, c.name, value)
		}
	case readLoginType:
		if t, ok := loginTypeOf(value); ok {
			t.set(e)
		} else {
			e.Text[schema.LogonType] = value
		}
	case readLoginSubType:
		r.text(schema.LogonSubType, c.name, value)
		if plain := plainName(value); plain == "oauthclientcredential" || plain == "oauthclientcredentials" {
			e.Number[schema.ActorUserTypeID] = schema.UserTypeService
		}
	case readAuthMethod:
		// RFC 8176 names for the ways in which a user was authenticated.
		if strings.Contains(strings.ToLower(value), "mfa") {
			e.Number[schema.IsMFA] = 1
		}
		e.AddUnmapped(c.name, value)
	case readNothing:
	case readUnmapped, readTwin:
		e.AddUnmapped(c.name, value)
	case readGuest:
		if guest, _ := parseFlag(value); guest && e.Text[schema.ActorUserType] == "" {
			r.userType("Guest")
		}
	case readFailed:
		if failed, ok := parseFlag(value); !ok {
			e.AddUnmapped(c.name, value)
		} else if failed {
			r.outcome.failed = true
		}
	case readTransferSize:
		if e.Text[schema.APIOperation] == "saveVersion" {
			r.number(schema.TrafficBytesOut, c.name, value)
		} else {
			r.number(schema.TrafficBytesIn, c.name, value)
		}
	default:
		r.readStatus(c, value)
	}
}

func unescapePercent(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// resource fills resources_uid and, unless a column of higher rank has, its type.
func (r *salesforceReader) resource(c *salesforceColumn, value string) {
	e := r.event
	have := e.Text[schema.ResourcesUID]
	if len(have) == 18 && len(value) == 15 && have[:15] == value {
		return
	}
	id := r.id(value)
	if have == "" && id != "" {
		e.Text[schema.ResourcesUID] = id
		if e.Text[schema.ResourcesType] == "" {
			e.Text[schema.ResourcesType] = c.label
		}
		return
	}
	if id != have {
		e.AddUnmapped(c.name, value)
	}
}

func (r *salesforceReader) userType(value string) {
	r.event.Text[schema.ActorUserType] = value
	switch value {
	case "Guest":
		r.event.Number[schema.ActorUserTypeID] = schema.UserTypeOther
	case "Standard", "CsnOnly", "CspLitePortal", "CustomerSuccess", "PowerCustomerSuccess", "PowerPartner", "SelfService":
		if r.event.Number[schema.ActorUserTypeID] == 0 {
			r.event.Number[schema.ActorUserTypeID] = schema.UserTypeUser
		}
	}
}
