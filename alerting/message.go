package alerting

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// Slack's limits for a message (docs.slack.dev, Block Kit reference), in UTF-16
// units of the escaped text.
const (
	maxHeader     = 150
	maxSection    = 3000
	maxField      = 2000
	maxBlocks     = 50
	maxFields     = 10
	maxFallback   = 3000
	maxBlocksJSON = 12000 // Slack answers msg_blocks_too_long from about 13,000 on.
)

const (
	maxMessageSteps = 8
	// maxStepText is how much of a step a message shows.
	maxStepText  = 600
	maxNextSteps = 8
	maxNextStep  = 240
	// maxMessageSQL keeps a query whole or leaves it out: half a query is no use.
	// Its section holds a heading as well.
	maxMessageSQL = 2900
	// maxNotSeen is how many blind rules a message names, maxContext how long that is.
	maxNotSeen = 6
	maxContext = 600
)

// metadataEvent is the type of the metadata that every message carries; the
// payload's alert_uid is how a message is found again when Slack's answer to the
// post was lost.
const metadataEvent = "crmwatch_alert"

// Message is an alert as Slack takes it: blocks, a plain text for notifications
// and screen readers, and metadata that names the alert.
type Message struct {
	Text     string              `json:"text"`
	Blocks   []slack.Block       `json:"blocks"`
	Metadata slack.SlackMetadata `json:"metadata"`
}

// MessageOptions say how an alert becomes a message.
type MessageOptions struct {
	// Channel is shown by Preview.
	Channel string
	// Runbook gives the next steps for a rule; nil leaves them out.
	Runbook func(rule string) []string
	// NotSeen lists the rules about an entity type that had no log to look at; nil
	// leaves them out.
	NotSeen func(entityType string) []string
	// Repeat labels the message as one that may stand in the channel already.
	Repeat Repeat
	// Buttons offers what a person can do; only where somebody listens for it.
	Buttons bool
}

// Repeat is why a message is posted a second time.
type Repeat string

// The reasons for a second post of one alert.
const (
	RepeatNone Repeat = ""
	// RepeatLost: nobody knows whether the first post arrived.
	RepeatLost Repeat = "lost"
	// RepeatDeleted: somebody deleted the message, and the alert has grown since.
	RepeatDeleted Repeat = "deleted"
)

var repeatLabels = map[Repeat]string{
	RepeatLost:    "(repeat: Slack's answer to the first message was lost)",
	RepeatDeleted: "(repeat: the first message was deleted, and the alert has grown since)",
}

// BuildMessage renders an alert within Slack's limits, however long its text and
// however many its findings. Log text stands only in plain_text objects, where
// Slack reads no markup, and in one verbatim code block; &, < and > are escaped
// everywhere, so it can make no mention, no link and no fence.
func BuildMessage(a schema.Alert, options MessageOptions) Message {
	m := Message{
		Text: escape(summary(a), maxFallback),
		Metadata: slack.SlackMetadata{EventType: metadataEvent, EventPayload: map[string]any{
			"alert_uid": a.UID.String(),
		}},
	}
	if label := repeatLabels[options.Repeat]; label != "" {
		m.Blocks = append(m.Blocks, slack.NewContextBlock("", markdown("_"+label+"_")))
		m.Text = escape(label+" "+summary(a), maxFallback)
	}
	m.Blocks = append(m.Blocks, slack.NewHeaderBlock(plainObject(strings.ToUpper(a.Severity.String())+"  "+shown(a.Title, maxTitle), maxHeader)))
	if a.Status == schema.AlertDigest {
		m.Blocks = append(m.Blocks, digestBlocks(a)...)
		return m
	}
	if a.Status == schema.AlertMerged {
		m.Blocks = append(m.Blocks, slack.NewSectionBlock(plainObject("This alert turned out to be part of an earlier one, "+a.MergedInto.String()+", and goes on there.", maxSection), nil, nil))
		return m
	}
	steps := timeline(a)
	m.Blocks = append(m.Blocks, slack.NewSectionBlock(markdown(standing(a, steps)), nil, nil))
	if !a.StatusAt.IsZero() {
		m.Blocks = append(m.Blocks, slack.NewContextBlock("", plainObject(sentence(sayStatus(a)), maxContext)))
	}
	m.Blocks = append(m.Blocks, slack.NewSectionBlock(nil, facts(a), nil))
	m.Blocks = append(m.Blocks, slack.NewDividerBlock())
	tail := tailBlocks(a, steps, options)
	if options.Buttons {
		tail = append(tail, buttons(a)...)
	}
	m.Blocks = append(m.Blocks, stepBlocks(a, steps, maxBlocksJSON-sizeOf(m.Blocks)-sizeOf(tail))...)
	m.Blocks = append(m.Blocks, tail...)
	return m
}

// summary is an alert in one or two sentences.
func summary(a schema.Alert) string {
	text := strings.ToUpper(a.Severity.String()) + " " + shown(a.Title, maxTitle)
	if a.Status == schema.AlertDigest {
		return text + digestSince(a)
	}
	if a.Status == schema.AlertMerged {
		return text + " (merged into another alert)"
	}
	return cut(text, 1000) + " — " + sayCount(uint64(len(a.FindingUIDs)), "finding") + ", " + saySpan(a.FirstSeen, a.LastSeen) + " UTC"
}

var severityEmoji = map[schema.Severity]string{
	schema.SeverityCritical: ":red_circle:", schema.SeverityHigh: ":large_orange_circle:",
	schema.SeverityMedium: ":large_yellow_circle:", schema.SeverityLow: ":large_blue_circle:",
}

// standing is the line under the header. It holds no log text.
func standing(a schema.Alert, steps []step) string {
	emoji := severityEmoji[a.Severity]
	if emoji == "" {
		emoji = ":white_circle:"
	}
	n, atLeast := events(steps)
	text := fmt.Sprintf("%s *%s* · %s · %s", emoji, sentence(a.Severity.String()), a.Status, sayFound(len(a.FindingUIDs), n, atLeast))
	if a.SeenAfter > 0 {
		text += " · seen " + sayLong(a.SeenAfter) + " after the last event"
	}
	return text
}

// facts are pairs of label and value: two columns, at most five rows.
func facts(a schema.Alert) []*slack.TextBlockObject {
	rows := [][2]string{
		{"Who", shown(a.Entity, maxName)},
		{"Where", strings.Join(without("", products(a), tenantName(a), idName(a)), " · ")},
		{"When (UTC)", saySpan(a.FirstSeen, a.LastSeen) + lasted(a)},
		{"ATT&CK", strings.ReplaceAll(nameTechniques(a.Attack), ", T", "\nT")},
	}
	var fields []*slack.TextBlockObject
	for _, row := range rows {
		if row[1] != "" && len(fields) < maxFields {
			fields = append(fields, markdown("*"+escape(row[0], 50)+"*"), plainObject(row[1], 400))
		}
	}
	return fields
}

func without(drop string, list ...string) []string {
	var kept []string
	for _, s := range list {
		if s != drop {
			kept = append(kept, s)
		}
	}
	return kept
}

// stepBlocks tells the timeline in at most room bytes of JSON: with fewer steps
// where there are many, and with shorter ones where they are long.
func stepBlocks(a schema.Alert, steps []step, room int) []slack.Block {
	for limit, length := maxMessageSteps, maxStepText; ; {
		kept, gap, left := shorten(steps, limit)
		var blocks []slack.Block
		for i, s := range kept {
			if i == gap {
				blocks = append(blocks, slack.NewContextBlock("", markdown(fmt.Sprintf("… %s left out: `crmwatch alerts show %s`", sayCount(uint64(left), "step"), a.UID))))
			}
			blocks = append(blocks, slack.NewSectionBlock(plainObject(stepText(s, length), length), nil, nil))
		}
		if sizeOf(blocks) <= room || limit <= 2 {
			return blocks
		}
		limit, length = limit-2, length-100
	}
}

func stepText(s step, limit int) string {
	text := sayWhen(s.first) + "  " + s.title
	small := "\n" + stepFacts(s)
	if s.sparkline != "" {
		small = "\n" + s.sparkline + small
	}
	if s.message == "" {
		return text + small
	}
	// The small print stays when the message is long.
	return text + "\n" + shown(s.message, max(limit-units(text)-units(small)-2, 100)) + small
}

// tailBlocks are the next steps, the query that shows the rows, and the alert's uid.
func tailBlocks(a schema.Alert, steps []step, options MessageOptions) []slack.Block {
	blocks := []slack.Block{slack.NewDividerBlock()}
	if lines := nextSteps(a, options.Runbook); len(lines) > 0 {
		var text strings.Builder
		text.WriteString("Next steps")
		for i, line := range lines[:min(len(lines), maxNextSteps)] {
			fmt.Fprintf(&text, "\n%d. %s", i+1, shown(line, maxNextStep))
		}
		if more := len(lines) - maxNextSteps; more > 0 {
			fmt.Fprintf(&text, "\n… %d more", more)
		}
		blocks = append(blocks, slack.NewSectionBlock(plainObject(text.String(), maxSection), nil, nil))
	}
	if sql := slackSQL(steps); sql != "" {
		blocks = append(blocks, slack.NewSectionBlock(markdown("*Show the rows*\n```"+sql+"```"), nil, nil))
	}
	if text := controls(a); text != "" {
		blocks = append(blocks, slack.NewContextBlock("", plainObject("Controls: "+text, maxContext)))
	}
	if text := notSeen(a, options.NotSeen); text != "" {
		blocks = append(blocks, slack.NewContextBlock("", plainObject(text, maxContext)))
	}
	return append(blocks, slack.NewContextBlock("", markdown("crmwatch · alert `"+a.UID.String()+"` · all of it: `crmwatch alerts show "+a.UID.String()+"`")))
}

// notSeen says what the story may lack: the rules that could not look. It matters
// where somebody decides by it what has happened.
func notSeen(a schema.Alert, blind func(entityType string) []string) string {
	if blind == nil || a.Severity < schema.SeverityMedium {
		return ""
	}
	rules := blind(a.EntityType)
	if len(rules) == 0 {
		return ""
	}
	names := strings.Join(rules[:min(len(rules), maxNotSeen)], ", ")
	if more := len(rules) - maxNotSeen; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "Not seen, for want of logs: " + names + " · which logs to add: crmwatch rules coverage"
}

// slackSQL is the escaped query of the weightiest step whose query is short
// enough. A backquote could end the code block, so it becomes the double quote
// that ClickHouse takes around names as well.
func slackSQL(steps []step) string {
	var best step
	var sql string
	for _, s := range queries(steps) {
		text := strings.ReplaceAll(plainText(cut(strings.TrimSpace(s.sql), maxSQL)), "`", `"`)
		escaped := escape(text, maxSection)
		if units(escaped) <= maxMessageSQL && (sql == "" || s.severity > best.severity || s.severity == best.severity && s.events > best.events) {
			best, sql = s, escaped
		}
	}
	return sql
}

// sizeOf is the length of blocks as JSON, in UTF-16 units.
func sizeOf(blocks []slack.Block) int {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(blocks); err != nil {
		return 0 // No block that is built here fails to encode.
	}
	return units(text.String())
}
