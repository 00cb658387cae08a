package alerting

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/crmwatch/crmwatch/schema"
)

const previewWidth = 88

// Preview draws an alert's Slack message as text in a box, much as Slack shows it.
func Preview(a schema.Alert, options MessageOptions) string {
	m := BuildMessage(a, options)
	blocks, err := json.Marshal(m.Blocks)
	if err != nil {
		return m.Text
	}
	text, err := RenderBlocks(blocks, previewWidth-4)
	if err != nil {
		return m.Text
	}
	title := "─ " + channelName(options.Channel) + " "
	var b strings.Builder
	b.WriteString("┌" + title + strings.Repeat("─", max(0, previewWidth-2-utf8.RuneCountInString(title))) + "┐\n")
	for line := range strings.Lines("crmwatch  APP\n" + text) {
		line = strings.TrimRight(line, "\n")
		b.WriteString("│ " + line + strings.Repeat(" ", max(0, previewWidth-4-utf8.RuneCountInString(line))) + " │\n")
	}
	b.WriteString("└" + strings.Repeat("─", previewWidth-2) + "┘\n")
	return b.String()
}

// channelName writes a channel as people do; an id stays as it is.
func channelName(channel string) string {
	if channel == "" {
		channel = "security-alerts"
	}
	if strings.HasPrefix(channel, "#") || isChannelID(channel) {
		return plainLine(channel)
	}
	return "#" + plainLine(channel)
}

// isChannelID tells an id (C0123456789, also G and D) from a channel's name,
// which has no capitals.
func isChannelID(s string) bool {
	if len(s) < 9 || !strings.ContainsRune("CGD", rune(s[0])) {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}

// RenderBlocks draws a message's Block Kit JSON as text, in lines of at most
// width characters.
func RenderBlocks(blocks []byte, width int) (string, error) {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	var parsed []struct {
		Type   string `json:"type"`
		Text   *text  `json:"text"`
		Fields []text `json:"fields"`
		// Elements are texts, buttons or menus.
		Elements []json.RawMessage `json:"elements"`
	}
	if err := json.Unmarshal(blocks, &parsed); err != nil {
		return "", fmt.Errorf("read blocks: %w", err)
	}
	show := func(t text) string {
		if t.Type == "mrkdwn" {
			return unescape.Replace(showMarkdown(t.Text))
		}
		return unescape.Replace(t.Text)
	}
	var b strings.Builder
	add := func(indent, s string) {
		for line := range strings.Lines(s) {
			for _, part := range wrapLine(strings.TrimRight(line, "\n"), width-len(indent)) {
				b.WriteString(strings.TrimRight(indent+part, " ") + "\n")
			}
		}
	}
	for _, block := range parsed {
		switch block.Type {
		case "divider":
			b.WriteString(strings.Repeat("─", width) + "\n")
			continue
		case "header":
			b.WriteString("\n")
		}
		if block.Text != nil {
			add("", show(*block.Text))
		}
		for i := 0; i+1 < len(block.Fields); i += 2 {
			label := show(block.Fields[i])
			const column = 12
			value := show(block.Fields[i+1])
			for j, line := range strings.Split(value, "\n") {
				if j > 0 {
					label = ""
				}
				for _, part := range wrapLine(line, width-column) {
					b.WriteString(label + strings.Repeat(" ", max(1, column-utf8.RuneCountInString(label))) + part + "\n")
					label = ""
				}
			}
		}
		if block.Type == "actions" {
			add("", showButtons(block.Elements))
		} else {
			for _, raw := range block.Elements {
				var e text
				_ = json.Unmarshal(raw, &e)
				add("", show(e))
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

// showButtons draws buttons and menus in one line.
func showButtons(elements []json.RawMessage) string {
	var drawn []string
	for _, raw := range elements {
		type caption struct {
			Text string `json:"text"`
		}
		var e struct{ Text, Placeholder caption }
		_ = json.Unmarshal(raw, &e)
		switch {
		case e.Text.Text != "":
			drawn = append(drawn, "[ "+unescape.Replace(e.Text.Text)+" ]")
		case e.Placeholder.Text != "":
			drawn = append(drawn, "[ "+unescape.Replace(e.Placeholder.Text)+" ▾ ]")
		}
	}
	return strings.Join(drawn, "  ")
}

var (
	unescape   = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
	emojiNames = strings.NewReplacer(":red_circle:", "●", ":large_orange_circle:", "●", ":large_yellow_circle:", "●", ":large_blue_circle:", "●", ":white_circle:", "○")
)

var emphasis = regexp.MustCompile("\\*([^*\n]+)\\*|`([^`\n]+)`|_([(][^\n]+[)])_")

// showMarkdown takes the marks of emphasis and code out, and indents code blocks.
func showMarkdown(s string) string {
	parts := strings.Split(s, "```")
	for i, part := range parts {
		if i%2 == 0 {
			parts[i] = emphasis.ReplaceAllString(emojiNames.Replace(part), "$1$2$3")
		} else {
			parts[i] = "  " + strings.ReplaceAll(part, "\n", "\n  ")
		}
	}
	return strings.Join(parts, "")
}

// wrapLine wraps one line and keeps its leading blanks.
func wrapLine(line string, width int) []string {
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	trimmed := strings.TrimLeft(line, " \t")
	indent := line[:len(line)-len(trimmed)]
	parts := wrap(trimmed, width-len(indent))
	for i := range parts {
		parts[i] = indent + parts[i]
	}
	return parts
}
