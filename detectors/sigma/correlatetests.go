package sigma

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// testStart is the moment from which a rule's tests count their times, and testHour
// when their events begin.
var testStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const testHour = 9 * time.Hour

// tests writes the tests of a correlation.
func (c *compound) tests(d *draft) {
	rows, why := c.rowsFor()
	if why != "" {
		d.missing = append(d.missing, "the tests of the kinds fires, quiet and boundary: "+why)
		return
	}
	for i, row := range rows {
		d.rows = append(d.rows, namedRow{c.rowName(i), row})
	}
	if c.kind == temporal || c.kind == temporalOrdered {
		c.chainTests(d, rows)
		return
	}
	uid := nobody
	if c.main >= 0 {
		uid = rows[0].value(c.groups[c.main].fields[0])
	}
	if c.inCells() {
		c.cellTests(d, rows[0], uid)
		return
	}
	c.spanTests(d, rows[0], uid)
}

func (c *compound) rowName(i int) string {
	if len(c.parts) == 1 {
		return "met"
	}
	return fmt.Sprintf("met_%d", i+1)
}

// rowsFor makes one event for each rule, all of one group; or says why not.
func (c *compound) rowsFor() ([]event, string) {
	var rows []event
	values := make([]string, len(c.groups))
	for i, part := range c.parts {
		base := part.entityOf().ordinary(part.source)
		for j, g := range c.groups {
			f := g.fields[i]
			if i > 0 {
				base.set(f, values[j])
			} else if v := base.value(f); v == "" || v == "0" {
				base.set(f, map[bool]string{true: "7", false: "group-7"}[f.kind == numberKind])
			}
		}
		goals := []goal{{part.source.term(), true}}
		if c.numbered {
			for j, other := range c.parts {
				if j != i {
					goals = append(goals, goal{other.whole(), false})
				}
			}
		}
		row := satisfy(base, part.where, true, goals...)
		if row == nil {
			return nil, "no event could be made that meets the rule " + c.rules[i].title + " and no other"
		}
		for j, g := range c.groups {
			switch value := row.value(g.fields[i]); {
			case i == 0:
				values[j] = value
			case value != values[j]:
				return nil, "no two events could be made that meet the rules and have the same " + g.name
			}
			if values[j] == "" {
				return nil, "the events that meet the rule have no " + g.name
			}
		}
		rows = append(rows, row)
		if c.kind == eventCount || c.kind == valueCount {
			break
		}
	}
	return rows, ""
}

// many is n rows of which each has a value of its own where values are counted; nil
// where none could be found.
func (c *compound) many(row event, n uint64, start, every time.Duration) []testRow {
	out := testRow{like: c.rowName(0), time: since(start), repeat: int(n), every: shortSpan(every), set: event{}}
	if c.kind == valueCount && n > 1 {
		set, template := c.varied(row)
		switch {
		case set == "" && c.counted.kind == numberKind && n <= 50:
			return c.numbers(row, n, start, every)
		case set == "":
			return nil
		}
		out.set[set] = template
	}
	if n == 1 {
		out.repeat = 0
	}
	return []testRow{out}
}

// varied is a column and its value with {{n}} in it, so that each repetition meets the
// rule with another value.
func (c *compound) varied(row event) (column, template string) {
	column = c.counted.column
	switch c.counted.kind {
	case numberKind:
		return "", ""
	case unmappedKind:
		column = unmappedPrefix + column
	case urlKind:
		column = "http_request_url_path"
	case keywordKind:
		column = "message"
	}
	present := row[column]
	candidates := []string{present + "-{{n}}", "{{n}}" + present, present + "{{n}}", "value-{{n}}"}
	switch {
	case strings.Contains(column, "_ip"):
		candidates = []string{"198.51.100.{{n}}", "203.0.113.{{n}}"}
	case slices.Contains([]string{"actor_user_name", "actor_user_email_addr", "user_name"}, column):
		candidates = append([]string{"user{{n}}@acme.example"}, candidates...)
	}
	for _, candidate := range candidates {
		fits := true
		for _, n := range []string{"0", "1", "10", "99"} {
			e := maps.Clone(row)
			e[column] = strings.ReplaceAll(candidate, "{{n}}", n)
			fits = fits && c.parts[0].whole().holds(e)
			for i, g := range c.groups {
				fits = fits && (i != c.main && c.main >= 0 || e.value(g.fields[0]) == row.value(g.fields[0]))
			}
		}
		if fits {
			return column, candidate
		}
	}
	return "", ""
}

// numbers are rows with different numbers in the column that is counted.
func (c *compound) numbers(row event, n uint64, start, every time.Duration) []testRow {
	var out []testRow
	for value := 1; value < 2000 && uint64(len(out)) < n; value++ {
		e := maps.Clone(row)
		e[c.counted.column] = fmt.Sprint(value)
		if c.parts[0].whole().holds(e) {
			out = append(out, testRow{like: c.rowName(0), time: since(start + time.Duration(len(out))*every), set: event{c.counted.column: fmt.Sprint(value)}})
		}
	}
	if uint64(len(out)) < n {
		return nil
	}
	return out
}

// since is a moment of a test.
func since(d time.Duration) string { return "+" + shortSpan(d) }

// shortSpan writes a duration without the parts that are nothing.
func shortSpan(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

const maxTestRows = 100_000

// spanTests writes tests of a count in a sliding span.
func (c *compound) spanTests(d *draft, row event, uid string) {
	n, span := c.threshold(), time.Duration(c.within)*time.Second
	every := max(span/time.Duration(n+1), time.Millisecond).Truncate(time.Millisecond)
	if every >= time.Second {
		every = every.Truncate(time.Second)
	}
	if n > maxTestRows || time.Duration(n)*every > span {
		d.missing = append(d.missing, "the tests of the kinds fires, quiet and boundary: the count is too large for the generated ones")
		return
	}
	enough := c.many(row, n, testHour, every)
	if enough == nil {
		d.missing = append(d.missing, "the tests of the kinds fires, quiet and boundary: no events could be made that meet the rule with different values of "+c.correlation.counted.text)
		return
	}
	says := "events"
	if c.kind == valueCount {
		says = "values"
	}
	d.tests = append(d.tests, testCase{fmt.Sprintf("%d %s within %s", n, says, c.spanText()), "fires", enough, uid, int(n)})
	if e := satisfy(row, c.parts[0].where, false); e != nil {
		d.tests = append(d.tests, testCase{name: "as many events that do not meet the rule", kind: "quiet",
			events: []testRow{{like: c.rowName(0), time: since(testHour), set: e.less(row), repeat: int(n), every: shortSpan(every)}}})
	} else {
		d.missing = append(d.missing, "a test of kind quiet: every event of the log seems to meet the rule")
	}
	if n == 1 {
		e := satisfy(row, c.parts[0].where, false)
		if e != nil {
			d.tests = append(d.tests, testCase{name: "one event that does not meet the rule", kind: "boundary", events: []testRow{{like: c.rowName(0), time: "+9h", set: e.less(row)}}})
		}
		return
	}
	fewer := c.many(row, n-1, testHour, every)
	d.tests = append(d.tests, testCase{name: fmt.Sprintf("one fewer, %d", n-1), kind: "boundary", events: fewer})
	if c.kind == eventCount {
		last := func(at time.Duration) []testRow {
			first := testRow{like: c.rowName(0), time: since(testHour), set: event{}}
			rows := []testRow{first}
			if n > 2 {
				rows = append(rows, c.many(row, n-2, testHour+every, time.Millisecond)...)
			}
			return append(rows, testRow{like: c.rowName(0), time: since(at), set: event{}})
		}
		d.tests = append(d.tests,
			testCase{"the last of them comes at the end of the span", "boundary", last(testHour + span), uid, int(n)},
			testCase{name: "the last of them comes a second after the span", kind: "boundary", events: last(testHour + span + time.Second)})
	}
}

// cellTests writes tests of a count in fixed spans.
func (c *compound) cellTests(d *draft, row event, uid string) {
	span := time.Duration(c.within) * time.Second
	// The first fixed span that begins nine hours into the day or later.
	from := testStart.Add(testHour).Unix()
	if rest := from % int64(c.within); rest != 0 {
		from += int64(c.within) - rest
	}
	start := time.Unix(from, 0).Sub(testStart)
	fits := func(n uint64) bool {
		return !slices.ContainsFunc(c.conditions, func(b bound) bool {
			return !map[string]bool{"gt": n > b.n, "gte": n >= b.n, "lt": n < b.n, "lte": n <= b.n, "eq": n == b.n}[b.word]
		})
	}
	wanted := map[string]bool{"fires": true, "boundary": true}
	var largest uint64
	for _, b := range c.conditions {
		largest = max(largest, b.n+2)
	}
	if largest > 10_000 || time.Duration(largest)*time.Millisecond > span {
		d.missing = append(d.missing, "the tests of the kinds fires and boundary: the count is too large for the generated ones")
		return
	}
	every := max((span / time.Duration(largest+1)).Truncate(time.Millisecond), time.Millisecond)
	for n := uint64(1); n <= largest; n++ {
		kind := ""
		switch {
		case fits(n) && wanted["fires"]:
			kind = "fires"
		case !fits(n) && wanted["boundary"] && (fits(n-1) && n > 1 || fits(n+1)):
			kind = "boundary"
		default:
			continue
		}
		events := c.many(row, n, start, every)
		if events == nil {
			continue
		}
		wanted[kind] = false
		t := testCase{name: fmt.Sprintf("%d in %s", n, c.spanText()), kind: kind, events: events}
		if kind == "fires" {
			t.entity, t.count = uid, int(n)
		}
		d.tests = append(d.tests, t)
	}
	if e := satisfy(row, c.parts[0].where, false); e != nil {
		d.tests = append(d.tests, testCase{name: "an event that does not meet the rule", kind: "quiet", events: []testRow{{like: c.rowName(0), time: since(start), set: e.less(row)}}})
	} else {
		d.missing = append(d.missing, "a test of kind quiet: every event of the log seems to meet the rule")
	}
	for _, kind := range []string{"fires", "boundary"} {
		if wanted[kind] {
			d.missing = append(d.missing, "a test of kind "+kind+": no count from 1 on is on that side of the condition")
		}
	}
}

// chainTests writes tests of events of different rules near each other.
func (c *compound) chainTests(d *draft, rows []event) {
	span := time.Duration(c.within) * time.Second
	k := len(rows)
	uid := nobody
	if c.main >= 0 {
		uid = rows[0].value(c.groups[c.main].fields[0])
	}
	step := (span / time.Duration(k+1)).Truncate(time.Millisecond)
	at := func(moment func(i int) time.Duration, leave int) []testRow {
		var out []testRow
		for i := range rows {
			if i != leave {
				out = append(out, testRow{like: c.rowName(i), time: since(moment(i)), set: event{}})
			}
		}
		return out
	}
	lastAt := func(end time.Duration) func(int) time.Duration {
		return func(i int) time.Duration {
			if i == k-1 {
				return end
			}
			return testHour
		}
	}
	evenly := func(i int) time.Duration { return testHour + time.Duration(i)*step }
	d.tests = append(d.tests, testCase{"each rule is met, within " + c.spanText(), "fires", at(evenly, -1), uid, k})
	if k < 2 {
		if e := satisfy(rows[0], c.parts[0].where, false); e != nil {
			for _, kind := range []string{"quiet", "boundary"} {
				d.tests = append(d.tests, testCase{name: "an event that does not meet the rule", kind: kind, events: []testRow{{like: c.rowName(0), time: "+9h", set: e.less(rows[0])}}})
			}
		} else {
			d.missing = append(d.missing, "tests of the kinds quiet and boundary: every event of the log seems to meet the rule")
		}
		return
	}
	d.tests = append(d.tests, testCase{name: "the last rule is not met", kind: "quiet", events: at(evenly, k-1)})
	if c.kind == temporalOrdered {
		d.tests = append(d.tests, testCase{name: "the events come in the opposite order", kind: "quiet", events: at(func(i int) time.Duration { return evenly(k - 1 - i) }, -1)})
	}
	d.tests = append(d.tests,
		testCase{"the last event comes at the end of the span", "boundary", at(lastAt(testHour+span), -1), uid, k},
		testCase{name: "the last event comes a second after the span", kind: "boundary", events: at(lastAt(testHour+span+time.Second), -1)})
}
