package formats

import (
	"bytes"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

const jsonLinesName = "json-lines"

// jsonLines is JSON objects as any program logs them, one a line, in arrays, or
// spread over lines. They are read by the names that loggers give.
var jsonLines = Format{
	Name:   jsonLinesName,
	Title:  "JSON log of any program (zap, pino, Serilog, ECS, ...)",
	Line:   true,
	Detect: detectJSONLines,
	New: func(o Options) Decoder {
		return &newGenericJSON(jsonLinesName, "JSON log", o, genericFieldOf).json
	},
}

// genericJSON reads JSON objects as records of names and values.
type genericJSON struct {
	json   jsonLog
	record genericRecord
}

func newGenericJSON(format, product string, o Options, classify func(path string) genericField) *genericJSON {
	j := &genericJSON{record: newGenericRecord(format, product, o)}
	j.json.lines = newLines(o.Start)
	j.json.objects.classify = func(path string) int { return int(classify(path)) }
	j.json.record = j.read
	return j
}

func (j *genericJSON) read(e *schema.Event) *recordFailure {
	r := &j.record
	r.begin(e)
	leaves := j.json.objects.leaves
	for i := range leaves {
		leaf := &leaves[i]
		r.put(genericField(leaf.node.field), leaf.node.path, leaf.text)
	}
	if failure := r.end(); failure != nil {
		return failure
	}
	e.UID = j.json.uid(e.Text[schema.MetadataTenantUID], r.format)
	return nil
}

func detectJSONLines(head []byte) string {
	head = bytes.TrimPrefix(head, byteOrderMark)
	if start := bytes.TrimLeft(head, " \t\r\n[,\x00"); len(start) == 0 || start[0] != '{' {
		return ""
	}
	evidence, seen := genericEvidence{}, countingSink{}
	j := newGenericJSON(jsonLinesName, "", Options{}, genericFieldOf)
	read := j.json.record
	j.json.record = func(e *schema.Event) *recordFailure {
		failure := read(e)
		if failure == nil && seen.events < 100 {
			for i := range j.json.objects.leaves {
				leaf := &j.json.objects.leaves[i]
				if leaf.text != "" {
					evidence.see(genericField(leaf.node.field), leaf.text)
				}
			}
		}
		return failure
	}
	j.json.Decode(head, false, &seen)
	if seen.events == 0 && len(head) < HeadSize { // the only record may lack its line's end
		j.json.lines = newLines(Position{})
		j.json.Decode(head, true, &seen)
	}
	if seen.events == 0 || seen.rejections > seen.events || !evidence.isLog() || isOthers(head) {
		return ""
	}
	return "JSON objects with a time and " + evidence.examples()
}

// examples names some of what was seen, for people.
func (g *genericEvidence) examples() string {
	var found []string
	for _, kind := range []struct {
		field genericField
		name  string
	}{{genericUserName, "a user"}, {genericUserID, "a user"}, {genericSource, "an address"}, {genericMethod, "a method"}, {genericHTTPStatus, "a status"}, {genericStatus, "a status"},
		{genericOutcome, "an outcome"}, {genericOperation, "an action"}, {genericEvent, "an event"}, {genericLevel, "a level"}, {genericMessage, "a message"}, {genericURL, "a URL"}} {
		if g.seen[kind.field] && len(found) < 3 && (len(found) == 0 || found[len(found)-1] != kind.name) {
			found = append(found, kind.name)
		}
	}
	if len(found) == 0 {
		return "what logs have"
	}
	return strings.Join(found, ", ")
}
