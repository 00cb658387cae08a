package alerting_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

var statuses = []schema.AlertStatus{schema.AlertOpen, schema.AlertAcknowledged, schema.AlertSnoozed, schema.AlertResolved, schema.AlertFalsePositive, schema.AlertMerged}

// What can be done with an alert follows from its status.
func TestButtons(t *testing.T) {
	var text, drawn bytes.Buffer
	for _, status := range statuses {
		a := alerting.Group(nil, []schema.Finding{finding("recon", at(0))})[0]
		a.Status = status
		with := alerting.BuildMessage(a, alerting.MessageOptions{Buttons: true}).Blocks
		without := alerting.BuildMessage(a, alerting.MessageOptions{}).Blocks
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(with[len(without):]); err != nil {
			t.Fatal(err)
		}
		blocks, err := json.Marshal(with[len(without):])
		if err != nil {
			t.Fatal(err)
		}
		line, err := alerting.RenderBlocks(blocks, 100)
		if err != nil {
			t.Fatal(err)
		}
		drawn.WriteString(status.String() + ": " + line)
		expectAccepted(t, a)
	}
	golden(t, "testdata/buttons/buttons.json", text.Bytes())
	golden(t, "testdata/buttons/buttons.txt", drawn.Bytes())
}

// Every button that is shown can be read again, and says which alert it is about.
func TestReadButton(t *testing.T) {
	read := map[schema.AlertAction]bool{}
	for _, status := range statuses {
		a := alerting.Group(nil, []schema.Finding{finding("recon", at(0))})[0]
		a.Status = status
		for _, block := range alerting.BuildMessage(a, alerting.MessageOptions{Buttons: true}).Blocks {
			actions, ok := block.(*slack.ActionBlock)
			if !ok {
				continue
			}
			for _, element := range actions.Elements.ElementSet {
				var id string
				var values []string
				switch e := element.(type) {
				case *slack.ButtonBlockElement:
					id, values = e.ActionID, []string{e.Value}
				case *slack.SelectBlockElement:
					id = e.ActionID
					for _, o := range e.Options {
						values = append(values, o.Value)
					}
				}
				for _, value := range values {
					b, err := alerting.ReadButton(id, value)
					if err != nil || b.Alert != a.UID || (b.Action == schema.ActionSnooze) != (b.Snooze > 0) {
						t.Errorf("%s %q: %+v, %v", id, value, b, err)
					}
					read[b.Action] = true
				}
			}
		}
	}
	if len(read) != 6 {
		t.Errorf("actions: %v", read)
	}
	uid := schema.HashUID("a").String()
	if b, err := alerting.ReadButton("crmwatch_snooze", "4h "+uid); err != nil || b.Snooze != 4*time.Hour {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range [][2]string{
		{"approve", uid}, {"crmwatch_delete", uid}, {"crmwatch_", uid}, {"crmwatch_merge", uid}, {"crmwatch_open", uid}, {"crmwatch_acknowledge", ""},
		{"crmwatch_acknowledge", uid + "' OR 1"}, {"crmwatch_snooze", uid}, {"crmwatch_snooze", "9000h " + uid}, {"crmwatch_snooze", "1h x"},
		{"crmwatch_\x1b[2J", uid},
	} {
		if b, err := alerting.ReadButton(bad[0], bad[1]); err == nil {
			t.Errorf("%q was read as %+v", bad, b)
		} else {
			expectHarmless(t, err.Error())
		}
	}
}

// An answer holds within Slack's limits whatever is in it, and stays text.
func TestAnswerBlocks(t *testing.T) {
	attack := "<!channel> <@U0123> <https://evil.example|ok> *bold* ``` _it_ https://evil.example @here &amp;"
	for name, table := range map[string]string{
		"empty": "", "blank": " \n\n", "attack": attack, "many": strings.Repeat(attack+"\n", 500), "long": strings.Repeat("&", 100_000),
		"controls": strings.Repeat("\x1b\u202e", 2000), "quotes": strings.Repeat("\"\"\"\"\n", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := startSlack(t, fakeslackOptions(), nil)
			blocks := alerting.AnswerBlocks(attack+strings.Repeat("x", 5000), table)
			post(t, server, blocks)
			m := server.Ephemerals("")[0]
			if live := m.Live(); len(live) > 0 {
				t.Errorf("live text: %.300q", live)
			}
			for _, block := range blocks[1:] {
				if section, ok := block.(*slack.SectionBlock); ok && strings.Count(section.Text.Text, "```") != 2 {
					t.Errorf("fences: %.300s", section.Text.Text)
				}
			}
			expectHarmless(t, m.Render())
			if name == "many" && !strings.Contains(m.Render(), "lines left out") {
				t.Error("nothing says that lines are missing")
			}
		})
	}
}
