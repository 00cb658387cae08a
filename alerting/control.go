package alerting

import (
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// maxControls is how many controls an alert names: those of two or three rules.
const maxControls = 12

// controls lists the controls that an alert's rules serve, by framework: "GDPR 32, 33 ·
// SOC 2 CC6.7, CC7.2". The last word of a control's id is its number there.
func controls(a schema.Alert) string {
	var ids, frameworks []string
	for _, f := range a.Findings {
		ids = addNew(ids, f.Controls)
	}
	numbers := map[string][]string{}
	for _, id := range ids[:min(len(ids), maxControls)] {
		id = shown(id, maxName)
		framework, number := "", id
		if at := strings.LastIndexByte(id, ' '); at > 0 {
			framework, number = id[:at], id[at+1:]
		}
		frameworks = addNew(frameworks, []string{framework})
		numbers[framework] = append(numbers[framework], number)
	}
	for i, framework := range frameworks {
		frameworks[i] = strings.TrimSpace(framework + " " + strings.Join(numbers[framework], ", "))
	}
	text := strings.Join(frameworks, " · ")
	if more := len(ids) - maxControls; more > 0 {
		text += fmt.Sprintf(" · %d more", more)
	}
	return text
}
