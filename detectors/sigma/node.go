package sigma

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/crmwatch/crmwatch/detectors"
)

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	nullNode
	mapNode
	listNode
)

// node is a value in a YAML document, with its place.
type node struct {
	kind nodeKind
	text string
	// number: an integer or a fraction, not in quotes.
	number       bool
	line, column int
	// inner is how far after column the text begins, and -1 where its bytes are not
	// those of the file.
	inner   int
	entries []entry
	items   []*node
}

type entry struct {
	key   *node
	value *node
}

// get is a key's value, or nil.
func (n *node) get(key string) *node {
	if n != nil {
		for _, e := range n.entries {
			if e.key.text == key {
				return e.value
			}
		}
	}
	return nil
}

// document is one document of a file.
type document struct {
	file  string
	lines []string
	root  *node
}

func (d *document) at(n *node, detail, mend string) detectors.Problem {
	if n == nil {
		n = d.root
	}
	return d.place(n.line, n.column, detail, mend)
}

func (d *document) place(line, column int, detail, mend string) detectors.Problem {
	p := detectors.Problem{File: d.file, Line: line, Column: column, Detail: detail, Mend: mend}
	if line >= 1 && line <= len(d.lines) {
		p.Source = d.lines[line-1]
	}
	return p
}

// inside is a problem at a byte of a scalar's text.
func (d *document) inside(n *node, offset int, detail, mend string) detectors.Problem {
	column := n.column
	if n.inner >= 0 {
		column += n.inner + offset
	}
	return d.place(n.line, column, detail, mend)
}

// maxDepth bounds how deep values and conditions nest.
const maxDepth = 50

// documents reads the YAML of a file.
func documents(file File) ([]*document, detectors.Problems) {
	lines := strings.Split(strings.ReplaceAll(string(file.Text), "\r\n", "\n"), "\n")
	base := &document{file: file.Name, lines: lines}
	tree, err := parser.ParseBytes(file.Text, 0)
	if err != nil {
		line, column, detail := 0, 0, err.Error()
		var positioned yaml.Error
		if errors.As(err, &positioned) {
			detail = positioned.GetMessage()
			if t := positioned.GetToken(); t != nil && t.Position != nil {
				line, column = t.Position.Line, t.Position.Column
			}
		}
		return nil, detectors.Problems{base.place(line, column, detail, "mend the YAML: keys and lists are indented with spaces, and text with ': ', '#' or a leading '*' is quoted")}
	}
	var docs []*document
	var problems detectors.Problems
	for _, body := range tree.Docs {
		if body.Body == nil {
			continue
		}
		d := &document{file: file.Name, lines: lines}
		var problem *detectors.Problem
		d.root = d.convert(body.Body, 0, &problem)
		switch {
		case problem != nil:
			problems = append(problems, *problem)
		case d.root.kind == nullNode:
		default:
			docs = append(docs, d)
		}
	}
	if len(docs) == 0 && len(problems) == 0 {
		problems = detectors.Problems{base.place(1, 0, "the file holds no rule", "a Sigma rule begins with title:, logsource: and detection:")}
	}
	return docs, problems
}

// convert turns a syntax tree into nodes; the first thing that cannot be turned is
// the problem.
func (d *document) convert(in ast.Node, depth int, problem **detectors.Problem) *node {
	out := &node{kind: nullNode, line: 1, column: 1, inner: -1}
	if in == nil {
		return out
	}
	t := in.GetToken()
	if t != nil && t.Position != nil {
		out.line, out.column = t.Position.Line, t.Position.Column
	}
	fail := func(detail, mend string) *node {
		if *problem == nil {
			p := d.at(out, detail, mend)
			*problem = &p
		}
		return out
	}
	if depth > maxDepth {
		return fail("the values are nested too deep", "a Sigma rule nests a few levels")
	}
	switch in := in.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		out.kind, out.text = scalarNode, in.Value
		out.inner = innerOffset(d, out, t)
	case *ast.LiteralNode:
		out.kind, out.text = scalarNode, in.Value.Value
	case *ast.IntegerNode, *ast.FloatNode:
		out.kind, out.text, out.number = scalarNode, t.Value, true
	case *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = scalarNode, t.Value
	case *ast.MappingNode:
		out.kind = mapNode
		for _, value := range in.Values {
			d.add(out, value, depth, problem)
		}
	case *ast.MappingValueNode:
		out.kind = mapNode
		d.add(out, in, depth, problem)
	case *ast.SequenceNode:
		out.kind = listNode
		for _, value := range in.Values {
			out.items = append(out.items, d.convert(value, depth+1, problem))
		}
	default:
		return fail("anchors, aliases, tags and merges are not read", "write the value out")
	}
	return out
}

func (d *document) add(to *node, in *ast.MappingValueNode, depth int, problem **detectors.Problem) {
	key := d.convert(in.Key, depth+1, problem)
	if key.kind != scalarNode && *problem == nil {
		p := d.at(key, "a key is not text", "write it in quotes")
		*problem = &p
	}
	if to.get(key.text) != nil && *problem == nil {
		p := d.at(key, "the key "+key.text+" stands twice", "keep one of the two")
		*problem = &p
	}
	if len(to.entries) == 0 {
		to.line, to.column = key.line, key.column
	}
	to.entries = append(to.entries, entry{key, d.convert(in.Value, depth+1, problem)})
}

// innerOffset finds a scalar's text in its line: after a quote, or where it begins.
func innerOffset(d *document, n *node, t *token.Token) int {
	if n.line < 1 || n.line > len(d.lines) || n.column < 1 || n.column > len(d.lines[n.line-1]) {
		return -1
	}
	rest := d.lines[n.line-1][n.column-1:]
	quote := 0
	if t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType {
		quote = 1
	}
	if len(rest) < quote || !strings.HasPrefix(rest[quote:], n.text) {
		return -1
	}
	return quote
}
