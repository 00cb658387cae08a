package alerting

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// step is an entry of a story's timeline: findings of one rule that follow one
// another, as when many windows in a row see the same thing.
type step struct {
	rule        string
	title       string
	message     string
	severity    schema.Severity
	first, last time.Time
	findings    int
	// events is a lower bound where the windows of the findings overlap.
	events   uint64
	atLeast  bool
	evidence int
	attack   []string
	sql      string
	// details are the finding's attributes in the order of their names.
	details []string
	// sparkline is the finding's series, drawn.
	sparkline string
}

// timeline tells an alert's findings as steps in the order of time. The words of
// a step are those of its weightiest finding: the most severe, then the largest.
func timeline(a schema.Alert) []step {
	var steps []step
	var best schema.Finding
	var windowEnd time.Time
	for _, f := range a.Findings {
		first, last := seen(f)
		if len(steps) == 0 || steps[len(steps)-1].rule != f.Rule {
			steps = append(steps, step{rule: f.Rule, first: first})
			best, windowEnd = schema.Finding{}, time.Time{}
		}
		s := &steps[len(steps)-1]
		if s.findings > 0 && f.WindowFrom.Before(windowEnd) {
			s.atLeast = true
			s.events = max(s.events, f.Count)
		} else {
			s.events += f.Count
		}
		if f.WindowTo.After(windowEnd) {
			windowEnd = f.WindowTo
		}
		s.findings++
		s.evidence += len(f.Evidence)
		if last.After(s.last) {
			s.last = last
		}
		s.attack = addNew(s.attack, f.Attack)
		if s.findings == 1 || f.Severity > best.Severity || f.Severity == best.Severity && f.Count > best.Count {
			best = f
			s.severity, s.sql, s.message = f.Severity, f.EvidenceSQL, f.Message
			s.title = shown(cmp.Or(f.Title, sentence(strings.Join(words(f.Rule), " "))), maxName)
			s.details = details(f)
			s.sparkline = sparkline(f.Attributes[AttributeSeries], f.Attributes[AttributeSeriesStep])
		}
	}
	return steps
}

func addNew(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func details(f schema.Finding) []string {
	var names []string
	for name, value := range f.Attributes {
		switch name {
		case AttributeStoryEntity, AttributeStoryPhrase, AttributeSeries, AttributeSeriesStep, AttributePeak, AttributePeakUnit, AttributePeakIn:
		default:
			if value != "" {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, "_", " ") + ": " + f.Attributes[name]
	}
	return names
}

// shorten keeps the first and the last steps of a long timeline; left says how
// many are missing before the step at index from.
func shorten(steps []step, limit int) (kept []step, from, left int) {
	if len(steps) <= limit {
		return steps, len(steps), 0
	}
	head := (limit + 1) / 2
	tail := limit - head
	return append(slices.Clone(steps[:head]), steps[len(steps)-tail:]...), head, len(steps) - limit
}

// nextSteps collects the runbook lines of the story's rules, each once.
func nextSteps(a schema.Alert, runbook func(rule string) []string) []string {
	if runbook == nil {
		return nil
	}
	var lines, rules []string
	for _, f := range a.Findings {
		if slices.Contains(rules, f.Rule) {
			continue
		}
		rules = append(rules, f.Rule)
		lines = addNew(lines, runbook(f.Rule))
	}
	return lines
}

// queries are the ready SQL of a timeline, one a rule: that of its weightiest step.
func queries(steps []step) []step {
	var chosen []step
	for _, s := range steps {
		if s.sql == "" {
			continue
		}
		i := slices.IndexFunc(chosen, func(c step) bool { return c.rule == s.rule })
		switch {
		case i < 0:
			chosen = append(chosen, s)
		case s.severity > chosen[i].severity || s.severity == chosen[i].severity && s.events > chosen[i].events:
			chosen[i] = s
		}
	}
	return chosen
}

// events is how many events the whole timeline stands for. Two rules may tell of the
// same events, so of several it is what the largest tells of, and at least that.
func events(steps []step) (n uint64, atLeast bool) {
	ofRule := map[string]uint64{}
	for _, s := range steps {
		if s.events > 0 {
			ofRule[s.rule] += s.events
		}
		atLeast = atLeast || s.atLeast
	}
	for _, m := range ofRule {
		n = max(n, m)
	}
	return n, atLeast || len(ofRule) > 1
}

// sayFound says how much an alert is made of.
func sayFound(findings int, events uint64, atLeast bool) string {
	text := sayCount(uint64(findings), "finding")
	if events > 0 {
		text += ", " + sayEvents(events, atLeast)
	}
	return text
}

func sayEvents(n uint64, atLeast bool) string {
	if atLeast {
		return "at least " + sayCount(n, "event")
	}
	return sayCount(n, "event")
}
