package engine

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
)

// Role is what a credential may do.
type Role string

const (
	// Admin may do everything.
	Admin Role = "crmwatch"
	// Reader may read tables of the engine, and nothing outside it. The engine enforces it: a role with SELECT only, and
	// readonly=2, which lets a client change settings such as max_execution_time.
	Reader Role = "reader"
)

// Credential is a user name and its secret. The secret also works alone, as a bearer token.
type Credential struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// LogValue keeps the secret out of logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.User) }

// String keeps the secret out of formatted text.
func (c Credential) String() string { return c.User + ":***" }

// newCredential makes a credential with 256 random bits.
func newCredential(role Role) Credential {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails since Go 1.24
	return Credential{User: string(role), Password: hex.EncodeToString(secret)}
}

// guard checks credentials against their hashes.
type guard struct {
	identities map[Role][sha256.Size]byte // of user, NUL, secret
	tokens     map[Role][sha256.Size]byte // of the secret
}

func newGuard(admin, reader Credential) *guard {
	g := &guard{identities: map[Role][32]byte{}, tokens: map[Role][32]byte{}}
	for role, c := range map[Role]Credential{Admin: admin, Reader: reader} {
		if c.Password == "" {
			continue
		}
		g.identities[role] = sha256.Sum256([]byte(c.User + "\x00" + c.Password))
		g.tokens[role] = sha256.Sum256([]byte(c.Password))
	}
	return g
}

// authenticate finds the caller's role. Every comparison is made, in constant time, whatever the outcome.
func (g *guard) authenticate(r *http.Request) (Role, error) {
	user, password, bearer := presented(r)
	given, known := sha256.Sum256([]byte(user+"\x00"+password)), g.identities
	if bearer {
		given, known = sha256.Sum256([]byte(password)), g.tokens
	}
	var role Role
	for candidate, hash := range known {
		if subtle.ConstantTimeCompare(given[:], hash[:]) == 1 {
			role = candidate
		}
	}
	if role == "" {
		if user == "" {
			user = "default"
		}
		return "", refuse(codeAuthenticationFailed, "AUTHENTICATION_FAILED",
			"%s: Authentication failed: password is incorrect, or there is no user with such name.", user)
	}
	return role, nil
}

// presented reads the credential where ClickHouse looks for it: Authorization, X-ClickHouse-User/Key, user/password.
func presented(r *http.Request) (user, password string, bearer bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return "", token, true
	}
	if user, password, ok := r.BasicAuth(); ok {
		return user, password, false
	}
	if user := r.Header.Get("X-ClickHouse-User"); user != "" {
		return user, r.Header.Get("X-ClickHouse-Key"), false
	}
	values, err := parseValues(r.URL.RawQuery)
	if err != nil {
		return "", "", false
	}
	return values.Get("user"), values.Get("password"), false
}
