package formats

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"

	"github.com/crmwatch/crmwatch/schema"
)

const sugarAccessName = "sugarcrm-access"

// sugarAccess is the access log of the web server in front of SugarCRM. Sugar keeps
// no log of its REST API, so this is where its calls are seen: /rest/v11_20/... for
// modules and their records, /rest/v11_20/oauth2/token for logins. Lines about
// anything else are what they are in an access log.
var sugarAccess = Format{
	Name:   sugarAccessName,
	Title:  "nginx or Apache access log of SugarCRM (combined)",
	Line:   true,
	Detect: detectSugarAccess,
	New: func(o Options) Decoder {
		return &sugarAccessLog{inner: nginx.New(o)}
	},
}

type sugarAccessLog struct {
	inner Decoder
	sink  Sink
}

// Decode implements Decoder.
func (l *sugarAccessLog) Decode(data []byte, atEOF bool, sink Sink) int {
	l.sink = sink
	used := l.inner.Decode(data, atEOF, l)
	l.sink = nil
	return used
}

// Reject implements Sink for the inner decoder.
func (l *sugarAccessLog) Reject(r Rejection) { l.sink.Reject(r) }

// Event implements Sink for the inner decoder. The event keeps its identity: the
// line is the same, whichever format reads it.
func (l *sugarAccessLog) Event(e *schema.Event) {
	e.Text[schema.MetadataLogFormat] = sugarAccessName
	if version, call, ok := sugarREST(e.Text[schema.HTTPRequestURLPath]); ok {
		fillSugarCall(e, version, call)
	}
	l.sink.Event(e)
}

// sugarREST splits a path such as /crm/rest/v11_20/Accounts/filter into its version,
// 11.20, and what is called. Versions begin at 10; older numbers are other products'.
func sugarREST(path string) (version, call string, ok bool) {
	at := strings.Index(path, "/rest/v")
	if at < 0 {
		return "", "", false
	}
	version, call, _ = strings.Cut(path[at+len("/rest/v"):], "/")
	major, minor, _ := strings.Cut(version, "_")
	if _, number := smallNumber(minor); len(major) != 2 || major[0] != '1' || major[1]-'0' > 9 || minor != "" && !number {
		return "", "", false
	}
	return strings.Replace(version, "_", ".", 1), strings.Trim(call, "/"), true
}

// fillSugarCall makes the event a call of Sugar's API.
func fillSugarCall(e *schema.Event, version, call string) {
	e.Text[schema.MetadataProductName] = "SugarCRM"
	e.Text[schema.MetadataProductVendorName] = "SugarCRM"
	e.Text[schema.APIServiceName] = "REST"
	e.Text[schema.APIVersion] = version
	activity := activityOfMethod(e.Text[schema.HTTPRequestMethod]).api
	if activity == 0 {
		activity = schema.ActivityOther
	}
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, activity
	parts := strings.Split(call, "/")
	if parts[0] == "oauth2" {
		fillSugarLogin(e, call)
		return
	}
	if first := parts[0]; first == "" || first[0]-'A' >= 26 {
		// me, ping, bulk, globalsearch: no module.
		e.Text[schema.APIOperation] = first
		return
	}
	e.Text[schema.ResourcesType] = parts[0]
	for i, part := range parts[1:] {
		switch {
		case i == 0 && isSugarID(part):
			e.Text[schema.ResourcesUID] = part
		case part == "export":
			e.Text[schema.APIOperation] = part
			e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassWebResources, webExport
		case part == "filter" || part == "count" || part == "records" || part == "duplicateCheck":
			e.Text[schema.APIOperation] = part
			if e.Number[schema.ClassUID] == schema.ClassAPIActivity {
				e.Number[schema.ActivityID] = schema.APIRead // also as POST
			}
		case e.Text[schema.APIOperation] == "" && !isSugarID(part):
			e.Text[schema.APIOperation] = part
		}
	}
}

// fillSugarLogin reads a call about a session. Who logs in, and whether a token was
// only renewed, stands in the body, which no access log has.
func fillSugarLogin(e *schema.Event, call string) {
	e.Text[schema.APIOperation] = call
	activity := uint64(schema.ActivityOther)
	switch what := strings.TrimPrefix(call, "oauth2/"); {
	case what == "token":
		activity = schema.AuthLogon
		e.Text[schema.AuthProtocol], e.Number[schema.AuthProtocolID] = "OAuth 2.0", 6
	case what == "logout":
		activity = schema.AuthLogoff
	case strings.HasPrefix(what, "sudo/"):
		activity = schema.AuthAccountSwitch
		e.Number[schema.AccountSwitchTypeID] = impersonate
		e.Text[schema.APIOperation], e.Text[schema.UserName] = "oauth2/sudo", what[len("sudo/"):]
		e.Number[schema.SeverityID] = uint64(schema.SeverityMedium)
	}
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAuthentication, activity
	if e.Number[schema.StatusID] == schema.StatusFailure && e.Number[schema.SeverityID] == uint64(schema.SeverityInformational) {
		e.Number[schema.SeverityID] = uint64(schema.SeverityLow)
	}
}

// isSugarID says whether s is a record's id: a GUID, or digits.
func isSugarID(s string) bool {
	if s == "" || len(s) > 36 {
		return false
	}
	for i := range len(s) {
		if hexDigit(s[i]) > 15 && s[i] != '-' {
			return false
		}
	}
	return len(s) == 36 || strings.Trim(s, "0123456789") == ""
}

// detectSugarAccess claims an access log in which at least a third of the first
// lines call Sugar's API. The log of a gateway before several systems is no Sugar's.
func detectSugarAccess(head []byte) string {
	if why, _ := detectAccessLog(head); why == "" {
		return ""
	}
	calls, total := 0, 0
	for len(head) > 0 && total < 20 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		head = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		total++
		if _, request, found := strings.Cut(unsafe.String(unsafe.SliceData(line), len(line)), ` "`); found {
			request, _, _ = strings.Cut(request, `"`)
			if fields := strings.Fields(request); len(fields) > 1 {
				if _, _, ok := sugarREST(fields[1]); ok {
					calls++
				}
			}
		}
	}
	if calls == 0 || calls*3 < total {
		return ""
	}
	return fmt.Sprintf("an access log, and %d of its first %d lines call SugarCRM's REST API", calls, total)
}
