package detectors

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// testBase is the moment from which a test's relative times count.
var testBase = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// maxTestEvents bounds what one test can make with its repetitions.
const maxTestEvents = 500_000

// TestEvent is one row of a test, or many by repetition. {{n}} in a text value is
// the number of the repetition from 0.
type TestEvent struct {
	Time     time.Time
	Text     map[schema.Text]string
	Number   map[schema.Number]uint64
	Unmapped map[string]string
	Repeat   []Repetition
}

// Repetition makes Count rows, Every apart. Repetitions nest, the first outermost.
type Repetition struct {
	Count int
	Every time.Duration
}

// rows calls yield for each row of the event, in order.
func (e TestEvent) rows(yield func(*schema.Event)) {
	n := 0
	var event schema.Event
	var step func(at time.Time, repeat []Repetition)
	step = func(at time.Time, repeat []Repetition) {
		if len(repeat) > 0 {
			for i := range repeat[0].Count {
				step(at.Add(time.Duration(i)*repeat[0].Every), repeat[1:])
			}
			return
		}
		event.Reset()
		event.SetTime(at)
		for column, value := range e.Text {
			event.Text[column] = strings.ReplaceAll(value, "{{n}}", strconv.Itoa(n))
		}
		for column, value := range e.Number {
			event.Number[column] = value
		}
		for _, name := range sortedKeys(e.Unmapped) {
			event.AddUnmapped(name, strings.ReplaceAll(e.Unmapped[name], "{{n}}", strconv.Itoa(n)))
		}
		n++
		yield(&event)
	}
	step(e.Time, e.Repeat)
}

// tests reads the rule's tests and says which kinds are missing.
func (c *check) tests() []Test {
	seen := map[TestKind]bool{}
	var tests []Test
	for i, f := range c.file.Tests {
		kind := TestKind(f.Kind)
		if kind != TestFires && kind != TestQuiet && kind != TestBoundary {
			c.add(fmt.Sprintf("kind %q of a test is not known", f.Kind), "use fires, quiet or boundary", "tests", i, "kind")
		}
		seen[kind] = true
		if f.Name == "" {
			c.add("a test has no name", "say in a few words what happens in it", "tests", i)
		}
		if kind == TestFires && len(f.Expect) == 0 {
			c.add("a test that fires expects no finding", "list the findings under expect:", "tests", i)
		}
		if kind == TestQuiet && len(f.Expect) > 0 {
			c.add("a quiet test expects findings", "delete expect:, or write kind: fires", "tests", i, "expect")
		}
		base := testBase
		if f.At != "" {
			at, err := time.Parse(time.RFC3339, f.At)
			if err != nil {
				c.add(fmt.Sprintf("%q is not a time", f.At), "write for example 2026-03-02T00:00:00Z", "tests", i, "at")
			}
			base = at.UTC()
		}
		test := Test{Name: f.Name, Kind: kind, Params: f.Params, Expect: f.Expect}
		for j := range f.Events {
			test.Events = append(test.Events, c.testEvent(i, j, base))
		}
		for j, expect := range f.Expect {
			if _, known := schema.ParseSeverity(expect.Severity); expect.Severity != "" && !known {
				c.add(fmt.Sprintf("severity %q is not known", expect.Severity), "use informational, low, medium, high or critical", "tests", i, "expect", j, "severity")
			}
		}
		tests = append(tests, test)
	}
	for _, kind := range []TestKind{TestFires, TestQuiet, TestBoundary} {
		if !seen[kind] {
			c.add(fmt.Sprintf("no test of kind %s", kind), "a rule proves itself with at least one test of each kind: fires, quiet, boundary", "tests")
		}
	}
	return tests
}

// testEvent builds one event from the defaults, the named row and its own values.
func (c *check) testEvent(test, index int, base time.Time) TestEvent {
	f := c.file.Tests[test]
	event := TestEvent{Time: base, Text: map[schema.Text]string{}, Number: map[schema.Number]uint64{}}
	c.setColumns(&event, base, c.file.TestDefaults, "test_defaults")
	c.setColumns(&event, base, f.Defaults, "tests", test, "defaults")
	own := f.Events[index]
	path := []any{"tests", test, "events", index}
	if like, named := own["like"]; named {
		name, _ := like.(string)
		row, known := c.file.TestRows[name]
		if !known {
			c.add(fmt.Sprintf("no row is named %q", name), "name it under test_rows:", append(path, "like")...)
		}
		c.setColumns(&event, base, row, "test_rows", name)
	}
	c.setColumns(&event, base, own, path...)
	rows := 1
	for _, r := range event.Repeat {
		if r.Count <= 0 || rows > maxTestEvents/r.Count {
			c.add("repeat makes no row, or too many", fmt.Sprintf("count is from 1, and a test has at most %d rows", maxTestEvents), append(path, "repeat")...)
			event.Repeat = nil
			break
		}
		rows *= r.Count
	}
	return event
}

func (c *check) setColumns(event *TestEvent, base time.Time, values map[string]any, path ...any) {
	for name, value := range values {
		at := append(append([]any{}, path...), name)
		switch name {
		case "like":
			continue
		case "time":
			if err := setTestTime(event, base, value); err != nil {
				c.add(err.Error(), "write +10m, -3d2h or 2026-03-02T09:00:00Z", at...)
			}
			continue
		case "repeat":
			if err := setRepeat(event, value); err != nil {
				c.add(err.Error(), "write repeat: {count: 10, every: 30s}, or a list of these", at...)
			}
			continue
		case "unmapped":
			fields, ok := value.(map[string]any)
			if !ok {
				c.add("unmapped is not a mapping", "write unmapped: {FIELD: value}", at...)
			}
			event.Unmapped = map[string]string{}
			for field, value := range fields {
				event.Unmapped[field] = fmt.Sprint(value)
			}
			continue
		}
		switch column := eventColumns[name].(type) {
		case schema.Text:
			event.Text[column] = fmt.Sprint(value)
		case schema.Number:
			number, ok := value.(uint64)
			if !ok {
				c.add(fmt.Sprintf("%s is not a whole number from 0", name), "write a number", at...)
			}
			event.Number[column] = number
		default:
			line, place := c.source.keyPosition(at...)
			c.problems = append(c.problems, c.source.at(line, place, fmt.Sprintf("the events table has no column %q", name), columnMend(name)))
		}
	}
}

// setTestTime sets an absolute time, or one that counts from the test's base.
func setTestTime(event *TestEvent, base time.Time, value any) error {
	text := fmt.Sprint(value)
	if at, ok := value.(time.Time); ok {
		event.Time = at.UTC()
		return nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		event.Time = at.UTC()
		return nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is neither a time nor a duration", text)
	}
	event.Time = base.Add(d)
	return nil
}

func setRepeat(event *TestEvent, value any) error {
	event.Repeat = nil
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, entry := range list {
		fields, ok := entry.(map[string]any)
		if !ok {
			return fmt.Errorf("repeat is not a mapping")
		}
		for name := range fields {
			if name != "count" && name != "every" {
				return fmt.Errorf("repeat has no key %q", name)
			}
		}
		count, _ := fields["count"].(uint64)
		every, err := parseDuration(fmt.Sprint(fields["every"]))
		if err != nil {
			return err
		}
		event.Repeat = append(event.Repeat, Repetition{int(min(count, math.MaxInt32)), every})
	}
	return nil
}
