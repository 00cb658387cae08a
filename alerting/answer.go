package alerting

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

const (
	// maxTableLine is how much of one line an answer shows, in characters.
	maxTableLine = 400
	// maxTableBlock leaves room in a section for the fences of its code block.
	maxTableBlock = 2900
)

// AnswerBlocks renders an answer to one person: head is a sentence, table is text in
// fixed columns and may be empty. What does not fit into a message is left out, and
// counted. Log text in either makes no mention, no link and no fence.
func AnswerBlocks(head, table string) []slack.Block {
	blocks := []slack.Block{slack.NewSectionBlock(plainObject(cut(plainText(cut(head, maxMessage)), maxMessage), maxSection), nil, nil)}
	lines := strings.Split(strings.TrimRight(table, "\n"), "\n")
	if strings.TrimSpace(table) == "" {
		return blocks
	}
	for len(lines) > 0 {
		text, n := codeLines(lines)
		more := append(blocks[:len(blocks):len(blocks)], slack.NewSectionBlock(markdown("```\n"+text+"```"), nil, nil))
		if sizeOf(more) > maxBlocksJSON-300 {
			break
		}
		blocks, lines = more, lines[n:]
	}
	if len(lines) > 0 {
		blocks = append(blocks, slack.NewContextBlock("", markdown(fmt.Sprintf("… %s left out", sayCount(uint64(len(lines)), "line")))))
	}
	return blocks
}

// codeLines takes as many lines as one code block holds, at least one, and says how
// many that were.
func codeLines(lines []string) (text string, n int) {
	var b strings.Builder
	used := 0
	for i, line := range lines {
		// A backquote could end the code block.
		escaped := escape(strings.ReplaceAll(cut(plainText(cut(line, maxTableLine)), maxTableLine), "`", "'"), maxTableBlock-1) + "\n"
		if used += units(escaped); used > maxTableBlock && i > 0 {
			return b.String(), i
		}
		b.WriteString(escaped)
	}
	return b.String(), len(lines)
}

// Harmless is at most limit characters of s on one line, in which nothing can move,
// hide or reorder what is read.
func Harmless(s string, limit int) string { return shown(s, limit) }
