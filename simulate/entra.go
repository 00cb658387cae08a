package simulate

import (
	"encoding/json"
	"time"
)

// signIn is one sign-in at Entra.
type signIn struct {
	user, uid    string // of a person
	app          *dynamicsApp
	address      string
	country      string
	agent        string
	client       string // clientAppUsed
	target       string // what is signed in to
	code         string // error code, "0" for success
	detail       string
	session      string
	secondFactor bool
	flow         string // correlation id; empty draws one
}

// signInRecord is a record of the diagnostic settings: outside what Azure Monitor adds,
// inside what Graph calls a signIn.
type signInRecord struct {
	Time      string         `json:"time"`
	Operation string         `json:"operationName"`
	Category  string         `json:"category"`
	Tenant    string         `json:"tenantId"`
	Result    string         `json:"resultType"`
	Detail    string         `json:"resultDescription,omitempty"`
	Duration  int            `json:"durationMs"`
	Address   string         `json:"callerIpAddress"`
	Flow      string         `json:"correlationId"`
	Location  string         `json:"location"`
	Inside    signInProperty `json:"properties"`
}

type signInProperty struct {
	ID          string `json:"id"`
	Created     string `json:"createdDateTime"`
	User        string `json:"userPrincipalName,omitempty"`
	UserID      string `json:"userId,omitempty"`
	Service     string `json:"servicePrincipalName,omitempty"`
	ServiceID   string `json:"servicePrincipalId,omitempty"`
	Credential  string `json:"servicePrincipalCredentialKeyId,omitempty"`
	AppID       string `json:"appId"`
	App         string `json:"appDisplayName"`
	Resource    string `json:"resourceDisplayName"`
	Client      string `json:"clientAppUsed,omitempty"`
	Agent       string `json:"userAgent,omitempty"`
	Session     string `json:"sessionId,omitempty"`
	Requirement string `json:"authenticationRequirement,omitempty"`
	Token       string `json:"uniqueTokenIdentifier"`
}

const dynamicsClientID = "00000007-0000-0000-c000-000000000000"

func (w *world) signIn(d dice, when time.Time, s signIn) {
	if w.signIns == nil {
		return
	}
	stamp := when.UTC().Format("2006-01-02T15:04:05.0000000Z")
	r := signInRecord{
		Time: stamp, Operation: "Sign-in activity", Category: "SignInLogs", Tenant: w.directory, Result: s.code, Detail: s.detail,
		Duration: d.between(40, 400), Address: s.address, Flow: s.flow, Location: s.country,
		Inside: signInProperty{ID: d.uuid(), Created: stamp, User: s.user, UserID: s.uid, Client: s.client, Agent: s.agent, Session: s.session,
			Resource: "Dataverse", AppID: dynamicsClientID, App: s.target, Requirement: "singleFactorAuthentication", Token: d.text(22, alphanumeric)},
	}
	if r.Flow == "" {
		r.Flow = d.uuid()
	}
	if s.secondFactor {
		r.Inside.Requirement = "multiFactorAuthentication"
	}
	if s.app != nil {
		r.Category, r.Inside.Requirement = "ServicePrincipalSignInLogs", ""
		r.Inside.Service, r.Inside.ServiceID, r.Inside.Credential = s.app.name, s.app.principal, s.app.key
		r.Inside.AppID, r.Inside.App = s.app.client, s.app.name
	}
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	w.signIns.add(when, func(to []byte) []byte { return append(to, line...) })
}

// personSignIn is a person's at Dynamics, from where they are today.
func (w *world) personSignIn(p *person) signIn {
	return signIn{user: p.username, uid: p.directoryID, address: p.today.address, country: w.countryOf(p, p.today.address), agent: p.browser, client: "Browser",
		target: "Dynamics CRM Online", code: "0", session: p.today.directory, secondFactor: true}
}

// homeCountries are where the offices are.
var homeCountries = [...]string{"US", "DE", "SG"}

// countryOf is where an address of a person lies, as the directory would tell. The VPN
// comes out beside the second office.
func (w *world) countryOf(p *person, address string) string {
	n := prefixOf(address)
	switch {
	case n == vpnNetworks[0] || n == vpnNetworks[1]:
		return homeCountries[1]
	case isTravel(n):
		return p.travels
	}
	return homeCountries[p.place()]
}
