package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// loginStatus is what a LOGIN_STATUS code of Salesforce means.
type loginStatus struct {
	status   uint64 // schema.Status...
	severity schema.Severity
	// denied: a rule of the org refused the login, whatever the password.
	denied bool
	// limited: the login was refused because there were too many.
	limited bool
	// sentence says it to a person.
	sentence string
}

// loginStatusOf reads a code. Codes that Salesforce adds later are failures: only
// LOGIN_NO_ERROR is a success.
func loginStatusOf(code string) loginStatus {
	if code == "LOGIN_NO_ERROR" {
		return loginStatus{status: schema.StatusSuccess, severity: schema.SeverityInformational}
	}
	if known, ok := loginStatuses[code]; ok {
		return known
	}
	return loginStatus{schema.StatusFailure, schema.SeverityLow, false, false, "Login refused, with a code that is not documented."}
}

// loginStatuses holds the documented codes but LOGIN_NO_ERROR.
var loginStatuses = func() map[string]loginStatus {
	codes := map[string]loginStatus{}
	for _, group := range loginStatusGroups {
		for line := range strings.Lines(group.codes) {
			code, sentence, _ := strings.Cut(strings.TrimSpace(line), " ")
			if code == "" {
				continue
			}
			status := group.loginStatus
			status.sentence = group.label + ": " + strings.TrimSpace(sentence) + "."
			codes[group.prefix+code] = status
		}
	}
	for _, code := range []string{"LOGIN_ERROR_RATE_EXCEEDED", "LOGIN_ERROR_LOGINS_EXCEEDED", "LOGIN_OAUTH_EXCEED_GET_AT_LMT"} {
		status := codes[code]
		status.limited = true
		codes[code] = status
	}
	for _, code := range []string{"LOGIN_OAUTH_NONCE_REPLAY", "LOGIN_SAML_REPLAY_ATTEMPTED"} {
		status := codes[code]
		status.severity = schema.SeverityHigh
		codes[code] = status
	}
	return codes
}()

// loginStatusGroups lists the codes of the field LOGIN_STATUS of the event type
// Login in Salesforce's Object Reference, in our own groups and words.
var loginStatusGroups = []struct {
	label, prefix string
	loginStatus
	codes string
}{
	{"Not finished", "LOGIN_", loginStatus{status: schema.StatusOther, severity: schema.SeverityInformational}, `
		CHALLENGE_ISSUED a further proof of identity was asked for
		CHALLENGE_PENDING a further proof of identity has not been given yet
		TWOFACTOR_REQ a second factor is required
		LIGHTNING_LOGIN a passwordless login on a device was asked for
		ERROR_SWITCH_SFDC_INSTANCE the user was sent on to another instance
		ERROR_SWITCH_SFDC_LOGIN the user was sent on to another login server`},
	{"Bad credential", "LOGIN_ERROR_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow}, `
		INVALID_PASSWORD wrong password
		SSO_PWD_INVALID the single sign-on service did not accept the password
		PASSWORD_EMPTY no password was given
		USERNAME_EMPTY no user name was given
		UNKNOWN_ERROR login invalid, commonly an unknown user
		MUST_USE_API_TOKEN wrong password, or the security token is missing
		DUPLICATE_USERNAME the user name is not unique
		INVALID_ID_FIELD the id given is not valid`},
	{"Locked or disabled", "LOGIN_ERROR_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow, denied: true}, `
		PASSWORD_LOCKOUT too many wrong passwords locked the user
		USER_FROZEN the user is frozen
		USER_INACTIVE the user is inactive
		CSS_FROZEN the portal user is frozen
		CSS_PW_LOCKOUT too many wrong passwords locked the portal user
		ORG_LOCKOUT the organisation is locked
		LOGINS_EXCEEDED the user's number of logins is used up
		RATE_EXCEEDED too many logins in a short time`},
	{"Blocked by policy", "LOGIN_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityMedium, denied: true}, `
		ERROR_RESTRICTED_DOMAIN the IP address is outside the allowed ranges
		ERROR_ORG_DOMAIN_ONLY logins are allowed through the organisation's own domain only
		ERROR_GLOBAL_BLOCK_DOMAIN logins from this domain are blocked
		ERROR_RESTRICTED_TIME outside the allowed login hours
		ERROR_EXPORT_RESTRICTED logins from this country are not allowed
		END_SESSION_TXN_SECURITY_POLICY a transaction security policy asks for another session to be ended
		ERROR_INSECURE_LOGIN the login did not come over a secure connection
		ERROR_MUTUAL_AUTHENTICATION mutual authentication failed
		ERROR_USER_API_ONLY the user may use the API only
		ERROR_CLIENT_NO_ACCESS the client may not use the API
		ERROR_API_TOO_OLD the API version is too old
		ERROR_HTP_METHD_INVALID the HTTP method is not allowed
		DATA_DOWNLOAD_ONLY only the download of data is allowed
		ERROR_PAGE_REQUIRES_LOGIN the page requires a login`},
	{"OAuth", "LOGIN_OAUTH_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow}, `
		API_DISABLED the API is disabled for this user or organisation
		CONSUMER_DELETED the connected app was deleted
		DS_NOT_EXPECTED a secret was sent where none is expected
		EXCEED_GET_AT_LMT too many access tokens were asked for
		INVALID_CODE_CHALLENGE the code challenge is invalid
		INVALID_CODE_VERIFIER the code verifier is invalid
		INVALID_DEVICE the device id is invalid
		INVALID_DS the secret is invalid
		INVALID_DSIG the signature is invalid
		INVALID_IP the IP address may not use this token
		INVALID_NONCE the nonce is invalid
		INVALID_SIG_METHOD the signature method is invalid
		INVALID_TIMESTAMP the timestamp is invalid
		INVALID_TOKEN the token is invalid, expired or revoked
		INVALID_VERIFIER the verifier is invalid
		INVALID_VERSION the protocol version is not supported
		MISSING_DS the secret is missing
		NO_CALLBACK_URL the connected app has no callback URL
		NO_CONSUMER the connected app does not exist
		NO_TOKEN the token is missing
		NONCE_REPLAY a nonce was used a second time
		PACKAGE_MISSING the connected app's package is not installed
		PACKAGE_OLD the connected app's package is out of date
		UNEXPECTED_PARAM a parameter was not expected`},
	{"SAML", "LOGIN_SAML_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow}, `
		INVALID_AUDIENCE the assertion is for another audience
		INVALID_CONFIG the configuration is invalid
		INVALID_FORMAT the assertion's format is invalid
		INVALID_IN_RES_TO the assertion answers another request
		INVALID_ISSUER the issuer is not the configured one
		INVALID_ORG_ID the organisation id is invalid
		INVALID_PORTAL_ID the portal id is invalid
		INVALID_RECIPIENT the recipient is not the configured one
		INVALID_SESSION_LEVEL the session security level is invalid
		INVALID_SIGNATURE the signature is invalid
		INVALID_SITE_URL the site address is invalid
		INVALID_STATUS the identity provider reported an error
		INVALID_SUB_CONFIRM the subject confirmation is invalid
		INVALID_TIMESTAMP the assertion is too old or too new
		INVALID_USERNAME no user matches the assertion
		INVALID_VERSION the protocol version is not supported
		MISMATCH_CERT the certificate is not the configured one
		MISSING_ORG_ID the organisation id is missing
		MISSING_PORTAL_ID the portal id is missing
		PROVISION_ERROR the user could not be created
		REPLAY_ATTEMPTED an assertion was used a second time
		SITE_INACTIVE the site is inactive`},
	{"Not possible now", "LOGIN_", loginStatus{status: schema.StatusFailure, severity: schema.SeverityLow}, `
		ERROR_APPEXCHANGE_DOWN the app exchange is down
		ERROR_ASYNC_USER_CREATE the user is still being created
		ERROR_AVANTGO_DISABLED the mobile client is disabled
		ERROR_AVANTGO_TRIAL_EXP the mobile client's trial has ended
		ERROR_CLIENT_REQ_UPDATE the client has to be updated
		ERROR_HT_DOWN the service is down
		ERROR_INVALID_GATEWAY the gateway is invalid
		ERROR_NETWORK_INACTIVE the community is inactive
		ERROR_NO_HT_ACCESS the user has no access to the service
		ERROR_NO_NETWORK_ACCESS the user has no access to the community
		ERROR_NO_NETWORK_INFO the community is not known
		ERROR_NO_PORTAL_ACCESS the user has no access to the portal
		ERROR_NO_SET_COOKIES cookies could not be set
		ERROR_OFFLINE_DISABLED the offline client is disabled
		ERROR_OFFLINE_TRIAL_EXP the offline client's trial has ended
		ERROR_ORG_CLOSED the organisation is closed
		ERROR_ORG_IN_MAINTENANCE the organisation is in maintenance
		ERROR_ORG_INACTIVE the organisation is inactive
		ERROR_ORG_IS_DOT_ORG the organisation belongs to another service
		ERROR_ORG_SIGNING_UP the organisation is still being created
		ERROR_ORG_SUSPENDED the organisation is suspended
		ERROR_OUTLOOK_DISABLED the mail client is disabled
		ERROR_PORTAL_INACTIVE the portal is inactive
		ERROR_SESSION_TIMEOUT the session timed out
		ERROR_SSO_SVC_DOWN the single sign-on service is down
		ERROR_SSO_URL_INVALID the single sign-on address is invalid
		ERROR_STORE the store refused the login
		ERROR_STORE_DOWN the store is down
		ERROR_SYNCOFFLINE_DISBLD the offline synchronisation is disabled
		ERROR_SYSTEM_DOWN the system is down
		ERROR_USER_NON_MOBILE the user may not use the mobile client
		ERROR_USER_STORE_ACCESS the user has no access to the store
		ERROR_WIRELESS_DISABLED the wireless client is disabled
		ERROR_WIRELESS_TRIAL_EXP the wireless client's trial has ended
		ORG_TRIAL_EXP the organisation's trial has ended
		READONLY_CANNOT_VALIDATE the login cannot be checked while the organisation is read-only`},
}
