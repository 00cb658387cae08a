package alerting

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// digestSince says what a digest counts.
func digestSince(a schema.Alert) string {
	return " since " + sayWhen(a.FirstSeen) + " UTC, not told one by one; see: crmwatch alerts list"
}

// digestBlocks are what a digest's message holds under its header.
func digestBlocks(a schema.Alert) []slack.Block {
	lines := []string{"Since " + sayWhen(a.FirstSeen) + " UTC there are more alerts than this channel is told one by one. Each of these is told for itself as soon as its severity rises."}
	for _, f := range a.Findings {
		lines = append(lines, shown(f.Title, maxMessage))
	}
	return []slack.Block{
		slack.NewSectionBlock(plainObject(strings.Join(lines, "\n"), maxSection), nil, nil),
		slack.NewContextBlock("", markdown("crmwatch · all of them: `crmwatch alerts list`")),
	}
}

// digest writes a digest for a terminal.
func (c *console) digest(a schema.Alert) {
	c.line(c.paint(severityColor[a.Severity], strings.ToUpper(a.Severity.String())) + "  " + c.paint(bold, shown(a.Title, maxTitle)))
	c.wrapped("  ", strings.TrimSpace(digestSince(a)))
	for _, f := range a.Findings {
		c.wrapped("  ", shown(f.Title, maxMessage))
	}
}
