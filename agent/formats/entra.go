package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// What sign-in error codes mean beyond success (0) and failure. Source: Entra's
// reference of authentication error codes; Microsoft warns that codes may change.
var (
	// entraInterrupts ask for something more: no failed guess.
	entraInterrupts = codeSet("50072 50074 50076 50078 50079 50140 50058 50125 50199 16000 50097 50127 50203")
	// entraDenied are refusals by policy, not by credentials.
	entraDenied = codeSet("50053 50105 50131 53000 53001 53002 53003 53011 530035 50129 50155")
	// entraGrave are signs of misuse by themselves: a code that was used twice.
	entraGrave = codeSet("54005")
)

func codeSet(codes string) map[string]bool {
	set := map[string]bool{}
	for code := range strings.FieldsSeq(codes) {
		set[code] = true
	}
	return set
}

// signInResult fills in status, action and severity from an error code.
func signInResult(r *crmRecord, code string) {
	e := r.event
	e.Text[schema.StatusCode] = code
	switch {
	case code == "0":
		e.Number[schema.StatusID] = schema.StatusSuccess
		return
	case entraInterrupts[code]:
		e.Number[schema.StatusID] = schema.StatusOther
		return
	}
	e.Number[schema.StatusID] = schema.StatusFailure
	r.severity(schema.SeverityLow)
	if entraDenied[code] {
		e.Number[schema.ActionID] = schema.ActionDenied
	}
	if entraGrave[code] {
		r.severity(schema.SeverityHigh)
	}
}

func fillEntra(r *crmRecord) *csvFailure {
	e, v := r.event, &r.values
	fillMicrosoftCommon(r)
	r.activity(schema.ClassAuthentication, schema.AuthLogon)
	e.Text[schema.ActorUserName] = firstFilled(v[msUPN], v[msUserID])
	e.Text[schema.ActorUserUID] = firstFilled(v[msUserKey], v[msUserID])
	if v[msUPN] != "" && v[msUserID] != "" && v[msUserKey] == "" {
		r.set(schema.ActorUserUID, msUserID)
	}
	if strings.IndexByte(v[msUPN], '@') > 0 {
		e.Text[schema.ActorUserEmailAddr] = v[msUPN]
	}
	r.setUser()
	r.set(schema.ActorUserType, msUserType)
	category := v[msCategory]
	e.Number[schema.ActorUserTypeID] = schema.UserTypeUser
	if v[msUserKey] != "" || strings.HasPrefix(category, "ServicePrincipal") || strings.HasPrefix(category, "ManagedIdentity") {
		e.Number[schema.ActorUserTypeID] = schema.UserTypeService
	}
	if category != "" {
		r.log = category
		e.Text[schema.MetadataLogName] = category
	}
	e.Text[schema.MetadataEventCode] = "SignIn"
	r.set(schema.APIServiceName, msResource)
	r.set(schema.LogonSubType, msClientUsed)
	r.set(schema.AuthProtocol, msProtocol)
	e.AddUnmapped("authenticationRequirement", v[msRequirement])
	e.AddUnmapped("conditionalAccessStatus", v[msConditionalAccess])
	e.AddUnmapped("operationName", v[msOperation])
	if strings.EqualFold(v[msRequirement], "multiFactorAuthentication") {
		e.Number[schema.IsMFA] = 1
	}
	signInResult(r, v[msResult])
	if strings.EqualFold(v[msConditionalAccess], "failure") {
		e.Number[schema.ActionID] = schema.ActionDenied
	}
	return nil
}
