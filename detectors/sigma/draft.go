package sigma

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/crmwatch/crmwatch/detectors"
)

// draft is a rule file before it is written.
type draft struct {
	id, title, description, severity, entityType string
	attack, columns, logTypes                    []string
	lookback                                     string
	params                                       []param
	query, message                               string
	falsePositives, runbook, references          []string
	defaults                                     event
	rows                                         []namedRow
	tests                                        []testCase
	notes                                        detectors.Problems
	missing                                      []string
}

type param struct {
	name, kind  string
	value       uint64
	description string
}

type namedRow struct {
	name string
	set  event
}

type testCase struct {
	name, kind string
	events     []testRow
	// entity and count are the expected finding's; no entity means none.
	entity string
	count  int
}

type testRow struct {
	like, time string
	set        event
	repeat     int
	every      string
}

// begin fills in what the Sigma rule says of itself.
func (s *ruleSet) begin(r *rule) *draft {
	d := &draft{title: oneLine(r.title), attack: r.attack, references: r.references}
	d.severity = r.severity(&d.notes)
	var origin []string
	for _, part := range []struct{ word, value string }{{"", r.id}, {"by ", r.author}, {"status ", r.status}} {
		if part.value != "" {
			origin = append(origin, part.word+part.value)
		}
	}
	d.description = strings.TrimRight(oneLine(r.description), ".")
	if d.description == "" {
		d.description = d.title
	}
	d.description += ". Compiled from the Sigma rule \"" + d.title + "\""
	if len(origin) > 0 {
		d.description += " (" + oneLine(strings.Join(origin, ", ")) + ")"
	}
	d.description += "."
	for _, text := range r.falsePositives {
		if word := strings.ToLower(strings.Trim(text, ". ")); word != "unknown" && word != "none" && word != "unlikely" {
			d.falsePositives = append(d.falsePositives, oneLine(text))
		}
	}
	if len(d.falsePositives) == 0 {
		d.falsePositives = []string{"The Sigma rule names none; watch it on your own logs before you rely on it."}
	}
	return d
}

var runbooks = map[string][]string{
	"user": {
		"Read the finding's events, and what the same person did in the hour before and after.",
		"Ask the person, by a way that is not the account itself, whether it was them.",
		"If it was not, end the account's sessions, revoke its tokens and reset its credential.",
	},
	"integration": {
		"Read the finding's events, and what else the integration did that day.",
		"Ask the owner of the integration whether it was theirs.",
		"If it was not, revoke its tokens, rotate its secret and block the app until that is done.",
	},
	"network": {
		"Read the finding's events, and what else came from the address that day.",
		"Find out who owns the address, and whether a login or a call from it succeeded.",
		"Block the address if nobody answers for it, and end the sessions that came from it.",
	},
	"source": {
		"Read the finding's events and find out who caused them.",
		"Ask whoever is responsible for the product whether the activity was planned.",
	},
}

func oneLine(text string) string {
	// {{ would begin the name of a column in a message.
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " "), "{{", "{ {")
}

// text writes the rule file.
func (d *draft) text() []byte {
	var out bytes.Buffer
	line := func(key, value string) { fmt.Fprintf(&out, "%s: %s\n", key, value) }
	line("id", d.id)
	line("title", sentence(d.title))
	out.WriteString(folded("description", d.description))
	line("kind", "query")
	line("severity", d.severity)
	line("entity_type", d.entityType)
	if len(d.attack) > 0 {
		line("attack", "["+strings.Join(d.attack, ", ")+"]")
	}
	out.WriteString("needs:\n  columns: [" + strings.Join(d.columns, ", ") + "]\n")
	if len(d.logTypes) > 0 {
		out.WriteString("  log_types: " + flowList(d.logTypes) + "\n")
	}
	line("window", "24h")
	line("lookback", d.lookback)
	if len(d.params) > 0 {
		out.WriteString("params:\n")
		for _, p := range d.params {
			fmt.Fprintf(&out, "  %s:\n    type: %s\n    value: %d\n    description: %s\n", p.name, p.kind, p.value, sentence(p.description))
		}
	}
	out.WriteString("query: |\n")
	for text := range strings.Lines(strings.TrimRight(d.query, "\n") + "\n") {
		out.WriteString("  " + text)
	}
	out.WriteString(folded("message", d.message))
	for _, list := range []struct {
		key   string
		items []string
	}{{"false_positives", d.falsePositives}, {"runbook", d.runbook}, {"references", d.references}} {
		if len(list.items) > 0 {
			out.WriteString(list.key + ":\n")
			for _, item := range list.items {
				out.WriteString("  - " + sentence(item) + "\n")
			}
		}
	}
	d.writeTests(&out)
	return out.Bytes()
}

func (d *draft) writeTests(out *bytes.Buffer) {
	if len(d.defaults) > 0 {
		out.WriteString("test_defaults:\n")
		for _, column := range slices.Sorted(maps.Keys(d.defaults)) {
			if !strings.HasPrefix(column, unmappedPrefix) {
				fmt.Fprintf(out, "  %s: %s\n", column, columnValue(column, d.defaults[column]))
			}
		}
	}
	if len(d.rows) > 0 {
		out.WriteString("test_rows:\n")
		for _, row := range d.rows {
			fmt.Fprintf(out, "  %s: {%s}\n", row.name, strings.Join(row.set.flow(), ", "))
		}
	}
	for _, missing := range d.missing {
		out.WriteString("# To be written: " + oneLine(missing) + "\n")
	}
	out.WriteString("tests:")
	if len(d.tests) == 0 {
		out.WriteString(" []")
	}
	out.WriteByte('\n')
	for _, t := range d.tests {
		fmt.Fprintf(out, "  - name: %s\n    kind: %s\n    events:\n", sentence(t.name), t.kind)
		for _, e := range t.events {
			var parts []string
			if e.like != "" {
				parts = append(parts, "like: "+e.like)
			}
			parts = append(append(parts, "time: "+e.time), e.set.flow()...)
			if e.repeat > 0 {
				parts = append(parts, fmt.Sprintf("repeat: {count: %d, every: %s}", e.repeat, e.every))
			}
			fmt.Fprintf(out, "      - {%s}\n", strings.Join(parts, ", "))
		}
		if t.entity != "" {
			fmt.Fprintf(out, "    expect:\n      - {entity_uid: %s, count: %d, severity: %s}\n", scalar(t.entity), t.count, d.severity)
		}
	}
}

// flow writes an event's columns for {}.
func (e event) flow() []string {
	var parts, unmapped []string
	for _, column := range slices.Sorted(maps.Keys(e)) {
		if name, is := strings.CutPrefix(column, unmappedPrefix); is {
			unmapped = append(unmapped, scalar(name)+": "+scalar(e[column]))
			continue
		}
		parts = append(parts, column+": "+columnValue(column, e[column]))
	}
	if len(unmapped) > 0 {
		parts = append(parts, "unmapped: {"+strings.Join(unmapped, ", ")+"}")
	}
	return parts
}

// less is the event's columns that differ from another's.
func (e event) less(other event) event {
	out := event{}
	for column, value := range e {
		if other[column] != value {
			out[column] = value
		}
	}
	for column := range other {
		if _, has := e[column]; !has {
			out[column] = ""
		}
	}
	return out
}

func columnValue(column, value string) string {
	if columnKinds[column] == numberKind {
		if value == "" {
			return "0"
		}
		return value
	}
	return scalar(value)
}

// plainScalar is text that YAML reads as itself, in a block and in a flow.
var plainScalar = regexp.MustCompile(`^(?:[A-Za-z/][A-Za-z0-9 ()/_.@'&=;-]*[A-Za-z0-9/).]|[A-Za-z]|\d+\.\d+\.\d+\.\d+|https?://[A-Za-z0-9/_.%?=&-]+)$`)

var yamlWords = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n", "inf", "nan"}

// scalar writes text as YAML: plain where that is safe, else in double quotes.
func scalar(text string) string {
	if plainScalar.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(strings.ToValidUTF8(text, "\uFFFD")); err != nil {
		return `""`
	}
	return strings.ReplaceAll(strings.TrimSpace(out.String()), "\x7f", `\x7f`)
}

// plainSentence is a text with spaces that YAML reads as itself outside of {} and [].
var plainSentence = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9()/_.@'&=;,"-]* [A-Za-z0-9 ()/_.@'&=;,"+-]*[A-Za-z0-9.)"]$`)

// sentence writes text as YAML outside of {} and [].
func sentence(text string) string {
	if plainSentence.MatchString(text) {
		return text
	}
	return scalar(text)
}

func flowList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = scalar(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// folded writes a text over several lines.
func folded(key, text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		return key + ": " + scalar(text) + "\n"
	}
	var out strings.Builder
	out.WriteString(key + ": >\n")
	width := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case width == 0:
			out.WriteString("  " + word)
		case width+len(word) > 80:
			out.WriteString("\n  " + word)
			width = 0
		default:
			out.WriteString(" " + word)
		}
		width += len(word) + 1
	}
	return out.String() + "\n"
}
