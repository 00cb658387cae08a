package compliance

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// parameters are what queries may use.
var parameters = map[string]string{"from": "DateTime64(3)", "to": "DateTime64(3)", "tenant": "String"}

// sqlComments are at the beginning of a query.
var sqlComments = regexp.MustCompile(`^(\s+|--[^\n]*(\n|$)|/\*(?s:.*?)\*/)+`)

var placeholder = regexp.MustCompile(`\{\s*(\w+)\s*:\s*([^{}]*?)\s*\}`)

// query checks what can be known of a query without an engine.
func (c *statementCheck) query(at, query string) {
	at += ".query"
	if strings.TrimSpace(query) == "" {
		c.fail(at, "the statement has no query", "write query: | and a SELECT below it")
		return
	}
	if first, _, _ := strings.Cut(strings.ToUpper(strings.TrimLeft(sqlComments.ReplaceAllString(query, ""), " \n\t(")), " "); !strings.HasPrefix(first, "SELECT") && !strings.HasPrefix(first, "WITH") {
		c.fail(at, "the query does not begin with SELECT or WITH", "statements only read")
	}
	used := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatchIndex(query, -1) {
		name, kind := query[m[2]:m[3]], query[m[4]:m[5]]
		used[name] = true
		line, column := c.inBlock(at, query, m[0])
		switch want, known := parameters[name]; {
		case !known:
			c.failAt(line, column, fmt.Sprintf("the query uses parameter %s, which there is not", name), "use {from:DateTime64(3)}, {to:DateTime64(3)} or {tenant:String}")
		case strings.ReplaceAll(kind, " ", "") != want:
			c.failAt(line, column, fmt.Sprintf("the query uses parameter %s as %s", name, kind), fmt.Sprintf("write {%s:%s}", name, want))
		}
	}
	// What is as it is now, such as the rules in use, need not depend on a period.
	if used["from"] != used["to"] && !used["to"] {
		c.fail(at, "the query has a beginning and no end", "bound it with < {to:DateTime64(3)} as well")
	}
}

// inBlock is where an offset in a block of text stands in the file.
func (c *statementCheck) inBlock(at, text string, offset int) (line, column int) {
	line, column = c.position(at)
	before := text[:offset]
	wanted := strings.TrimSpace(text[strings.LastIndexByte(before, '\n')+1:])
	wanted, _, _ = strings.Cut(wanted, "\n")
	for i := line; i <= len(c.lines); i++ {
		if source := c.source(i); wanted != "" && strings.Contains(source, wanted) {
			inLine := offset - (strings.LastIndexByte(before, '\n') + 1)
			return i, strings.Index(source, wanted) + inLine - leading(text, offset) + 1
		}
	}
	return line, column
}

// leading counts the spaces before the text of the offset's line.
func leading(text string, offset int) int {
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	line := text[start:]
	return len(line) - len(strings.TrimLeft(line, " \t"))
}

// literal is the query with the values of its parameters written into it, for people
// who want to ask again. Nothing runs it.
func literal(query, tenant string, p Period) string {
	return placeholder.ReplaceAllStringFunc(query, func(match string) string {
		switch placeholder.FindStringSubmatch(match)[1] {
		case "from":
			return literalTime(p.From)
		case "to":
			return literalTime(p.To)
		case "tenant":
			return literalText(tenant)
		}
		return match
	})
}

func literalTime(t time.Time) string {
	return "toDateTime64('" + t.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}

var textEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)

func literalText(text string) string { return "'" + textEscapes.Replace(text) + "'" }
