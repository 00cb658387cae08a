package alerting

import (
	"fmt"
	"os"
	"strings"
)

// Token is a secret of the Slack app: its bot token, its app-level token or its signing
// secret. It prints as nothing but its kind, whatever prints it.
type Token string

// String hides the token.
func (t Token) String() string {
	switch {
	case t == "":
		return ""
	case strings.HasPrefix(string(t), "xapp-"):
		return "xapp-(hidden)"
	case strings.HasPrefix(string(t), "xox"):
		return "xoxb-(hidden)"
	}
	return "(hidden)"
}

// GoString hides the token from %#v.
func (t Token) GoString() string { return t.String() }

// MarshalText hides the token from encoders.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// ReadToken reads a bot token from a file, which must not be readable by others
// than its owner and group.
func ReadToken(path string) (Token, error) { return readSlackSecret("token", path, checkToken) }

// ReadAppToken reads an app-level token, with which Socket Mode connections are opened.
func ReadAppToken(path string) (Token, error) {
	return readSlackSecret("app-level token", path, checkAppToken)
}

// ReadSigningSecret reads the secret with which Slack signs its requests.
func ReadSigningSecret(path string) (Token, error) {
	return readSlackSecret("signing secret", path, checkSigningSecret)
}

func readSlackSecret(kind, path string, check func(string) error) (Token, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read Slack %s: %w", kind, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read Slack %s: %w", kind, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read Slack %s %s: it is not a file", kind, path)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("read Slack %s %s: everyone on this machine can use the file (mode %04o): run chmod 0600 %s", kind, path, mode, path)
	}
	// The longest has some 100 characters; more than this is another file.
	content := make([]byte, maxSecret+1)
	n, _ := file.Read(content)
	secret := strings.TrimSpace(string(content[:n]))
	if err := check(secret); err != nil {
		return "", fmt.Errorf("read Slack %s %s: %w", kind, path, err)
	}
	return Token(secret), nil
}

const maxSecret = 4096

// severalWords says that a file holds more than the one secret.
func severalWords(secret string) bool {
	return len(secret) > maxSecret || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' })
}

func checkToken(token string) error {
	switch {
	case token == "":
		return fmt.Errorf("it is empty: put the bot token (xoxb-...) of the Slack app into it")
	case severalWords(token):
		return fmt.Errorf("it holds more than a token: it must hold the bot token (xoxb-...) and nothing else")
	case strings.HasPrefix(token, "xapp-"):
		return fmt.Errorf("it holds an app-level token (xapp-...): the bot token (xoxb-...) is needed, from OAuth & Permissions")
	case !strings.HasPrefix(token, "xoxb-") && !strings.HasPrefix(token, "xoxe.xoxb-"):
		return fmt.Errorf("it holds no bot token: that begins with xoxb-, from OAuth & Permissions")
	}
	return nil
}

func checkAppToken(token string) error {
	switch {
	case token == "":
		return fmt.Errorf("it is empty: put the app-level token (xapp-...) of the Slack app into it")
	case severalWords(token):
		return fmt.Errorf("it holds more than a token: it must hold the app-level token (xapp-...) and nothing else")
	case !strings.HasPrefix(token, "xapp-"):
		return fmt.Errorf("it holds no app-level token: that begins with xapp-, from Basic Information > App-Level Tokens, with the scope connections:write")
	}
	return nil
}

// minSigningSecret is short of the 32 characters that Slack gives.
const minSigningSecret = 16

func checkSigningSecret(secret string) error {
	switch {
	case secret == "":
		return fmt.Errorf("it is empty: put the signing secret of the Slack app into it, from Basic Information > App Credentials")
	case severalWords(secret):
		return fmt.Errorf("it holds more than a secret: it must hold the signing secret and nothing else")
	case strings.HasPrefix(secret, "xox") || strings.HasPrefix(secret, "xapp-"):
		return fmt.Errorf("it holds a token: the signing secret is needed, from Basic Information > App Credentials")
	case len(secret) < minSigningSecret:
		return fmt.Errorf("it has %d characters, fewer than a signing secret has: copy it from Basic Information > App Credentials", len(secret))
	}
	return nil
}
