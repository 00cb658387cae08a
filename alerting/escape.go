package alerting

import (
	"strings"
	"unicode/utf16"

	"github.com/slack-go/slack"
)

// escape replaces the three characters that Slack reads as markup (docs.slack.dev,
// "Escaping text") and cuts the result at limit UTF-16 units, never inside an
// escape. The text must be free of control characters already.
func escape(s string, limit int) string {
	var b strings.Builder
	used := 0
	for i, r := range s {
		piece := string(r)
		switch r {
		case '&':
			piece = "&amp;"
		case '<':
			piece = "&lt;"
		case '>':
			piece = "&gt;"
		}
		n := units(piece)
		// The last place is kept for the mark, unless the text ends there.
		if used+n > limit || used+n == limit && i+len(string(r)) < len(s) {
			return b.String() + "…"
		}
		b.WriteString(piece)
		used += n
	}
	return b.String()
}

// units counts UTF-16 code units, as Slack's limits do.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// plainObject shows text as it is: no markup, no emoji codes. Slack refuses an
// empty text.
func plainObject(text string, limit int) *slack.TextBlockObject {
	if strings.TrimSpace(text) == "" {
		text = "–"
	}
	return slack.NewTextBlockObject(slack.PlainTextType, escape(text, limit), false, false)
}

// markdown is for text of our own. Verbatim: Slack makes no links of it.
func markdown(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}
