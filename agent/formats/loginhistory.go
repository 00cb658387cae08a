package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// loginHistory is Salesforce's LoginHistory: from the API (JSON, or CSV with the
// object's field names), or as downloaded from the page Login History of Setup.
var loginHistory = Format{
	Name:   loginHistoryObject.format,
	Title:  "Salesforce LoginHistory (JSON or CSV)",
	Detect: loginHistoryObject.detect,
	New:    loginHistoryObject.decoder,
}

var loginHistoryObject = salesforceObject{
	format:    "salesforce-login-history",
	object:    "LoginHistory",
	times:     []string{"logintime"},
	needs:     [][]string{{"logintime", "sourceip"}, {"logintime", "logintype"}},
	languages: loginHistoryLanguages,
	columns: []salesforceColumn{
		textColumn("id", schema.MetadataOriginalEventUID),
		idColumn("organizationid", schema.MetadataTenantUID),
		idColumn("userid", schema.ActorUserUID),
		textColumn("username", schema.ActorUserName),
		textColumn("userusername", schema.ActorUserName),
		textColumn("user", schema.ActorUserName),
		{name: "status", kind: readLoginResult},
		{name: "logintype", kind: readLoginType},
		{name: "loginsubtype", kind: readLoginSubType},
		{name: "loginurl", kind: readHost},
		{name: "sourceip", kind: readAddress},
		textColumn("forwardedforip", schema.HTTPRequestXForwardedFor),
		textColumn("countryiso", schema.SrcEndpointLocationCountry),
		textColumn("location", schema.SrcEndpointLocationCountry),
		textColumn("city", schema.SrcEndpointLocationCity),
		textColumn("browser", schema.HTTPRequestUserAgent),
		textColumn("application", schema.ActorAppName),
		{name: "apitype", kind: readAPIType},
		{name: "apiversion", kind: readAPIVersion},
		idColumn("authenticationserviceid", schema.ActorIDPUID),
		{name: "authmethodreference", kind: readAuthMethod},
		{name: "authenticationmethodreference", kind: readAuthMethod},
		{name: "tlsprotocol", kind: readTLSVersion},
		textColumn("ciphersuite", schema.TLSCipher),
		textColumn("tlsciphersuite", schema.TLSCipher),
	},
	finish: func(r *salesforceReader) {
		r.event.Number[schema.ClassUID] = schema.ClassAuthentication
		r.event.Number[schema.ActivityID] = login(r)
	},
}

// loginResults are the sentences of LoginHistory's Status, by plain name, and the
// LOGIN_STATUS codes that say the same.
var loginResults = map[string]string{
	"success":                           "LOGIN_NO_ERROR",
	"invalidpassword":                   "LOGIN_ERROR_INVALID_PASSWORD",
	"failedinvalidpassword":             "LOGIN_ERROR_INVALID_PASSWORD",
	"failedapisecuritytokenrequired":    "LOGIN_ERROR_MUST_USE_API_TOKEN",
	"passwordlockout":                   "LOGIN_ERROR_PASSWORD_LOCKOUT",
	"failedpasswordlockout":             "LOGIN_ERROR_PASSWORD_LOCKOUT",
	"loginrateexceeded":                 "LOGIN_ERROR_RATE_EXCEEDED",
	"restrictedip":                      "LOGIN_ERROR_RESTRICTED_DOMAIN",
	"restricteddomain":                  "LOGIN_ERROR_ORG_DOMAIN_ONLY",
	"restrictedtime":                    "LOGIN_ERROR_RESTRICTED_TIME",
	"userisinactive":                    "LOGIN_ERROR_USER_INACTIVE",
	"userinactive":                      "LOGIN_ERROR_USER_INACTIVE",
	"userisfrozen":                      "LOGIN_ERROR_USER_FROZEN",
	"userfrozen":                        "LOGIN_ERROR_USER_FROZEN",
	"failedcomputeractivationrequired":  "LOGIN_CHALLENGE_ISSUED",
	"failedcomputeractivationpending":   "LOGIN_CHALLENGE_PENDING",
	"failedtwofactorrequired":           "LOGIN_TWOFACTOR_REQ",
	"failedmobileverificationrequired":  "LOGIN_CHALLENGE_ISSUED",
	"failedidentityverificationpending": "LOGIN_CHALLENGE_PENDING",

	// What can mean nothing else in German, French, Spanish, Dutch and Japanese.
	"erfolg": "LOGIN_NO_ERROR", "erfolgreich": "LOGIN_NO_ERROR", "ungültigeskennwort": "LOGIN_ERROR_INVALID_PASSWORD", "ungültigespasswort": "LOGIN_ERROR_INVALID_PASSWORD",
	"succès": "LOGIN_NO_ERROR", "réussite": "LOGIN_NO_ERROR", "motdepassenonvalide": "LOGIN_ERROR_INVALID_PASSWORD", "motdepasseinvalide": "LOGIN_ERROR_INVALID_PASSWORD",
	"éxito": "LOGIN_NO_ERROR", "contraseñanoválida": "LOGIN_ERROR_INVALID_PASSWORD", "contraseñaincorrecta": "LOGIN_ERROR_INVALID_PASSWORD",
	"succes": "LOGIN_NO_ERROR", "geslaagd": "LOGIN_NO_ERROR", "ongeldigwachtwoord": "LOGIN_ERROR_INVALID_PASSWORD",
	"成功": "LOGIN_NO_ERROR", "無効なパスワード": "LOGIN_ERROR_INVALID_PASSWORD", "パスワードが無効です": "LOGIN_ERROR_INVALID_PASSWORD",
}

// pendingWords tell, in a status that is not listed, that a further proof of
// identity was asked for: that is no failed guess.
var pendingWords = []string{"challenge", "computeractivation", "twofactor", "multifactor", "verificationrequired", "verificationpending"}

// loginResult reads LoginHistory's Status, a sentence or a LOGIN_STATUS code.
func (r *salesforceReader) loginResult(name, value string) {
	e := r.event
	if strings.HasPrefix(value, "LOGIN_") {
		e.Text[schema.StatusCode] = value
		r.login(*r.statuses.get(value, loginStatusOf))
		return
	}
	plain := plainName(value)
	if r.foreign {
		plain = titleName(strings.ToLower(value))
	}
	if code, ok := loginResults[plain]; ok {
		e.Text[schema.StatusCode] = code
		r.login(loginStatusOf(code))
		if code != "LOGIN_NO_ERROR" {
			e.AddUnmapped(name, value)
		}
		return
	}
	if r.foreign {
		// It may be a refusal or a step on the way: the text is kept, nothing is guessed.
		e.Text[schema.StatusCode] = value
		return
	}
	status := loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow, sentence: value}
	for _, word := range pendingWords {
		if strings.Contains(plain, word) {
			status.status, status.severity = schema.StatusOther, schema.SeverityInformational
		}
	}
	if strings.Contains(plain, "restricted") || strings.Contains(plain, "frozen") || strings.Contains(plain, "inactive") || strings.Contains(plain, "lockout") {
		status.denied = true
	}
	e.Text[schema.StatusCode] = value
	r.login(status)
}
