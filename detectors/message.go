package detectors

import (
	"strconv"
	"strings"
)

// messageWord is {{name}} in a message, with its place from 1.
type messageWord struct {
	name         string
	line, column int
}

// givenWords can be used in a message without being columns of the query.
func givenWords(kind Kind) []string {
	words := []string{"entity", "entity_uid", "tenant", "product", "count", "first_seen", "last_seen", "severity"}
	switch kind {
	case KindFirstSeen:
		words = append(words, "value", "known", "history", "history_days")
	case KindSequence:
		words = append(words, "steps", "took")
	case KindSilence:
		words = append(words, "quiet", "usual", "since", "until", "history")
	case KindSpike:
		words = append(words, "metric", "value", "median", "share", "slot", "history", "peak_at", "peak_before", "score", "length", "total")
	}
	return words
}

// wordFromQuery says whether a message of the kind can use what its query returns: a
// finding made of many rows has no one value of a column.
func wordFromQuery(kind Kind) bool { return kind != KindSequence && kind != KindSilence }

func messageWords(message string) []messageWord {
	var words []messageWord
	for at := 0; ; {
		open := strings.Index(message[at:], "{{")
		if open < 0 {
			return words
		}
		open += at
		length := strings.Index(message[open:], "}}")
		if length < 0 {
			return words
		}
		start := strings.LastIndexByte(message[:open], '\n') + 1
		words = append(words, messageWord{strings.TrimSpace(message[open+2 : open+length]),
			strings.Count(message[:open], "\n") + 1, open - start + 1})
		at = open + length + 2
	}
}

// fillMessage puts values in the place of {{name}}; a name without a value
// becomes nothing.
func fillMessage(message string, values map[string]string) string {
	var out strings.Builder
	rest := message
	for {
		before, after, found := strings.Cut(rest, "{{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, tail, closed := strings.Cut(after, "}}")
		if !closed {
			out.WriteString("{{" + after)
			return out.String()
		}
		out.WriteString(values[strings.TrimSpace(name)])
		rest = tail
	}
}

// withSeparators writes a whole number of four digits or more with commas.
func withSeparators(text string) string {
	if len(text) < 4 || len(text) > 20 {
		return text
	}
	if _, err := strconv.ParseUint(text, 10, 64); err != nil || text[0] == '0' {
		return text
	}
	var out strings.Builder
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	return out.String()
}
