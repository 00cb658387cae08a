package sigma

import (
	"fmt"
	"strings"
)

// write makes the query, its parameters and the message.
func (c *compound) write(d *draft) {
	var q strings.Builder
	q.WriteString("WITH\n    matched AS\n    (\n        SELECT\n            metadata_tenant_uid AS tenant,\n            metadata_product_name AS " + c.productColumn() + ",\n")
	if c.numbered {
		q.WriteString("            arrayFilter(n -> n > 0, [\n")
		for i, part := range c.parts {
			comma := ","
			if i == len(c.parts)-1 {
				comma = "]"
			}
			fmt.Fprintf(&q, "                -- %s\n                if(%s, %d, 0)%s", oneLine(c.rules[i].title), part.whole().sql(), i+1, comma)
			if comma == "]" {
				q.WriteString(") AS rules,\n            arrayJoin(rules) AS rule,\n")
			} else {
				q.WriteByte('\n')
			}
		}
	}
	for _, g := range c.groups {
		fmt.Fprintf(&q, "            %s AS %s,\n", g.sql(), g.column())
	}
	switch c.kind {
	case valueCount:
		fmt.Fprintf(&q, "            %s AS counted,\n", c.counted.sql())
	case temporal, temporalOrdered:
		q.WriteString("            rule AS counted,\n")
	}
	q.WriteString("            toUnixTimestamp64Milli(time) AS at,\n            event_uid,\n            src_endpoint_ip AS ip\n        FROM events\n" +
		"        WHERE time >= {lookback_from:DateTime64(3)} AND time < {to:DateTime64(3)}\n")
	q.WriteString(c.where("            AND "))
	q.WriteString("    ),\n")
	d.params = []param{{"within", "UInt32", c.within, "the time span, in seconds"}}
	if c.inCells() {
		c.writeCells(&q, d)
	} else {
		c.writeSpans(&q, d)
	}
	d.query = q.String()
}

// keys are the columns by which events are grouped.
func (c *compound) keys() []string {
	keys := []string{"tenant"}
	if c.oneProduct {
		keys = append(keys, "product")
	}
	for _, g := range c.groups {
		keys = append(keys, g.column())
	}
	return keys
}

// filled asks for the grouping fields to be there.
func (c *compound) filled(indent string) string {
	var parts []string
	for _, g := range c.groups {
		parts = append(parts, g.column()+" != ''")
	}
	if c.kind == valueCount {
		parts = append(parts, "counted != ''")
	}
	if len(parts) == 0 {
		return ""
	}
	return indent + "WHERE " + strings.Join(parts, " AND ") + "\n"
}

// productColumn is a key of the grouping where it is called product.
func (c *compound) productColumn() string {
	if c.oneProduct {
		return "product"
	}
	return "product_name"
}

// keyLines are the columns by which events are grouped, and the product.
func (c *compound) keyLines() string {
	lines := c.keys()
	if !c.oneProduct {
		lines = append(lines, "min(product_name) AS product")
	}
	return "            " + strings.Join(lines, ",\n            ") + ",\n"
}

func (c *compound) entitySQL() string {
	if c.main < 0 {
		return "'" + nobody + "'"
	}
	return c.groups[c.main].column()
}

// others are the grouping columns that are not the entity.
func (c *compound) others() []string {
	var columns []string
	for i, g := range c.groups {
		if i != c.main {
			columns = append(columns, g.column())
		}
	}
	return columns
}

// spanText is the timespan for people.
func (c *compound) spanText() string {
	for _, unit := range []struct {
		seconds uint64
		word    string
	}{{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		if n := c.within / unit.seconds; c.within%unit.seconds == 0 && n > 0 {
			if n == 1 {
				return "one " + unit.word
			}
			return fmt.Sprintf("%d %ss", n, unit.word)
		}
	}
	return ""
}

// writeSpans finds sliding spans: those that end in the window.
func (c *compound) writeSpans(q *strings.Builder, d *draft) {
	threshold := "{threshold:UInt32}"
	isCount := c.kind == eventCount
	element := "(at, event_uid, ip)"
	switch {
	case c.kind == temporal || c.kind == temporalOrdered:
		threshold = fmt.Sprint(c.threshold())
		element = "(at, event_uid, ip, counted)"
	default:
		said := "events within the time span that make a finding"
		if c.kind == valueCount {
			said = "different values within the time span that make a finding"
			element = "(at, event_uid, ip, counted)"
		}
		d.params = append(d.params, param{"threshold", "UInt32", c.threshold(), said})
	}
	fmt.Fprintf(q, "    grouped AS\n    (\n        SELECT\n%s", c.keyLines())
	fmt.Fprintf(q, "            {within:UInt32} * 1000 AS span,\n            toUnixTimestamp64Milli({from:DateTime64(3)}) AS window_start,\n"+
		"            arraySort(groupArray(%s)) AS hits,\n            arrayMap(h -> h.1, hits) AS times,\n", element)
	switch {
	case isCount:
		fmt.Fprintf(q, "            -- The events that complete a span: threshold-th or later in it.\n"+
			"            arrayFilter(i -> i >= %[1]s AND times[i] >= window_start\n                AND times[i] - times[i - %[1]s + 1] <= span, arrayEnumerate(times)) AS completing,\n"+
			"            arraySlice(hits, completing[1] - %[1]s + 1, completing[-1] - completing[1] + %[1]s) AS burst\n", threshold)
	case c.kind == temporalOrdered:
		c.writeChain(q)
	default:
		fmt.Fprintf(q, "            -- The events up to which the span holds enough different values.\n"+
			"            arrayFilter(i -> times[i] >= window_start AND arrayUniq(arrayMap(h -> h.4,\n"+
			"                arrayFilter(h -> h.1 <= times[i] AND times[i] - h.1 <= span, hits))) >= %s, arrayEnumerate(times)) AS completing,\n"+
			"            arrayFilter(h -> times[completing[1]] - h.1 <= span AND h.1 <= times[completing[-1]], hits) AS burst\n", threshold)
	}
	fmt.Fprintf(q, "        FROM matched\n%s        GROUP BY %s\n", c.filled("        "), strings.Join(c.keys(), ", "))
	switch c.kind {
	case eventCount:
		fmt.Fprintf(q, "        HAVING count() >= %s AND notEmpty(completing)\n    )\n", threshold)
	default:
		fmt.Fprintf(q, "        HAVING uniqExact(counted) >= %s AND notEmpty(completing)\n    )\n", threshold)
	}
	fmt.Fprintf(q, "SELECT\n    tenant,\n    product,\n    %s AS entity_uid,\n", c.entitySQL())
	for _, column := range c.others() {
		fmt.Fprintf(q, "    %s,\n", column)
	}
	q.WriteString("    fromUnixTimestamp64Milli(burst[1].1) AS first_seen,\n    fromUnixTimestamp64Milli(burst[-1].1) AS last_seen,\n" +
		"    arrayDistinct(arrayMap(h -> h.2, burst)) AS message_events,\n    length(message_events) AS count,\n    arraySlice(message_events, 1, 50) AS evidence,\n")
	if c.kind == valueCount {
		q.WriteString("    arrayUniq(arrayMap(h -> h.4, burst)) AS different,\n    arraySlice(arraySort(arrayDistinct(arrayMap(h -> h.4, burst))), 1, 20) AS values,\n")
	}
	q.WriteString("    arraySlice(arraySort(arrayDistinct(arrayMap(h -> h.3, burst))), 1, 20) AS addresses\nFROM grouped\n")
	d.message = "{{entity}}: " + d.title + "; {{count}} events since {{first_seen}}"
	if c.kind == valueCount {
		d.message += ", {{different}} different values ({{values}}) of " + oneLine(c.correlation.counted.text)
	}
	d.message += ", from {{addresses}}; the rule looks at spans of " + c.spanText() + "."
}

// writeChain finds events of the rules in their order: each step is when a chain
// began and when its last event came, and the chain that began last is kept.
func (c *compound) writeChain(q *strings.Builder) {
	q.WriteString("            -- Chains of events in order: when each began, when its last event came, and which that was.\n" +
		"            arrayMap(h -> (h.1, h.1, h.2), arrayFilter(h -> h.4 = 1, hits)) AS step_1,\n")
	for i := 2; i <= len(c.parts); i++ {
		fmt.Fprintf(q, "            arrayFilter(s -> s.1 > 0, arrayMap(h -> (arrayMax(arrayPushBack(arrayMap(s -> if(s.2 <= h.1 AND s.3 != h.2, s.1, 0), step_%d), 0)), h.1, h.2),\n"+
			"                arrayFilter(h -> h.4 = %d, hits))) AS step_%d,\n", i-1, i, i)
	}
	fmt.Fprintf(q, "            arrayFilter(s -> s.2 >= window_start AND s.2 - s.1 <= span, step_%d) AS completing,\n"+
		"            arrayFilter(h -> h.1 >= completing[1].1 AND h.1 <= completing[-1].2, hits) AS burst\n", len(c.parts))
}

// writeCells counts in fixed spans, those that end in the window.
func (c *compound) writeCells(q *strings.Builder, d *draft) {
	count := "count()"
	if c.kind == valueCount {
		count = "uniqExact(counted)"
	}
	var having []string
	for _, b := range c.conditions {
		p := boundParams[b.word]
		d.params = append(d.params, param{p.name, "UInt32", b.n, p.says})
		having = append(having, fmt.Sprintf("%s %s {%s:UInt32}", count, p.sign, p.name))
	}
	fmt.Fprintf(q, "    cells AS\n    (\n        SELECT\n%s"+
		"            intDiv(at, {within:UInt32} * 1000) AS cell,\n            %s AS counted_in_cell,\n            min(at) AS first_at,\n            max(at) AS last_at,\n"+
		"            arrayMap(h -> h.2, groupArraySorted(50)((at, event_uid))) AS evidence,\n            uniqExact(event_uid) AS events,\n"+
		"            arraySort(groupUniqArray(20)(ip)) AS addresses\n        FROM matched\n%s        GROUP BY %s, cell\n        HAVING %s\n",
		c.keyLines(), count, c.filled("        "), strings.Join(c.keys(), ", "), strings.Join(having, " AND "))
	q.WriteString("            AND (cell + 1) * {within:UInt32} > toUnixTimestamp({from:DateTime64(3)})\n" +
		"            AND (cell + 1) * {within:UInt32} <= toUnixTimestamp({to:DateTime64(3)})\n    )\n")
	fmt.Fprintf(q, "SELECT\n    tenant,\n    product,\n    %s AS entity_uid,\n", c.entitySQL())
	for _, column := range c.others() {
		fmt.Fprintf(q, "    %s,\n", column)
	}
	q.WriteString("    fromUnixTimestamp64Milli(first_at) AS first_seen,\n    fromUnixTimestamp64Milli(last_at) AS last_seen,\n" +
		"    events AS count,\n    evidence,\n    counted_in_cell,\n    addresses\nFROM cells\n")
	d.message = "{{entity}}: " + d.title + "; {{count}} events in " + c.spanText() + " from {{first_seen}} on, from {{addresses}}."
}
