package formats

import (
	"net/url"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// platformAddress is what Salesforce writes instead of an address for calls that
// come from inside its own platform.
const platformAddress = "Salesforce.com IP"

// address fills where a request came from. Text that is no address is kept.
func (r *salesforceReader) address(name, value string) {
	e := r.event
	if value == platformAddress {
		e.Text[schema.SrcEndpointName] = value
		return
	}
	if have := e.Text[schema.SrcEndpointIP]; have != "" {
		if have != value {
			e.AddUnmapped(name, value)
		}
		return
	}
	if !r.addresses.set(e, value) {
		e.AddUnmapped(name, value)
	}
}

// path fills the path of a request, its query, and the bulk job that it names.
func (r *salesforceReader) path(name, value string) {
	e := r.event
	if e.Text[schema.HTTPRequestURLPath] != "" {
		r.text(schema.HTTPRequestURLPath, name, value)
		return
	}
	path, query, _ := strings.Cut(value, "?")
	e.Text[schema.HTTPRequestURLPath] = path
	if query != "" {
		r.text(schema.HTTPRequestURLQuery, name, query)
	}
}

// jobOfPath is the id of the bulk job that a path of the Bulk API 2.0 names
// (".../jobs/query/<id>", ".../jobs/ingest/<id>/batches"), and whether nothing
// stands behind the id.
func jobOfPath(path string) (id string, last bool) {
	_, rest, found := strings.Cut(path, "/jobs/")
	if !found {
		return "", false
	}
	kind, rest, found := strings.Cut(rest, "/")
	if !found || kind != "query" && kind != "ingest" {
		return "", false
	}
	id, rest, _ = strings.Cut(rest, "/")
	if len(id) != 15 && len(id) != 18 {
		return "", false
	}
	return id, rest == ""
}

// url fills where the platform called out to. A user name or password in the URL
// is left out.
func (r *salesforceReader) url(name, value string) {
	e := r.event
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" {
		r.path(name, value)
		return
	}
	e.Text[schema.DstEndpointHostname] = parsed.Hostname()
	r.text(schema.HTTPRequestURLPath, name, parsed.EscapedPath())
	r.text(schema.HTTPRequestURLQuery, name, parsed.RawQuery)
}

// host fills the host that was called; the value may be a URL.
func (r *salesforceReader) host(name, value string) {
	host := value
	if _, rest, found := strings.Cut(host, "://"); found {
		host = rest
	}
	host, _, _ = strings.Cut(host, "/")
	r.text(schema.DstEndpointHostname, name, host)
}

// method fills the HTTP method. In some event types METHOD is the name of an
// operation instead.
func (r *salesforceReader) method(name, value string) {
	if isHTTPMethod(value) {
		r.text(schema.HTTPRequestMethod, name, value)
		return
	}
	if upper := strings.ToUpper(value); isHTTPMethod(upper) {
		r.text(schema.HTTPRequestMethod, name, upper)
		return
	}
	r.text(schema.APIOperation, name, value)
}

func isHTTPMethod(s string) bool {
	switch s {
	case "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT":
		return true
	}
	return false
}
