package sigma

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// word is one word of a condition: a name, a parenthesis or a bar.
type word struct {
	text   string
	offset int
}

func splitCondition(text string) []word {
	var words []word
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '(' || c == ')' || c == '|':
			words = append(words, word{text[i : i+1], i})
			i++
		default:
			end := i
			for end < len(text) && strings.IndexByte(" \t\r\n()|", text[end]) < 0 {
				end++
			}
			words = append(words, word{text[i:end], i})
			i = end
		}
	}
	return words
}

// conditionParser reads a condition. 'of' binds closest, then not, and, or.
type conditionParser struct {
	reader *reader
	node   *node
	words  []word
	next   int
	depth  int
	failed bool
}

// conditions reads the condition; of a list of conditions one is enough.
func (rd *reader) conditions(n *node) *term {
	if n == nil || n.kind == nullNode {
		rd.problem(rd.rule.detection, "condition is missing", "write for example condition: selection and not filter")
		return &term{}
	}
	if n.kind == listNode && len(n.items) > 0 {
		var terms []*term
		for _, item := range n.items {
			terms = append(terms, rd.condition(item))
		}
		return join(isOr, terms...)
	}
	return rd.condition(n)
}

func (rd *reader) condition(n *node) *term {
	p := &conditionParser{reader: rd, node: n, words: splitCondition(n.text)}
	if n.kind != scalarNode || len(p.words) == 0 {
		rd.problem(n, "the condition is no text", "write for example condition: selection and not filter")
		return &term{}
	}
	t := p.or()
	if !p.failed && p.next < len(p.words) {
		if p.words[p.next].text == "|" {
			p.fail("aggregations in a condition are not read", "write a correlation rule of type event_count or value_count")
		} else {
			p.fail("the condition ends before "+p.words[p.next].text, "put and, or, or a parenthesis before it")
		}
	}
	return t
}

func (p *conditionParser) fail(detail, mend string) *term {
	if !p.failed {
		offset := len(p.node.text)
		if p.next < len(p.words) {
			offset = p.words[p.next].offset
		}
		p.reader.set.problems = append(p.reader.set.problems, p.reader.rule.doc.inside(p.node, offset, detail, mend))
	}
	p.failed = true
	return &term{}
}

// peek is the next word in lower case, or nothing at the end.
func (p *conditionParser) peek() string {
	if p.next < len(p.words) {
		return strings.ToLower(p.words[p.next].text)
	}
	return ""
}

func (p *conditionParser) or() *term {
	terms := []*term{p.and()}
	for p.peek() == "or" && !p.failed {
		p.next++
		terms = append(terms, p.and())
	}
	return join(isOr, terms...)
}

func (p *conditionParser) and() *term {
	terms := []*term{p.not()}
	for p.peek() == "and" && !p.failed {
		p.next++
		terms = append(terms, p.not())
	}
	return join(isAnd, terms...)
}

func (p *conditionParser) not() *term {
	if p.depth++; p.depth > maxDepth {
		return p.fail("the condition is nested too deep", "write it simpler")
	}
	defer func() { p.depth-- }()
	if p.peek() == "not" {
		p.next++
		return negate(p.not())
	}
	return p.primary()
}

func (p *conditionParser) primary() *term {
	switch text := p.peek(); text {
	case "":
		return p.fail("the condition ends where a selection belongs", "name a selection")
	case "(":
		p.next++
		t := p.or()
		if p.peek() != ")" {
			return p.fail("a parenthesis is not closed", "write )")
		}
		p.next++
		return t
	case ")", "|", "and", "or", "of":
		return p.fail(fmt.Sprintf("%q stands where a selection belongs", text), "name a selection")
	default:
		if p.next+1 < len(p.words) && strings.EqualFold(p.words[p.next+1].text, "of") {
			return p.quantity(text)
		}
	}
	name := p.words[p.next].text
	t, known := p.reader.named[name]
	if !known {
		return p.fail("no selection is named "+name, "selections are "+strings.Join(p.reader.names, ", "))
	}
	p.next++
	return t
}

// quantity reads '1 of them', 'all of name*' and the like.
func (p *conditionParser) quantity(much string) *term {
	n, err := strconv.Atoi(much)
	if much == "any" {
		n = 1
	} else if much != "all" && (err != nil || n < 1) {
		return p.fail(fmt.Sprintf("%q is no quantity", much), "write 1 of, 2 of, any of or all of")
	}
	quantity := p.next
	p.next += 2
	if p.next >= len(p.words) {
		return p.fail("the condition ends where names belong", "write them, or a name with *")
	}
	wanted := p.words[p.next].text
	var terms []*term
	for _, name := range p.reader.names {
		fits := strings.EqualFold(wanted, "them") && !strings.HasPrefix(name, "_")
		if ok, err := path.Match(wanted, name); fits || err == nil && ok {
			terms = append(terms, p.reader.named[name])
		}
	}
	if len(terms) == 0 {
		return p.fail("no selection is named like "+wanted, "selections are "+strings.Join(p.reader.names, ", "))
	}
	p.next++
	switch {
	case much == "all" || n == len(terms):
		return join(isAnd, terms...)
	case n > len(terms):
		p.next = quantity
		return p.fail(fmt.Sprintf("%d of %d selections can never be", n, len(terms)), "ask for fewer")
	case n == 1:
		return join(isOr, terms...)
	}
	return &term{op: isAtLeast, n: n, terms: terms}
}
