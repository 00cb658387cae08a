package formats

import (
	"slices"

	"github.com/crmwatch/crmwatch/schema"
)

// hubspotActivity fills class, activity and severity from the words of an action's
// name (ADD_USER, PRIVATE_APP_ACCESS_TOKEN_VIEW), and what it was done to. HubSpot
// lists the names nowhere in full, so it goes by their words.
func hubspotActivity(r *crmRecord, words []string, target string) {
	e, verb := r.event, verbOf(words)
	has := func(any ...string) bool {
		return slices.ContainsFunc(any, func(word string) bool { return slices.Contains(words, word) })
	}
	e.Number[schema.StatusID] = schema.StatusSuccess
	e.Text[schema.ResourcesUID] = target
	if r.log == hubspotSecurity {
		e.Text[schema.ResourcesType] = hubspotResource(has)
	}
	switch {
	case verb == verbExport:
		r.activity(schema.ClassWebResources, webExport)
		r.severity(schema.SeverityLow)
	case verb == verbImport:
		r.activity(schema.ClassWebResources, webImport)
	case has("password") && has("reset"):
		r.activity(schema.ClassAccountChange, 4)
		e.Text[schema.UserUID] = target
	case has("password"):
		r.activity(schema.ClassAccountChange, 3)
		e.Text[schema.UserUID] = target
	case has("2fa", "mfa", "twofactor") || has("two") && has("factor"):
		e.Text[schema.UserUID] = target
		switch {
		case verb == verbEnable || verb == verbCreate:
			r.activity(schema.ClassAccountChange, 10)
		case verb == verbDisable || verb == verbDelete || has("reset"):
			r.activity(schema.ClassAccountChange, 11)
			r.severity(schema.SeverityMedium)
		default:
			r.activity(schema.ClassAccountChange, schema.ActivityOther)
		}
	case has("permission", "permissions", "admin", "superadmin") || has("role", "roles") && has("user", "users"):
		e.Text[schema.UserUID] = target
		r.severity(schema.SeverityLow)
		switch verb {
		case verbDelete, verbDisable:
			r.activity(schema.ClassUserAccess, 2)
		case verbCreate, verbEnable:
			r.activity(schema.ClassUserAccess, 1)
		default:
			r.activity(schema.ClassUserAccess, schema.ActivityOther)
		}
		if has("admin", "superadmin") && e.Number[schema.ActivityID] == 1 {
			r.severity(schema.SeverityMedium)
		}
	case has("user", "users") && !has("token", "key", "secret"):
		e.Text[schema.UserUID] = target
		r.activity(schema.ClassAccountChange, verb.account())
	default:
		r.activity(schema.ClassEntityManagement, verb.entity())
		// Whoever has seen a token can use it.
		if verb == verbRead && has("token", "key", "secret", "hapikey", "apikey") {
			r.severity(schema.SeverityMedium)
		}
	}
}

// hubspotResource is the sort of thing that a security activity is about.
func hubspotResource(has func(any ...string) bool) string {
	switch {
	case has("user", "users"):
		return "user"
	case has("app"):
		return "app"
	case has("key", "hapikey", "apikey", "token"):
		return "credential"
	}
	return ""
}
