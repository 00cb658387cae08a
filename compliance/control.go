package compliance

import (
	"slices"

	"github.com/crmwatch/crmwatch/detectors"
)

// lookedUp are the controls that auditors look up of a log monitor; a summary answers
// for each, also where nothing speaks to it.
var lookedUp = []string{
	"GDPR 5", "GDPR 25", "GDPR 30", "GDPR 32", "GDPR 33",
	"ISO 27001:2022 A.5.7", "ISO 27001:2022 A.5.15", "ISO 27001:2022 A.5.16", "ISO 27001:2022 A.5.17", "ISO 27001:2022 A.5.18",
	"ISO 27001:2022 A.5.28", "ISO 27001:2022 A.8.2", "ISO 27001:2022 A.8.5", "ISO 27001:2022 A.8.11", "ISO 27001:2022 A.8.12",
	"ISO 27001:2022 A.8.15", "ISO 27001:2022 A.8.16", "ISO 27001:2022 A.8.24",
	"SOC 2 CC6.1", "SOC 2 CC6.2", "SOC 2 CC6.3", "SOC 2 CC6.4", "SOC 2 CC6.5", "SOC 2 CC6.6", "SOC 2 CC6.7", "SOC 2 CC6.8",
	"SOC 2 CC7.1", "SOC 2 CC7.2", "SOC 2 CC7.3", "SOC 2 CC7.4", "SOC 2 CC7.5",
}

// controlAnswers finds for each control the statements that are evidence for it.
func controlAnswers(c Content, known []detectors.Control) []ControlAnswer {
	titles := map[string]string{}
	for _, control := range known {
		titles[control.ID] = control.Title
	}
	ids := slices.Clone(lookedUp)
	for _, answer := range c.answers {
		ids = append(ids, answer.Controls...)
	}
	slices.SortFunc(ids, detectors.CompareControls)
	ids = slices.Compact(ids)
	answers := make([]ControlAnswer, 0, len(ids))
	for _, id := range ids {
		control := ControlAnswer{ID: id, Title: titles[id], Statements: []string{}, Silent: []string{}}
		for _, answer := range c.answers {
			switch {
			case !slices.Contains(answer.Controls, id):
			case answer.Problem == "" && answer.Empty == "":
				control.Statements = append(control.Statements, answer.ID)
			default:
				control.Silent = append(control.Silent, answer.ID)
			}
		}
		answers = append(answers, control)
	}
	return answers
}
