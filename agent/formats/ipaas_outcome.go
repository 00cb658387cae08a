package formats

import (
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// logLevels are the words for a record's level, in lower case.
var logLevels = map[string]schema.Severity{
	"trace": schema.SeverityInformational, "debug": schema.SeverityInformational, "info": schema.SeverityInformational,
	"information": schema.SeverityInformational, "informational": schema.SeverityInformational, "verbose": schema.SeverityInformational,
	"success": schema.SeverityInformational, "config": schema.SeverityInformational, "notice": schema.SeverityInformational,
	"fine": schema.SeverityInformational, "finer": schema.SeverityInformational, "finest": schema.SeverityInformational,
	"warn": schema.SeverityLow, "warning": schema.SeverityLow,
	"error": schema.SeverityMedium, "severe": schema.SeverityMedium, "failed": schema.SeverityMedium, "failure": schema.SeverityMedium,
	"informationen": schema.SeverityInformational, "información": schema.SeverityInformational, "informations": schema.SeverityInformational,
	"warnung": schema.SeverityLow, "avertissement": schema.SeverityLow, "advertencia": schema.SeverityLow,
	"fehler": schema.SeverityMedium, "erreur": schema.SeverityMedium,
	"kritisch": schema.SeverityHigh, "critique": schema.SeverityHigh, "crítico": schema.SeverityHigh,
	"fatal": schema.SeverityHigh, "critical": schema.SeverityHigh,
}

func levelSeverity(level string) (schema.Severity, bool) {
	severity, ok := logLevels[strings.ToLower(strings.TrimSpace(level))]
	return severity, ok
}

// How texts about a failed call name the status of the HTTP response.
var statusInText = regexp.MustCompile(`(?i)(?:\bHTTP/[0-9.]+ |\bHTTP[ :]+(?:error |status |code )?|\bstatus(?: ?code)?(?: of|[ :=]*)|\breturned |\bcode[ :=]+)"?([45][0-9][0-9])\b` +
	`|\b([45][0-9][0-9])[ :-]+"?(?:Unauthori[sz]ed|Forbidden|Bad Request|Not Found|Method Not Allowed|Conflict|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)` +
	`|\((4[0-9][0-9]|5[0-9][0-9])\)`)

// callInText is the method and the URL of a failed call.
var callInText = regexp.MustCompile(`(?:\b(GET|POST|PUT|PATCH|DELETE|HEAD)\b[^\n]{0,40}?['" ])?(https?://[^\s'"<>,;)]+)`)

const (
	// maxSearched is how much of a text is searched for a status and a call.
	maxSearched = 8 << 10
	// maxMessage is how much of a record's text is kept.
	maxMessage = 32 << 10
)

// failedCall fills in the HTTP status and the call that a text about a failure
// names. It returns false when there is no status.
func failedCall(e *schema.Event, text string) bool {
	text = text[:min(len(text), maxSearched)]
	found := statusInText.FindStringSubmatch(text)
	setCall(e, text, found != nil)
	if found == nil {
		return false
	}
	return setCallStatus(e, found[1]+found[2]+found[3])
}

// setCall fills in the method and the URL that a text names. A URL without a method
// counts only when it is sure that a call is meant: it may lead to an explanation.
func setCall(e *schema.Event, text string, sure bool) {
	text = text[:min(len(text), maxSearched)]
	if !strings.Contains(text, "://") {
		return
	}
	at := callInText.FindStringSubmatchIndex(text)
	if at == nil || at[2] < 0 && !sure {
		return
	}
	if at[2] >= 0 {
		e.Text[schema.HTTPRequestMethod] = text[at[2]:at[3]]
		if activity := activityOfMethod(text[at[2]:at[3]]); e.Number[schema.ClassUID] == schema.ClassAPIActivity {
			e.Number[schema.ActivityID] = activity.api
		}
	}
	setURL(e, strings.TrimRight(text[at[4]:at[5]], ".:…"))
}

// setCallStatus is setStatus without touching the status code of the record itself.
func setCallStatus(e *schema.Event, status string) bool {
	code := e.Text[schema.StatusCode]
	setStatus(e, status)
	if code != "" {
		e.Text[schema.StatusCode] = code
	}
	return e.Number[schema.HTTPResponseCode] != 0
}

// setRun fills in class and activity of what an integration did: a call of an API,
// or the integration's own failure. text says what went wrong.
func setRun(e *schema.Event, failed bool, text string) {
	e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassAPIActivity, schema.ActivityOther
	if !failed {
		setCall(e, text, false)
		return
	}
	if e.Text[schema.StatusDetail] == "" {
		line, _, _ := strings.Cut(strings.TrimLeft(text[:min(len(text), maxSearched)], " \t\r\n*"), "\n")
		e.Text[schema.StatusDetail] = strings.ToValidUTF8(strings.TrimSpace(line), "")
	}
	if !failedCall(e, text) && e.Number[schema.HTTPResponseCode] == 0 {
		e.Number[schema.ClassUID], e.Number[schema.ActivityID] = schema.ClassApplicationError, 1
	}
	e.Number[schema.StatusID] = schema.StatusFailure
	if e.Number[schema.SeverityID] < uint64(schema.SeverityLow) {
		e.Number[schema.SeverityID] = uint64(schema.SeverityMedium)
	}
}

// setMessage keeps a record's text, up to maxMessage bytes.
func setMessage(e *schema.Event, text string) {
	text = strings.ReplaceAll(strings.Trim(text, " \t\r\n"), "\r\n", "\n")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
		e.Number[schema.IsTruncated] = 1
	}
	e.Text[schema.Message] = text
}
