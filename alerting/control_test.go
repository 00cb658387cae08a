package alerting_test

import (
	"strings"
	"testing"
)

// A message names the controls of its rules, also those that a rule is given later.
func TestControlsOfMessage(t *testing.T) {
	o := openOffice(t)
	f := finding("recon", at(1))
	o.grow(f)
	if text := o.theMessage().Render(); strings.Contains(text, "Controls") {
		t.Errorf("a message without controls:\n%s", text)
	}
	f.Controls = []string{"GDPR 32", "SOC 2 CC7.2", "GDPR 33"}
	o.grow(f)
	if text := o.theMessage().Render(); strings.Count(text, "Controls: GDPR 32, 33 · SOC 2 CC7.2\n") != 1 {
		t.Errorf("the message shows\n%s", text)
	}
}
