package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// loginType is what a LOGIN_TYPE letter of Salesforce means.
type loginType struct {
	label    string
	protocol loginProtocol
	// network: a program logs in; otherwise a person does (OCSF logon_type_id 3, 2).
	network bool
}

// loginProtocol is OCSF's auth_protocol_id; what OCSF has no number for is told
// apart by name.
type loginProtocol struct {
	id   uint64
	name string
}

var (
	protocolSAML        = loginProtocol{5, "SAML"}
	protocolOAuth       = loginProtocol{6, "OAuth 2.0"}
	protocolOAuth1      = loginProtocol{6, "OAuth 1.0"}
	protocolPassword    = loginProtocol{99, "Password"}
	protocolCertificate = loginProtocol{99, "Certificate"}
	protocolOther       = loginProtocol{99, "Other"}
)

// OCSF logon_type_id values.
const (
	logonInteractive = 2
	logonNetwork     = 3
)

// loginTypes is the table of the field LOGIN_TYPE in Salesforce's Object
// Reference; upper and lower case differ. The labels are those of LoginHistory.
var loginTypes = map[string]loginType{
	"7": {"AppExchange", protocolOther, true},
	"A": {"Application", protocolPassword, false},
	"s": {"Certificate-based login", protocolCertificate, true},
	"k": {"Chatter Communities External User", protocolOther, false},
	"n": {"Chatter Communities External User Third Party SSO", protocolOther, false},
	"x": {"Cross-Tenant Login", protocolOther, false},
	"r": {"Employee Login to Community", protocolOther, false},
	"z": {"Lightning Login", protocolOther, false},
	"l": {"Networks Portal API Only", protocolOther, true},
	"6": {"Remote Access Client", protocolOAuth1, true},
	"i": {"Remote Access 2.0", protocolOAuth, true},
	"I": {"Other Apex API", protocolPassword, true},
	"R": {"Partner Product", protocolPassword, true},
	"w": {"Passwordless Login", protocolOther, false},
	"3": {"Customer Service Portal", protocolPassword, false},
	"q": {"Partner Portal Third-Party SSO", protocolOther, false},
	"9": {"Partner Portal", protocolPassword, false},
	"5": {"SAML Idp Initiated SSO", protocolSAML, false},
	"m": {"SAML Chatter Communities External User SSO", protocolSAML, false},
	"b": {"SAML Customer Service Portal SSO", protocolSAML, false},
	"c": {"SAML Partner Portal SSO", protocolSAML, false},
	"h": {"SAML Site SSO", protocolSAML, false},
	"8": {"SAML Sfdc Initiated SSO", protocolSAML, false},
	"E": {"SelfService", protocolPassword, false},
	"j": {"Third Party SSO", protocolOther, false},
}

// loginTypeOf reads a LOGIN_TYPE letter or a LoginHistory label.
func loginTypeOf(value string) (loginType, bool) {
	if t, ok := loginTypes[value]; ok {
		return t, true
	}
	t, ok := loginTypesByLabel[plainName(value)]
	return t, ok
}

var loginTypesByLabel = func() map[string]loginType {
	byLabel := map[string]loginType{}
	for _, t := range loginTypes {
		byLabel[plainName(t.label)] = t
	}
	return byLabel
}()

// set fills the columns that tell how the login was made.
func (t loginType) set(e *schema.Event) {
	e.Text[schema.LogonType] = t.label
	e.Text[schema.AuthProtocol] = t.protocol.name
	e.Number[schema.AuthProtocolID] = t.protocol.id
	e.Number[schema.LogonTypeID] = logonInteractive
	if t.network {
		e.Number[schema.LogonTypeID] = logonNetwork
	}
}

// apiTypes is the table of the field API_TYPE; upper and lower case differ.
var apiTypes = map[string]string{
	"D": "Apex Class", "E": "SOAP Enterprise", "I": "SOAP Cross Instance", "M": "SOAP Metadata", "O": "Old SOAP",
	"P": "SOAP Partner", "S": "SOAP Apex", "T": "SOAP Tooling", "X": "XmlRPC", "f": "Feed", "l": "Live Agent",
	"p": "SOAP ClientSync",
}

// tlsVersion normalises "TLSv1.2", "TLS 1.2" and "1.2" to "1.2"; "Unknown" to "".
func tlsVersion(value string) string {
	switch value {
	case "TLSv1.3", "TLS 1.3", "1.3":
		return "1.3"
	case "TLSv1.2", "TLS 1.2", "1.2":
		return "1.2"
	case "TLSv1.1", "TLS 1.1", "1.1":
		return "1.1"
	case "TLSv1", "TLSv1.0", "TLS 1.0", "1.0":
		return "1.0"
	}
	if strings.EqualFold(value, "unknown") {
		return ""
	}
	return value
}

// plainName is a field name without case, spaces and punctuation: downloads spell
// "Login Time", "LoginTime" and "LOGIN_TIME".
func plainName(name string) string {
	plain := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z':
			plain = append(plain, c|0x20)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c >= 0x80:
			plain = append(plain, c)
		}
	}
	return string(plain)
}
