package formats

import (
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// genericLevels are the words for a record's level, by plain name.
var genericLevels = func() map[string]schema.Severity {
	levels := map[string]schema.Severity{}
	for severity, words := range map[schema.Severity]string{
		schema.SeverityInformational: "trace debug info information informational verbose fine finer finest config success audit dbg inf default ok",
		schema.SeverityLow:           "notice low",
		schema.SeverityMedium:        "warn warning wrn medium moderate warnung avertissement advertencia",
		schema.SeverityHigh:          "error err eror severe failure high fehler erreur",
		schema.SeverityCritical:      "critical crit fatal ftl panic dpanic alert emerg emergency veryhigh kritisch critique",
	} {
		for word := range strings.FieldsSeq(words) {
			levels[word] = severity
		}
	}
	return levels
}()

// genericSeverity is the severity of a level: a word, syslog's 0 (emergency) to 7
// (debug), pino's and bunyan's 10 to 60, or PHP's (Monolog's) 100 to 600.
func genericSeverity(level string) schema.Severity {
	if severity, known := genericLevels[plainName(level)]; known {
		return severity
	}
	n, err := strconv.ParseFloat(level, 64)
	switch {
	case err != nil || n < 0:
		return schema.SeverityUnknown
	case n <= 7:
		return syslogSeverity(int(n))
	case n < 100: // 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal
		return severitySteps(int(n), 35, 40, 50, 60)
	case n <= 600: // 200 info, 250 notice, 300 warning, 400 error, 500 critical
		return severitySteps(int(n), 250, 300, 400, 500)
	}
	return schema.SeverityUnknown
}

// syslogSeverity is the severity of a level of RFC 5424.
func syslogSeverity(level int) schema.Severity {
	switch {
	case level <= 2:
		return schema.SeverityCritical
	case level == 3:
		return schema.SeverityHigh
	case level == 4:
		return schema.SeverityMedium
	case level == 5:
		return schema.SeverityLow
	}
	return schema.SeverityInformational
}

// severitySteps is the severity of a number, by the numbers from which on it is low,
// medium, high and critical.
func severitySteps(n, low, medium, high, critical int) schema.Severity {
	switch {
	case n >= critical:
		return schema.SeverityCritical
	case n >= high:
		return schema.SeverityHigh
	case n >= medium:
		return schema.SeverityMedium
	case n >= low:
		return schema.SeverityLow
	}
	return schema.SeverityInformational
}

// severity is that of the record's level.
func (r *genericRecord) severity() schema.Severity {
	v := &r.values
	severity := schema.SeverityUnknown
	if n, ok := smallNumber(v[genericLevelOTel]); ok && n > 0 && n <= 24 {
		severity = severitySteps(n, 13, 13, 17, 21)
	} else if level := v[genericLevel]; level != "" {
		if severity = *r.levels.get(level, genericSeverity); severity == schema.SeverityUnknown {
			r.leave(genericLevel)
		}
	}
	if n, ok := smallNumber(v[genericLevelPython]); ok && severity == schema.SeverityUnknown {
		severity = severitySteps(n, 25, 30, 40, 50)
	}
	if severity == schema.SeverityUnknown {
		return schema.SeverityInformational
	}
	return severity
}

// The words that tell how something ended, in lower case.
var outcomeWords = func() map[string]uint64 {
	words := map[string]uint64{}
	for status, list := range map[uint64]string{
		schema.StatusSuccess: "success successful successfully succeeded succeed ok okay passed pass allow allowed accept accepted grant granted permit permitted complete completed done true yes authenticated authorized authorised",
		schema.StatusFailure: "failure failures fail failed fails failing error errored errors denied deny rejected reject refused blocked block forbidden unauthorized unauthorised unauthenticated " +
			"invalid incorrect wrong bad timeout timedout aborted false locked lockedout lockout unsuccessful cannot unable mismatch disallowed nok",
		schema.StatusOther: "challenge challenged mfa otp pending stepup interrupted interrupt twofactor 2fa required",
	} {
		for word := range strings.FieldsSeq(list) {
			words[word] = status
		}
	}
	return words
}()

// outcomeOf is the status_id that a text of a few words tells; 0 when it tells none.
// A failure in it counts more than a success, and that more than a challenge.
func outcomeOf(text string) uint64 {
	if len(text) > 100 {
		return schema.StatusUnknown
	}
	return outcomeOfWords(crmWords(text))
}

func outcomeOfWords(words []string) (status uint64) {
	not := false
	for _, word := range words {
		found := outcomeWords[word]
		switch {
		case word == "no" && len(words) == 1:
			return schema.StatusFailure
		case word == "not" || word == "no" || word == "without":
			not = true
			continue
		case found == schema.StatusSuccess && not:
			return schema.StatusFailure
		case found == schema.StatusFailure && !not:
			return found
		case found == schema.StatusSuccess, found == schema.StatusOther && status == schema.StatusUnknown:
			status = found
		}
		not = false
	}
	return status
}

// result fills in whether it worked, and why not. A word for it counts more than a
// response's code, which is often that of a page with an error on it.
func (r *genericRecord) result() {
	e, v := r.event, &r.values
	if level := v[genericStatus]; level != "" && v[genericLevel] == "" && (r.datadog || *r.outcomes.get(level, outcomeOf) == schema.StatusUnknown) {
		if *r.levels.get(level, genericSeverity) != schema.SeverityUnknown { // Datadog calls the level so
			v[genericLevel], r.names[genericLevel], v[genericStatus] = level, r.names[genericStatus], ""
		}
	}
	field := genericOutcome
	if v[genericOutcome] == "" {
		field = genericStatus
	}
	if text := r.first(genericOutcome, genericStatus); text != "" {
		outcome := *r.outcomes.get(text, outcomeOf)
		if text == "1" || text == "0" {
			outcome = flagOutcome(r.names[field], text)
		} else if e.Number[schema.HTTPResponseCode] == 0 {
			setStatus(e, text)
		}
		if outcome != schema.StatusUnknown {
			e.Number[schema.StatusID] = outcome
		}
		switch plain := plainName(text[:min(len(text), 16)]); plain {
		case "denied", "deny", "blocked", "block", "forbidden":
			e.Number[schema.ActionID] = schema.ActionDenied
		}
		switch {
		case isBoolean(text) || e.Text[schema.StatusCode] == text:
		case e.Text[schema.StatusCode] == "" && len(text) <= 100:
			e.Text[schema.StatusCode] = text
		case outcome == schema.StatusUnknown:
			r.leave(field)
		}
	}
	if failed := v[genericFailed]; failed != "" {
		switch {
		case isTrue(failed):
			e.Number[schema.StatusID] = schema.StatusFailure
		case !isBoolean(failed):
			r.leave(genericFailed)
		case e.Number[schema.StatusID] == schema.StatusUnknown:
			e.Number[schema.StatusID] = schema.StatusSuccess
		}
	}
	cause := v[genericError]
	if cause == "0" || cause == "none" || cause == "None" {
		cause, v[genericError] = "", ""
	}
	if isBoolean(cause) {
		if isTrue(cause) {
			e.Number[schema.StatusID] = schema.StatusFailure
		}
		cause, v[genericError] = "", ""
	} else if cause != "" && e.Number[schema.StatusID] == schema.StatusUnknown {
		e.Number[schema.StatusID] = schema.StatusFailure
	}
	if code := r.first(genericErrorType, genericCode); code != "" {
		if e.Text[schema.StatusCode] == "" && len(code) <= 100 && (v[genericErrorType] != "" || isNumber(code)) {
			e.Text[schema.StatusCode] = code
		} else if v[genericErrorType] != "" {
			r.leave(genericErrorType)
		} else {
			r.leave(genericCode)
		}
	}
	cause = r.first(genericError, genericReason)
	if len(cause) > maxMessage {
		cause = strings.ToValidUTF8(cause[:maxMessage], "")
		e.Number[schema.IsTruncated] = 1
	}
	e.Text[schema.StatusDetail] = cause
}

// flagOutcome is the status_id of 1 or 0 in a field that is named for success.
func flagOutcome(name, flag string) uint64 {
	switch name = plainName(name[strings.LastIndexByte(name, '.')+1:]); {
	case name != "ok" && !strings.Contains(name, "succe"):
		return schema.StatusUnknown
	case flag == "1":
		return schema.StatusSuccess
	}
	return schema.StatusFailure
}

func isBoolean(text string) bool {
	return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}
