package formats

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/crmwatch/crmwatch/schema"
)

const salesforceELFName = "salesforce-elf"

// maxCSVColumns is more than any export has; a longer header is refused.
const maxCSVColumns = 1000

// elfHeader is a header of EventLogFile, compiled once, so that the rows need no
// look-ups by name.
type elfHeader struct {
	names []string
	// eventType, derived and timestamp are columns that rows are read by; -1 where
	// there is none.
	eventType, derived, timestamp int
	// byName is the order in which a row's fields enter its identity.
	byName []schema.NamedField
	plans  map[string]*elfPlan
}

// newELFHeader compiles a header, or says why it cannot be used.
func newELFHeader(fields []string) (h *elfHeader, wrong string) {
	names, wrong := columnNames(fields)
	if wrong != "" {
		return nil, wrong
	}
	return &elfHeader{
		names:     names,
		eventType: slices.Index(names, "EVENT_TYPE"),
		derived:   slices.Index(names, "TIMESTAMP_DERIVED"),
		timestamp: slices.Index(names, "TIMESTAMP"),
		byName:    orderByName(names),
		plans:     map[string]*elfPlan{},
	}, ""
}

// columnNames copies and cleans the names in a header. A column without a name, or
// with a name that an earlier column has, is called by its number.
func columnNames(fields []string) (names []string, wrong string) {
	if len(fields) > maxCSVColumns {
		return nil, fmt.Sprintf("the header has more than %d columns: this is no export that crmwatch knows", maxCSVColumns)
	}
	for i, field := range fields {
		name := strings.Clone(strings.Trim(field, " \t\uFEFF"))
		if name == "" || slices.Contains(names, name) {
			name = fmt.Sprintf("%s#%d", name, i+1)
		}
		names = append(names, name)
	}
	return names, ""
}

func orderByName(names []string) []schema.NamedField {
	order := make([]schema.NamedField, len(names))
	for i, name := range names {
		order[i] = schema.NamedField{Field: i, Tag: xxh3.HashString(name)}
	}
	slices.SortStableFunc(order, func(a, b schema.NamedField) int { return strings.Compare(names[a.Field], names[b.Field]) })
	return order
}

// elfPlan says how the fields of one event type under one header are read.
type elfPlan struct {
	elfType
	eventType string
	steps     []elfStep
}

// elfStep reads one field.
type elfStep struct {
	salesforceColumn
	field, twin int
}

// maxPlans bounds the memory that a file with made-up event types can take.
const maxPlans = 1000

// plan is the plan of an event type.
func (h *elfHeader) plan(eventType string) *elfPlan {
	if p, ok := h.plans[eventType]; ok {
		return p
	}
	p := &elfPlan{elfType: elfTypeOf(eventType), eventType: strings.Clone(eventType)}
	p.steps = salesforceSteps(h.names, slices.Concat(elfColumnsOf[eventType], elfColumns))
	if len(h.plans) >= maxPlans {
		clear(h.plans)
	}
	h.plans[p.eventType] = p
	return p
}

// salesforceSteps finds for each name the first column of that name, and orders
// the steps by rank.
func salesforceSteps(names []string, columns []salesforceColumn) []elfStep {
	rank := map[string]int{}
	for i, column := range columns {
		if _, taken := rank[column.name]; !taken {
			rank[column.name] = i
		}
	}
	var steps, unmapped []elfStep
	for i, name := range names {
		if at, ok := rank[name]; ok {
			if columns[at].kind != readNothing {
				steps = append(steps, elfStep{salesforceColumn: columns[at], field: i})
			}
			continue
		}
		step := elfStep{salesforceColumn: salesforceColumn{name: name, kind: readUnmapped}, field: i}
		if twin := slices.Index(names, name+"_DERIVED"); twin >= 0 {
			step.kind, step.twin = readTwin, twin
		}
		unmapped = append(unmapped, step)
	}
	slices.SortStableFunc(steps, func(a, b elfStep) int { return rank[a.name] - rank[b.name] })
	return append(steps, unmapped...)
}
