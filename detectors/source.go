package detectors

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// source is a rule file's text and tree, kept to say where a problem is.
type source struct {
	file  string
	lines []string
	root  ast.Node
}

func newSource(file string, text []byte) *source {
	return &source{file: file, lines: strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")}
}

// problem is a problem at a path of keys (string) and indexes (int); where the
// path ends early, the last node that exists is meant.
func (s *source) problem(detail, mend string, path ...any) Problem {
	line, column := s.position(path...)
	return s.at(line, column, detail, mend)
}

func (s *source) at(line, column int, detail, mend string) Problem {
	p := Problem{File: s.file, Line: line, Column: column, Detail: detail, Mend: mend}
	if line >= 1 && line <= len(s.lines) {
		p.Source = s.lines[line-1]
	}
	return p
}

func (s *source) atToken(t *token.Token, detail, mend string) Problem {
	if t == nil || t.Position == nil {
		return s.at(0, 0, detail, mend)
	}
	return s.at(t.Position.Line, t.Position.Column, detail, mend)
}

func (s *source) position(path ...any) (line, column int) {
	if s.root == nil {
		return 0, 0
	}
	t := s.root.GetToken()
	node := s.root
	for _, step := range path {
		key, value := child(node, step)
		if value == nil {
			break
		}
		node = value
		switch {
		case key != nil && isCollection(value):
			t = key.GetToken()
		default:
			t = value.GetToken()
		}
	}
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// keyPosition is where the last key of the path itself stands.
func (s *source) keyPosition(path ...any) (line, column int) {
	node := s.root
	var t *token.Token
	for _, step := range path {
		if node == nil {
			break
		}
		key, value := child(node, step)
		if key != nil {
			t = key.GetToken()
		}
		node = value
	}
	if t == nil || t.Position == nil {
		return s.position(path...)
	}
	return t.Position.Line, t.Position.Column
}

func child(node ast.Node, step any) (key, value ast.Node) {
	switch step := step.(type) {
	case string:
		for _, entry := range entries(node) {
			if name := entry.Key.GetToken(); name != nil && name.Value == step {
				return entry.Key, entry.Value
			}
		}
	case int:
		if list, ok := node.(*ast.SequenceNode); ok && step < len(list.Values) {
			return nil, list.Values[step]
		}
	}
	return nil, nil
}

func entries(node ast.Node) []*ast.MappingValueNode {
	switch node := node.(type) {
	case *ast.MappingNode:
		return node.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{node}
	}
	return nil
}

func isCollection(node ast.Node) bool {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.LiteralNode:
		return true
	}
	return false
}

// scalarPosition maps a place inside a scalar (line and column from 1) to the
// file. A block scalar begins on the line after its key, indented.
func (s *source) scalarPosition(line, column int, path ...any) (int, int) {
	node := s.root
	for _, step := range path {
		if node == nil {
			return 0, 0
		}
		_, node = child(node, step)
	}
	if node == nil {
		return s.position(path...)
	}
	literal, ok := node.(*ast.LiteralNode)
	if !ok {
		return s.position(path...)
	}
	first := literal.Start.Position.Line
	indent := 0
	for _, text := range s.lines[min(first, len(s.lines)):] {
		if trimmed := strings.TrimLeft(text, " "); trimmed != "" {
			indent = len(text) - len(trimmed)
			break
		}
	}
	return first + line, indent + column
}
