package sigma

import (
	"slices"
	"strconv"
	"strings"
)

// single compiles a rule that judges one event at a time.
func (s *ruleSet) single(r *rule) *draft {
	det := s.detect(r)
	if det == nil {
		return nil
	}
	d := s.begin(r)
	d.notes = append(d.notes, det.notes...)
	who := det.entityOf()
	d.entityType, d.runbook, d.lookback = who.kind, runbooks[who.kind], "0s"
	d.columns = neededColumns(det)
	d.logTypes = det.source.logTypes()
	var q strings.Builder
	q.WriteString("SELECT\n    metadata_tenant_uid AS tenant,\n    metadata_product_name AS product,\n    " + who.sql() + " AS entity_uid,\n")
	if who.name != "" {
		q.WriteString("    max(" + who.name + ") AS entity,\n")
	}
	q.WriteString("    min(time) AS first_seen,\n    max(time) AS last_seen,\n    count() AS count,\n" +
		"    arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence,\n" +
		"    if(count = 1, 'one event', concat(toString(count), ' events')) AS message_events,\n")
	if who.kind == "network" {
		q.WriteString("    arraySort(groupUniqArray(20)(http_request_url_path)) AS paths,\n    arraySort(groupUniqArray(20)(http_response_code)) AS codes\n")
		d.message = "{{entity}}: " + d.title + "; {{message_events}} since {{first_seen}}, paths: {{paths}}, status codes: {{codes}}."
	} else {
		q.WriteString("    arraySort(groupUniqArray(20)(src_endpoint_ip)) AS addresses,\n    arraySort(groupUniqArray(20)(api_operation)) AS operations\n")
		d.message = "{{entity}}: " + d.title + "; {{message_events}} since {{first_seen}}, from {{addresses}}."
	}
	q.WriteString("FROM events\nWHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}\n" + det.lines("    AND ") + "GROUP BY tenant, product, entity_uid")
	d.query = q.String()
	d.singleTests(det, who)
	return d
}

// maxLine is how long a line of the query may be before it is broken.
const maxLine = 120

// lines writes source and condition, one part a line.
func (d *detection) lines(indent string) string {
	var out strings.Builder
	for _, t := range []*term{d.source.term(), d.where} {
		parts := []*term{t}
		if t.op == isAnd {
			parts = t.terms
		}
		for _, part := range parts {
			text := indent + inAnd(part)
			if alternatives := part.alternatives(); len(text) > maxLine && len(alternatives) > 1 {
				step := "\n" + strings.Repeat(" ", len(indent)) + "OR "
				text = indent + "(" + strings.Join(alternatives, step) + ")"
			}
			out.WriteString(text + "\n")
		}
	}
	return strings.ReplaceAll(out.String(), indent+"true\n", "")
}

// logTypes are the log names of the source.
func (src source) logTypes() []string {
	for _, c := range src.where {
		if c.column == "metadata_log_name" {
			return c.values
		}
	}
	return nil
}

// neededColumns are the columns without which no event can match.
func neededColumns(det *detection) []string {
	var columns []string
	for _, t := range []*term{det.source.term(), det.where} {
		for _, column := range t.needed() {
			if !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
		}
	}
	if len(columns) == 0 {
		return []string{"class_uid"}
	}
	return columns
}

func (t *term) needed() []string {
	var columns []string
	switch {
	case t.op == isMatch && t.match != nil && t.match.by != byNothing && t.match.field.kind != keywordKind && t.match.field.kind != urlKind:
		return t.match.field.columns()
	case t.op == isAnd:
		for _, kid := range t.terms {
			columns = append(columns, kid.needed()...)
		}
	case t.op == isOr && len(t.terms) > 0:
		columns = t.terms[0].needed()
		for _, kid := range t.terms[1:] {
			others := kid.needed()
			columns = slices.DeleteFunc(columns, func(c string) bool { return !slices.Contains(others, c) })
		}
	}
	return columns
}

// singleTests writes an event that fires, and ones that just do not.
func (d *draft) singleTests(det *detection, who entity) {
	from := goal{det.source.term(), true}
	ordinary := who.ordinary(det.source)
	d.defaults = ordinary
	fires := satisfy(ordinary, det.where, true, from)
	add := func(name, kind string, e event) {
		t := testCase{name: name, kind: kind, events: []testRow{{time: "+9h", set: e.less(ordinary)}}}
		if kind == "fires" {
			t.entity, t.count = who.of(e), 1
		}
		d.tests = append(d.tests, t)
	}
	if fires == nil {
		d.missing = append(d.missing, "a test of kind fires: no event could be made that satisfies the condition")
	} else {
		add("an event as the rule describes it", "fires", fires)
	}
	quiet := false
	if !det.where.holds(ordinary) {
		add("an ordinary event of the same log", "quiet", ordinary)
		quiet = true
	}
	if e := det.excluded(ordinary, from); e != nil {
		add("an event that the rule's filter leaves out", "quiet", e)
		quiet = true
	}
	var nearest event
	if fires != nil {
		if column, e := nearMiss(fires, ordinary, det); e != nil {
			nearest = e
			value := e[column]
			if value == "" {
				value = "empty"
			}
			add("the same event, but "+strings.TrimPrefix(column, unmappedPrefix)+" is "+oneLine(value), "boundary", e)
		}
	}
	other := satisfy(ordinary, det.where, false, from)
	if !quiet && other != nil {
		add("an event that the condition does not fit", "quiet", other)
		quiet = true
	}
	if nearest == nil && other != nil {
		add("an event that the condition does not fit", "boundary", other)
		nearest = other
	}
	if !quiet {
		d.missing = append(d.missing, "a test of kind quiet: every event of the log seems to satisfy the condition")
	}
	if nearest == nil {
		d.missing = append(d.missing, "a test of kind boundary: the last event that does not fire, or the first that does")
	}
}

// excluded is an event that all parts of the condition fit, but for one that is
// negated.
func (d *detection) excluded(base event, from goal) event {
	if d.where.op != isAnd {
		return nil
	}
	for i, part := range d.where.terms {
		if part.op != isNot {
			continue
		}
		goals := []goal{from}
		for j, other := range d.where.terms {
			if j != i {
				goals = append(goals, goal{other, true})
			}
		}
		if e := satisfy(base, part, false, goals...); e != nil {
			return e
		}
	}
	return nil
}

// nearMiss changes one column of an event that fires by as little as makes it quiet.
func nearMiss(fires, ordinary event, det *detection) (string, event) {
	changed := fires.less(ordinary)
	for _, shorten := range []bool{true, false} {
		for _, column := range sortedColumns(changed) {
			value := changed[column]
			var near []string
			switch n, err := strconv.ParseInt(value, 10, 64); {
			case err == nil:
				near = []string{strconv.FormatInt(n-1, 10), strconv.FormatInt(n+1, 10)}
			case shorten && len(value) > 1:
				runes := []rune(value)
				near = []string{string(runes[:len(runes)-1]), string(runes[1:])}
			case !shorten:
				near = []string{"", value + "x", "x" + value}
			}
			for _, next := range near {
				if columnKinds[column] == numberKind && (next == "" || next[0] == '-') {
					continue
				}
				e := event{}
				for c, v := range fires {
					e[c] = v
				}
				e[column] = next
				if !det.where.holds(e) && det.source.term().holds(e) {
					return column, e
				}
			}
		}
	}
	return "", nil
}

func sortedColumns(e event) []string {
	columns := make([]string, 0, len(e))
	for column := range e {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	return columns
}
