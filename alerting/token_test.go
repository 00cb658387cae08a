package alerting_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/alerting"
)

// Each of Slack's three secrets is told from the others, and none of them is printed.
func TestSlackSecrets(t *testing.T) {
	const signing = "0123456789abcdefcanary0123456789"
	kinds := map[string]func(string) (alerting.Token, error){
		"bot": alerting.ReadToken, "app": alerting.ReadAppToken, "signing": alerting.ReadSigningSecret,
	}
	good := map[string]string{"bot": "xoxb-canary", "app": "xapp-1-canary", "signing": signing}
	for kind, read := range kinds {
		for content, mode := range map[string]os.FileMode{"xoxb-canary": 0o600, "xapp-1-canary": 0o640, signing: 0o600, "": 0o600, "canary": 0o600, "canary canary": 0o600} {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(content+"\n"), mode); err != nil {
				t.Fatal(err)
			}
			secret, err := read(path)
			if (err == nil) != (content == good[kind]) {
				t.Errorf("%s from %q: %v", kind, content, err)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells the secret: %v", err)
			}
			if shown := fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret); strings.Contains(shown, "canary") || err == nil && !strings.Contains(shown, "hidden") {
				t.Errorf("printed as %s", shown)
			}
			if err := os.Chmod(path, 0o604); err != nil {
				t.Fatal(err)
			}
			if _, err := read(path); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
				t.Errorf("a secret that everyone can read: %v", err)
			}
		}
	}
}
