package formats

import (
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

// Every documented LOGIN_STATUS code has a meaning of its own, and only one of
// them is a success.
func TestLoginStatuses(t *testing.T) {
	if n := len(loginStatuses); n != 6+8+8+14+24+22+36 {
		t.Errorf("%d codes", n)
	}
	for code, status := range loginStatuses {
		if !strings.HasPrefix(code, "LOGIN_") || strings.HasSuffix(status.sentence, " .") || !strings.HasSuffix(status.sentence, ".") {
			t.Errorf("%s: %q", code, status.sentence)
		}
		if status.status == schema.StatusSuccess {
			t.Errorf("%s is a success", code)
		}
		pending := strings.Contains(code, "CHALLENGE_ISSUED") || strings.Contains(code, "PENDING") || strings.Contains(code, "TWOFACTOR") ||
			strings.Contains(code, "LIGHTNING") || strings.Contains(code, "SWITCH")
		if pending != (status.status == schema.StatusOther) {
			t.Errorf("%s has status %d", code, status.status)
		}
	}
	if s := loginStatusOf("LOGIN_NO_ERROR"); s.status != schema.StatusSuccess || s.sentence != "" {
		t.Errorf("LOGIN_NO_ERROR: %+v", s)
	}
	if s := loginStatusOf("LOGIN_NEW"); s.status != schema.StatusFailure {
		t.Errorf("an unknown code: %+v", s)
	}
}
