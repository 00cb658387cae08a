package alerting

import (
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// Button is what a person asks for with a button or a menu of a message.
type Button struct {
	Alert schema.UID
	// Action is empty where the evidence is asked for.
	Action schema.AlertAction
	// Snooze is how long an alert shall sleep.
	Snooze time.Duration
}

const (
	// actionPrefix tells our buttons from those of other apps.
	actionPrefix   = "crmwatch_"
	actionEvidence = actionPrefix + "evidence"
)

// snoozes are the offered lengths, by the beginning of an option's value.
var snoozes = []struct {
	value, text string
	length      time.Duration
}{{"1h", "1 hour", time.Hour}, {"4h", "4 hours", 4 * time.Hour}, {"24h", "24 hours", 24 * time.Hour}}

// buttons are what a person can do about an alert, by its status. They carry the
// alert's uid and no state: what is allowed is decided when one is pressed.
func buttons(a schema.Alert) []slack.Block {
	uid := a.UID.String()
	button := func(action schema.AlertAction, text string) *slack.ButtonBlockElement {
		return slack.NewButtonBlockElement(actionPrefix+string(action), uid, plainObject(text, maxButton))
	}
	evidence := slack.NewButtonBlockElement(actionEvidence, uid, plainObject("Show evidence", maxButton))
	var elements []slack.BlockElement
	switch a.Status {
	case schema.AlertMerged:
		return nil
	case schema.AlertResolved, schema.AlertFalsePositive:
		elements = append(elements, button(schema.ActionReopen, "Reopen"))
	default:
		if a.Status != schema.AlertAcknowledged {
			elements = append(elements, button(schema.ActionAcknowledge, "Acknowledge").WithStyle(slack.StylePrimary))
		}
		elements = append(elements, snoozeMenu(uid), button(schema.ActionResolve, "Resolve"),
			button(schema.ActionFalsePositive, "False positive").WithStyle(slack.StyleDanger).WithConfirm(falsePositiveQuestion()))
	}
	return []slack.Block{slack.NewActionBlock("", append(elements, evidence)...)}
}

// maxButton is Slack's limit for the text of a button and of an option.
const maxButton = 75

func snoozeMenu(uid string) *slack.SelectBlockElement {
	var options []*slack.OptionBlockObject
	for _, s := range snoozes {
		options = append(options, slack.NewOptionBlockObject(s.value+" "+uid, plainObject(s.text, maxButton), nil))
	}
	return slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainObject("Snooze", maxButton), actionPrefix+string(schema.ActionSnooze), options...)
}

// falsePositiveQuestion says what follows: more of the same will not open the alert.
func falsePositiveQuestion() *slack.ConfirmationBlockObject {
	return slack.NewConfirmationBlockObject(plainObject("Nothing that anybody should have been told?", 100),
		plainObject("The alert is closed, and more findings of the same rules do not open it again. A finding of another rule, or a higher severity, does.", 300),
		plainObject("False positive", 30), plainObject("Cancel", 30)).WithStyle(slack.StyleDanger)
}

// ReadButton reads what Slack says was pressed: the action's id, and its value or that
// of the chosen option. Nothing in them is trusted beyond its form.
func ReadButton(actionID, value string) (Button, error) {
	action, ours := strings.CutPrefix(actionID, actionPrefix)
	if !ours {
		return Button{}, fmt.Errorf("the button %q is not one of crmwatch", shown(actionID, maxButton))
	}
	b := Button{Action: schema.AlertAction(action)}
	switch b.Action {
	case schema.ActionAcknowledge, schema.ActionResolve, schema.ActionFalsePositive, schema.ActionReopen:
	case schema.ActionSnooze:
		length, uid, _ := strings.Cut(value, " ")
		for _, s := range snoozes {
			if s.value == length {
				b.Snooze, value = s.length, uid
			}
		}
		if b.Snooze == 0 {
			return Button{}, fmt.Errorf("a snooze of %q is not offered", shown(length, maxButton))
		}
	default:
		if actionID != actionEvidence {
			return Button{}, fmt.Errorf("the button %q is unknown: it may be of another version of crmwatch", shown(actionID, maxButton))
		}
		b.Action = ""
	}
	uid, err := schema.ParseUID(value)
	if err != nil {
		return Button{}, fmt.Errorf("the button names no alert: %q", shown(value, maxButton))
	}
	b.Alert = uid
	return b, nil
}
