// Package detectors finds abuse in the events table. A rule is data: one YAML
// file with its SQL, its explanation and its own tests. A Runner evaluates rules
// over grid windows of event time; what wakes it and which rows have arrived
// decides only which windows are looked at, never what they say.
package detectors

import (
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Kind says how a rule judges a window.
type Kind string

// The kinds of rules.
const (
	// KindQuery rules return the finding itself: see Rule.Query.
	KindQuery Kind = "query"
	// KindSpike rules return a series a entity, judged against its own baseline.
	KindSpike Kind = "spike"
	// KindFirstSeen rules return the values of an entity; one that is new is found.
	KindFirstSeen Kind = "first_seen"
	// KindSequence rules return events that are steps; their order is found.
	KindSequence Kind = "sequence"
	// KindSilence rules return when an entity was active; that it stopped is found.
	KindSilence Kind = "silence"
)

// Metric is what a spike rule counts. It decides words and the smallest value
// that matters.
type Metric string

// The metrics of spike rules.
const (
	MetricCalls  Metric = "calls"
	MetricBytes  Metric = "bytes"
	MetricErrors Metric = "errors"
	MetricRows   Metric = "rows"
)

// Rule is one detection, read from one YAML file.
//
// The query reads FROM events and sees each event once. It has the parameters
// {from:DateTime64(3)} and {to:DateTime64(3)} (the window), {lookback_from:DateTime64(3)}
// (the window's start less Lookback) and the rule's own Params.
//
// A query of kind "query" returns one row an entity with the columns tenant,
// product, entity_uid, first_seen, last_seen, count and evidence (Array(UUID), at
// most 50, between first_seen and last_seen), and optionally entity (the name) and
// severity (a name or a number) in place of the rule's. All other columns become
// attributes, but those whose names begin with message_: they word the message. A
// query of kind "spike" returns tenant, product, entity_uid, bucket
// (DateTime) and value, at most one row a bucket, and optionally count: the events of
// the bucket, where value is something else. It has the further parameters
// {bucket:UInt32} (seconds) and {with_evidence:UInt8}: when that is 1, it also fills
// a column evidence, and is asked for the entity {entity_uid:String} alone (else empty).
//
// The other kinds judge an entity by all that it did before, which is kept as a state.
// In a scheduled run their query sees only the events that have arrived since the last
// one, so it must ask of each event alone, or of what events add up to in any order:
// WHERE, min, max and count, but no HAVING and no join of events with each other. It
// has {from:DateTime64(3)} and {to:DateTime64(3)} and returns tenant, product,
// entity_uid, and
//   - first_seen: value (String), first_seen, last_seen, count and evidence, one row an
//     entity and value, and optionally entity; other columns become attributes;
//   - sequence: step (a name out of Sequence.Steps), value, time and event_uid, one row
//     an event, and optionally entity;
//   - silence: bucket (DateTime) and count, and optionally evidence; it has the further
//     parameter {bucket:UInt32} (seconds).
type Rule struct {
	ID          string
	Title       string
	Description string
	Kind        Kind
	Severity    schema.Severity
	EntityType  string
	// Attack lists MITRE ATT&CK technique ids.
	Attack []string
	// Controls lists what it serves, such as "GDPR 32": see Control.
	Controls []string
	Needs    Needs
	// Window is the length of the grid that event time is cut into, counted from
	// 1970 UTC; a finding's identity holds the window's start.
	Window time.Duration
	// Lookback is how much event time before the window the query may read.
	Lookback time.Duration
	// Lookahead is how much event time after the window the query may read: what comes
	// there wakes the window too.
	Lookahead time.Duration
	// Schedule is when the rule wakes: a cron line of five fields, in UTC.
	Schedule string
	Params   []Param
	Query    string
	// Reads is a condition on an event, in SQL: no other event can change what the
	// query says. Empty is every event.
	Reads string
	// Screen is a query that names in its column time the moments at which the rule may
	// find something, at little cost; windows without one are not evaluated. It has the
	// query's parameters, over as many windows as there are to judge at once. It may
	// name too many, never too few. Empty is no screen.
	Screen string
	// Message is the finding's text; {{column}} stands for a returned column.
	Message        string
	FalsePositives []string
	// Runbook lists what a person does next, in order.
	Runbook    []string
	References []string
	Tests      []Test
	// Metric, Bucket and Guards belong to spike rules.
	Metric Metric
	Bucket time.Duration
	Guards Guards
	// FirstSeen, Sequence and Silence belong to rules of these kinds.
	FirstSeen FirstSeen
	Sequence  Sequence
	Silence   Silence
	// Exceptions are what the installation expects of it.
	Exceptions []Exception
	// File is where the rule was read from.
	File string

	source        *source
	controlTitles map[string]string
	// queryKey is the key under which Query stands in the file, when it is not query.
	queryKey string
	// inFile are the parameters as the file has them, when Params are others.
	inFile []Param
}

// Needs says what a rule must find in the data to be able to fire.
type Needs struct {
	// Classes are values of class_uid; one of them is enough. Empty means any. Columns are
	// looked for in their events alone.
	Classes []uint16
	// Columns are columns of the events table; each is of use to a part of the rule.
	Columns []string
	// OneOf are lists of columns: of each list one must be filled, or the rule sees nothing.
	OneOf [][]string
	// LogTypes are values of metadata_log_name; one of them is enough. Empty means
	// any. They say where a rule may be blind, not which events it looks at.
	LogTypes []string
	// Parameters are lists that the installation has to fill: while one is empty, the
	// rule sees nothing.
	Parameters []string
	// Products are values of metadata_product_name; one of them is enough. Empty means any
	// but crmwatch's own.
	Products []string
}

// OwnHouse says whether a rule watches crmwatch itself, of which there is always a log.
func (r Rule) OwnHouse() bool { return slices.Contains(r.Needs.Products, schema.OwnProduct) }

// AllColumns are the columns of Columns and OneOf.
func (n Needs) AllColumns() []string {
	return slices.Concat(n.Columns, slices.Concat(n.OneOf...))
}

// HasClass says whether the rule looks at events of a class.
func (n Needs) HasClass(class uint16) bool {
	return len(n.Classes) == 0 || slices.Contains(n.Classes, class)
}

// SayOneOf names a list of which one is enough.
func SayOneOf(columns []string) string { return strings.Join(columns, " or ") }

// Param is a value of a rule that can be tuned.
type Param struct {
	Name string
	// Type is the ClickHouse type that the query declares.
	Type string
	// Value is a string, bool, int64, uint64, float64 or a []string.
	Value       any
	Description string
	// Advisories names what the advisories add to the value: user_agents,
	// common_user_agents or networks; empty is nothing.
	Advisories string
	// Inventory names what the installation's inventory adds to the value: networks,
	// users, apps.
	Inventory []string
}

// TestKind is what a rule's test proves.
type TestKind string

// A rule has at least one test of each kind.
const (
	// TestFires is abuse that the rule finds.
	TestFires TestKind = "fires"
	// TestQuiet is ordinary traffic that looks like it.
	TestQuiet TestKind = "quiet"
	// TestBoundary is the last harmless or the first harmful case.
	TestBoundary TestKind = "boundary"
)

// Test is a case in a rule's own file: events in, findings out.
type Test struct {
	Name string
	Kind TestKind
	// Params are values in place of the rule's own, by name.
	Params map[string]any
	Events []TestEvent
	Expect []Expectation
}

// Expectation is a finding that a test wants; fields left empty are not compared.
type Expectation struct {
	Entity    string            `yaml:"entity"`
	EntityUID string            `yaml:"entity_uid"`
	Count     *uint64           `yaml:"count"`
	Severity  string            `yaml:"severity"`
	FirstSeen string            `yaml:"first_seen"`
	LastSeen  string            `yaml:"last_seen"`
	Evidence  *int              `yaml:"evidence"`
	Message   string            `yaml:"message"`
	With      map[string]string `yaml:"attributes"`
}

// Param finds a parameter by its name.
func (r Rule) Param(name string) (Param, bool) {
	for _, p := range r.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// Unset lists the parameters that the rule needs and that are empty: it is blind
// until the configuration fills them.
func (r Rule) Unset() []string {
	var unset []string
	for _, name := range r.Needs.Parameters {
		if p, _ := r.Param(name); p.Value == nil || p.Value == "" || isEmptyList(p.Value) {
			unset = append(unset, name)
		}
	}
	return unset
}

func isEmptyList(value any) bool {
	list, isList := value.([]string)
	return isList && len(list) == 0
}

// reach is how far after an event the windows lie that its arrival can change.
func (r Rule) reach() time.Duration {
	if r.Kind == KindSpike {
		return 2 * r.Lookback
	}
	return r.Lookback
}

// overhang is how far before an event the windows lie that its arrival can
// change: an episode opened in one window may end in the next, and a query may read
// beyond its window.
func (r Rule) overhang() time.Duration {
	if r.Kind == KindSpike {
		return episodeLimit
	}
	return r.Lookahead
}

// Remembers says whether the rule keeps a state, in tables of its own.
func (r Rule) Remembers() bool { return r.Kind.remembers() }
