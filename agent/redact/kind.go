package redact

// Kind is a sort of secret. Its name stands in the text in the secret's place.
type Kind uint8

// The kinds of secrets.
const (
	// KindCredential is a value that was replaced by its hash.
	KindCredential Kind = iota
	KindToken
	KindSession
	KindPassword
	KindSecret
	KindAPIKey
	KindPrivateKey
	KindCookie
	KindAuthorization
	KindCode
	KindAssertion
	KindJWT
	KindCloudKey
	KindOpaque
	KindCard
	KindIBAN
	kindCount
	// noKind is no secret.
	noKind = kindCount
)

var kindNames = [kindCount]string{
	KindCredential:    "credential",
	KindToken:         "token",
	KindSession:       "session",
	KindPassword:      "password",
	KindSecret:        "secret",
	KindAPIKey:        "api-key",
	KindPrivateKey:    "private-key",
	KindCookie:        "cookie",
	KindAuthorization: "auth",
	KindCode:          "code",
	KindAssertion:     "assertion",
	KindJWT:           "jwt",
	KindCloudKey:      "cloud-key",
	KindOpaque:        "opaque",
	KindCard:          "card",
	KindIBAN:          "iban",
}

// String is the kind's name as it stands in [redacted:KIND].
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return "none"
}

// hashed says whether a field of this kind is replaced by its hash rather than cut
// out: it is random enough that the hash tells nothing, and rules count distinct
// ones.
func (k Kind) hashed() bool {
	return k == KindToken || k == KindSession || k == KindAPIKey
}
