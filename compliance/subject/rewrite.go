package subject

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Rows are written anew by expressions over the old ones. What is looked up while that
// goes on is in two tables: erasure_rows, which rows are concerned, and erasure_values,
// what is put in the place of what. The statements that delete name these tables and
// nothing of the person, for ClickHouse keeps their text.

const (
	createRows = `CREATE TABLE IF NOT EXISTS erasure_rows (name LowCardinality(String), part String, id UUID, own UInt8)
ENGINE = MergeTree ORDER BY (name, part, id)`
	createValues = `CREATE TABLE IF NOT EXISTS erasure_values (kind LowCardinality(String), value String, token String)
ENGINE = MergeTree ORDER BY (kind, value)`

	// rowsOf and pairsOf are to be completed with a constant.
	knownEvents = "(SELECT id FROM erasure_rows WHERE name = 'events')"
	placePairs  = "(SELECT arraySort(groupArray((value, token))) FROM erasure_values WHERE kind = 'place')"
	findingFrom = "(SELECT arrayConcat([''], arrayMap(p -> p.1, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'finding')"
	findingTo   = "(SELECT arrayConcat([''], arrayMap(p -> p.2, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'finding')"
	alertFrom   = "(SELECT arrayConcat([''], arrayMap(p -> p.1, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'alert')"
	alertTo     = "(SELECT arrayConcat([''], arrayMap(p -> p.2, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'alert')"
	placeFrom   = "(SELECT arrayConcat([''], arrayMap(p -> p.1, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'place')"
	placeTo     = "(SELECT arrayConcat([''], arrayMap(p -> p.2, arraySort(groupArray((value, token))))) FROM erasure_values WHERE kind = 'place')"
	places      = "(SELECT value FROM erasure_values WHERE kind = 'place')"
)

// rewriting are the parameters of the expressions, those of conditions among them.
func (s Subject) rewriting(k secret) []any {
	k0, k1 := k.words()
	named, exact := s.named()
	tokens := func(values []string) (from, to []string) {
		from, to = []string{"\x00"}, []string{"\x00"}
		for _, value := range values {
			from, to = append(from, value), append(to, k.name(value))
		}
		return from, to
	}
	namedFrom, namedTo := tokens(named)
	exactFrom, exactTo := tokens(exact)
	all := append(s.parameters(), schema.Named("k0", k0), schema.Named("k1", k1), schema.Named("prefix", k.prefix()),
		schema.Named("named_from", namedFrom), schema.Named("named_to", namedTo), schema.Named("exact_from", exactFrom), schema.Named("exact_to", exactTo))
	n := 0
	for _, i := range s.Identifiers {
		if i.Words {
			all = append(all, schema.Named("p"+strconv.Itoa(n), i.pattern()), schema.Named("r"+strconv.Itoa(n), `\1`+k.name(i.Value)+`\2`))
			n++
		}
	}
	return all
}

// renamed puts a token in the place of a whole value.
func renamed(x string) string {
	return "transform(lowerUTF8(trimBoth(" + x + ")), {named_from:Array(String)}, {named_to:Array(String)}, transform(" + x + ", {exact_from:Array(String)}, {exact_to:Array(String)}, " + x + "))"
}

// reworded puts tokens in the place of words. A word takes what stands around it along,
// so that of two with one space between them the second is found the second time.
func (s Subject) reworded(x string) string {
	n := 0
	for _, i := range s.Identifiers {
		if i.Words {
			p, r := "{p"+strconv.Itoa(n)+":String}", "{r"+strconv.Itoa(n)+":String}"
			x = "replaceRegexpAll(replaceRegexpAll(" + x + ", " + p + ", " + r + "), " + p + ", " + r + ")"
			n++
		}
	}
	return x
}

// placed puts a token in the place of a whole place.
func placed(x string) string {
	return "transform(" + x + ", " + placeFrom + ", " + placeTo + ", " + x + ")"
}

// eachPart does something with the parts of a value between line ends. The digest
// writes a sign before what somebody logged in with.
func eachPart(x, part string) string {
	return "arrayStringConcat(arrayMap(part -> " + part + ", splitByChar('\\n', " + x + ")), '\\n')"
}

// erasedText is a text without the person. In events, places have columns of their own;
// elsewhere they stand in the same columns as names, and prose lists them.
func (s Subject) erasedText(x string, l layout) string {
	x = "toString(" + x + ")"
	if l.name == "events" {
		return "if(" + says(x) + " OR arrayExists(part -> " + isNamed("part") + ", splitByChar('\\n', " + x + ")), " + s.reworded(eachPart(x, renamed("part"))) + ", " + x + ")"
	}
	signed := "if(substring(part, 1, 1) IN ('+', '-'), concat(substring(part, 1, 1), " + placed("substring(part, 2)") + "), " + placed("part") + ")"
	out := eachPart(eachPart(x, renamed("part")), signed)
	out = "if(" + says(out) + ", " + s.reworded(out) + ", " + out + ")"
	if l.prose() {
		out = "arrayFold((text, p) -> replaceRegexpAll(text, concat('(^|[^0-9A-Za-z.:])', regexpQuoteMeta(p.1), '($|[^0-9A-Za-z])'), concat('\\\\1', p.2, '\\\\2')), " +
			"arrayFilter(p -> " + l.lists("p.1", x) + ", " + placePairs + "), " + out + ")"
	}
	return out
}

// prose says that texts of the table list places.
func (l layout) prose() bool {
	return l.name == "findings" || l.name == "suppressed_findings" || l.name == "alerts" || l.name == "summaries"
}

// lists is true where a text of prose has a place. A summary is JSON, whose keys must
// stay what they are, even when a machine is called like one.
func (l layout) lists(place, x string) string {
	if l.name == "summaries" {
		return "match(" + place + ", '[.:/ ]') AND position(" + x + ", " + place + ") > 0"
	}
	return "position(" + x + ", " + place + ") > 0"
}

func keyed(x string) string {
	return "reinterpretAsUUID(sipHash128Keyed(({k0:UInt64}, {k1:UInt64}), " + x + "))"
}

func mapped(x, from, to string) string {
	return "toUUID(transform(toString(" + x + "), " + from + ", " + to + ", toString(" + x + ")))"
}

// erased is the new value of a column in a row that is written anew.
func (s Subject) erased(c column, l layout) string {
	x := quoted(c.name)
	var one func(x string) string
	switch c.use {
	case identity:
		return renamed("toString(" + x + ")")
	case place, tool:
		one = func(x string) string {
			return s.erasedText("if("+acts()+", "+placed("toString("+x+")")+", toString("+x+"))", l)
		}
	case text:
		one = func(x string) string { return s.erasedText(x, l) }
	case eventUID:
		one = func(x string) string { return "if(" + x + " IN " + knownEvents + ", " + keyed(x) + ", " + x + ")" }
	case findingUID:
		one = func(x string) string { return mapped(x, findingFrom, findingTo) }
	case alertUID:
		one = func(x string) string { return mapped(x, alertFrom, alertTo) }
	case rowUID:
		return keyed(x)
	case contentHash:
		return "sipHash64Keyed(({k0:UInt64}, {k1:UInt64}), " + x + ")"
	case textHash:
		return "lower(hex(SHA256(" + s.erasedText(quoted("content"), l) + ")))"
	case amended:
		return x + " + 1"
	default:
		return x
	}
	switch {
	case strings.HasPrefix(c.kind, "Map(") && strings.HasSuffix(c.kind, "String)"):
		return fmt.Sprintf("mapFromArrays(arrayMap(x -> %[1]s, mapKeys(%[2]s)), arrayMap(x -> %[1]s, mapValues(%[2]s)))", one("x"), x)
	case strings.HasPrefix(c.kind, "Map("):
		return fmt.Sprintf("mapFromArrays(arrayMap(x -> %s, mapKeys(%s)), mapValues(%s))", one("x"), x, x)
	case strings.HasPrefix(c.kind, "Array("):
		return fmt.Sprintf("arrayMap(x -> %s, %s)", one("x"), x)
	}
	return one(x)
}

// concerned is true in rows that are written anew: they name the person, are in a place
// that only the person was in, or refer to a row whose identity changes.
func (l layout) concerned() string {
	any := []string{l.names()}
	if l.name == "summaries" {
		any = append(any, "arrayExists(p -> "+l.lists("p.1", "content")+", "+placePairs+")")
	}
	for _, c := range l.columns {
		x := quoted(c.name)
		test := ""
		switch c.use {
		case text:
			if l.name == "events" {
				continue
			}
			for _, x := range c.texts() {
				any = append(any, "arrayExists(part -> part IN "+places+" OR substring(part, 1, 1) IN ('+', '-') AND substring(part, 2) IN "+places+", splitByChar('\\n', toString("+x+")))")
			}
			continue
		case eventUID:
			if l.name == "events" {
				continue
			}
			test = "x IN " + knownEvents
		case findingUID:
			test = "toString(x) IN (SELECT value FROM erasure_values WHERE kind = 'finding')"
		case alertUID:
			test = "toString(x) IN (SELECT value FROM erasure_values WHERE kind = 'alert')"
		default:
			continue
		}
		if strings.HasPrefix(c.kind, "Array(") {
			any = append(any, "arrayExists(x -> "+test+", "+x+")")
		} else {
			any = append(any, strings.ReplaceAll(strings.ReplaceAll(test, "x IN", x+" IN"), "toString(x)", "toString("+x+")"))
		}
	}
	return "(" + strings.Join(any, "\n    OR ") + ")"
}
