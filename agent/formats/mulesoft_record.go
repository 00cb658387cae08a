package formats

import (
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// mulesoftRecord is what a record of Mule says, however it is written.
type mulesoftRecord struct {
	level, thread, logger, message        string
	processor, event, errorType, app, env string
}

// fill turns the record into an event.
func (m *mulesoftRecord) fill(e *schema.Event) {
	severity, _ := levelSeverity(m.level)
	if severity == schema.SeverityUnknown {
		severity = schema.SeverityInformational
	}
	e.Number[schema.SeverityID] = uint64(severity)
	if m.errorType == "" {
		m.errorType = mulesoftValue(m.message, "Error type")
	}
	if m.errorType == "" && severity >= schema.SeverityMedium {
		m.errorType = mulesoftError.FindString(m.message[:min(len(m.message), maxSearched)])
	}
	if m.errorType == "(None)" {
		m.errorType = ""
	}
	if m.app == "" {
		m.app = mulesoftApp(m.thread)
	}
	if m.processor == "" { // contactsFlow/processors/1 @ crm-sync:contacts.xml:31 (GET contacts)
		m.processor, _, _ = strings.Cut(mulesoftValue(m.message, "Element"), " @ ")
	}
	e.Text[schema.ActorAppName] = m.app
	e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	e.Text[schema.APIOperation], _, _ = strings.Cut(m.processor, "/")
	e.Text[schema.MetadataCorrelationUID] = m.event
	e.Text[schema.MetadataLogName] = m.logger
	e.Text[schema.MetadataEventCode] = m.errorType
	e.Text[schema.StatusCode] = m.errorType
	e.Text[schema.MetadataProductName] = "Mule runtime"
	e.Text[schema.MetadataProductVendorName] = "MuleSoft"
	setMessage(e, m.message)
	e.Text[schema.StatusDetail] = mulesoftValue(m.message, "Message")
	_, kind, _ := strings.Cut(m.errorType, ":")
	setCallStatus(e, mulesoftStatuses[kind])
	failed := severity >= schema.SeverityMedium
	setRun(e, failed, m.message)
	if failed {
		e.Number[schema.SeverityID] = uint64(severity)
	} else if severity == schema.SeverityLow {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
	e.AddUnmapped("level", m.level)
	e.AddUnmapped("thread", m.thread)
	e.AddUnmapped("processor", m.processor)
	e.AddUnmapped("environment", m.env)
}

// mulesoftError is an error type in a message: NAMESPACE:IDENTIFIER.
var mulesoftError = regexp.MustCompile(`\b(?:HTTP|MULE|SALESFORCE|OS|OAUTH2?|APIKIT|WSC|DB|SFTP|FTP|FILE|HTTP_POLICY|DYNAMICS[A-Z0-9-]*|HUBSPOT):[A-Z][A-Z0-9_]{2,40}\b`)

// mulesoftStatuses are the HTTP statuses that error types of connectors stand for.
var mulesoftStatuses = map[string]string{
	"BAD_REQUEST": "400", "UNAUTHORIZED": "401", "CLIENT_SECURITY": "401", "FORBIDDEN": "403", "NOT_FOUND": "404", "METHOD_NOT_ALLOWED": "405",
	"NOT_ACCEPTABLE": "406", "UNSUPPORTED_MEDIA_TYPE": "415", "TOO_MANY_REQUESTS": "429",
	"INTERNAL_SERVER_ERROR": "500", "BAD_GATEWAY": "502", "SERVICE_UNAVAILABLE": "503", "GATEWAY_TIMEOUT": "504",
}

// mulesoftValue finds the line "NAME    : VALUE" in the block that Mule writes about
// an error.
func mulesoftValue(message, name string) string {
	message = message[:min(len(message), maxMessage)]
	for line := range strings.Lines(message) {
		if rest, found := strings.CutPrefix(line, name); found {
			rest = strings.TrimLeft(rest, " ")
			if value, found := strings.CutPrefix(rest, ":"); found {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}

// mulesoftApp is the application in a thread's name: [crm-sync].flow.CPU_LITE @5f1a.
func mulesoftApp(thread string) string {
	for {
		start := strings.IndexByte(thread, '[')
		if start < 0 {
			return ""
		}
		thread = strings.TrimLeft(thread[start:], "[")
		end := strings.IndexByte(thread, ']')
		if end < 0 {
			return ""
		}
		if app := thread[:end]; app != "MuleRuntime" && app != "" {
			return app
		}
		thread = thread[end:]
	}
}
