package alerting

import (
	"fmt"
	"os"
	"strings"
)

// Token is Slack's bot token. It prints as nothing but its kind, whatever prints it.
type Token string

// String hides the token.
func (t Token) String() string {
	if t == "" {
		return ""
	}
	return "xoxb-(hidden)"
}

// GoString hides the token from %#v.
func (t Token) GoString() string { return t.String() }

// MarshalText hides the token from encoders.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// ReadToken reads a bot token from a file, which must not be readable by others
// than its owner and group.
func ReadToken(path string) (Token, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read Slack token: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read Slack token: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read Slack token %s: it is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("read Slack token %s: everyone on this machine can use the file (mode %04o): run chmod 0600 %s", path, mode, path)
	}
	// A token has some 60 characters; more than this is another file.
	content := make([]byte, 4097)
	n, _ := file.Read(content)
	token := strings.TrimSpace(string(content[:n]))
	if err := checkToken(token); err != nil {
		return "", fmt.Errorf("read Slack token %s: %w", path, err)
	}
	return Token(token), nil
}

func checkToken(token string) error {
	switch {
	case token == "":
		return fmt.Errorf("it is empty: put the bot token (xoxb-...) of the Slack app into it")
	case len(token) > 4096 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("it holds more than a token: it must hold the bot token (xoxb-...) and nothing else")
	case strings.HasPrefix(token, "xapp-"):
		return fmt.Errorf("it holds an app-level token (xapp-...): the bot token (xoxb-...) is needed, from OAuth & Permissions")
	case !strings.HasPrefix(token, "xoxb-") && !strings.HasPrefix(token, "xoxe.xoxb-"):
		return fmt.Errorf("it holds no bot token: that begins with xoxb-, from OAuth & Permissions")
	}
	return nil
}
