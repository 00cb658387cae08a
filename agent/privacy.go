package agent

import "github.com/crmwatch/crmwatch/agent/redact"

// newPrivacy is what takes people out of a source's events, for one worker; nil when
// nothing is to be taken out.
func newPrivacy(o *redact.PrivacyOptions, redactor *redact.Redactor) *redact.Privacy {
	if !o.Any() {
		return nil
	}
	return redact.NewPrivacy(o, redactor)
}
