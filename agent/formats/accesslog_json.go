package formats

import (
	"errors"
	"math/bits"
	"strings"

	"github.com/zeebo/xxh3"
)

// jsonObjects scans JSON objects into leaves: each value that is no object, with
// the path of names that leads to it. It knows the names that it has seen and
// expects them in the same order again, so that a name costs one comparison. It
// forgives what loggers get wrong: a missing value ("status":,), a bare list of
// numbers (0.1, 0.2), bytes written as \xHH, control characters in strings.
type jsonObjects struct {
	// leaves are those of the last object. They are valid until the next call, and
	// point into its data or into scratch.
	leaves []jsonLeaf
	// newlines is how many lines end inside the last object.
	newlines int
	// repeated: a name stood twice in one object of the last object.
	repeated bool
	// classify gives the decoder's number for a path, once for each path.
	classify func(path string) int

	root    *jsonNode
	nodes   int
	serial  uint64
	scratch []byte
	data    []byte
	at      int
}

// jsonLeaf is one value: the text of a string without its escapes, a number, true
// or false as they stand, an array as compact JSON. null and {} are "".
type jsonLeaf struct {
	node *jsonNode
	text string
}

// jsonNode is a name in an object, and so a path from the top.
type jsonNode struct {
	name, path string
	parent     *jsonNode
	children   map[string]*jsonNode
	// first is the name that came first in this object last time, and next the one
	// that came behind this name.
	first, next *jsonNode
	field       int
	seed        uint64
	// In object number serial, this node's value is leaves[leaf].
	serial uint64
	leaf   int
}

const (
	maxJSONDepth = 32
	// maxJSONNodes is how many paths are remembered before all are forgotten:
	// clients choose the names of headers.
	maxJSONNodes = 4096
	// maxJSONLeaves is how many values one object may have.
	maxJSONLeaves = 10000
)

// errJSONCut says that the data ends inside an object.
var errJSONCut = errors.New("the object is not closed")

var (
	errJSONDepth  = errors.New("objects are nested more than 32 deep")
	errJSONLeaves = errors.New("the object has more than 10000 values")
	errJSONName   = errors.New(`expected a name in quotes, or "}"`)
	errJSONColon  = errors.New(`expected ":" behind a name`)
	errJSONComma  = errors.New(`expected "," or "}" behind a value`)
	errJSONValue  = errors.New("expected a value")
	errJSONLine   = errors.New("the line ends inside a string")
)

// object scans the object at the start of data, and returns its length; with an
// error, the place of it.
func (o *jsonObjects) object(data []byte) (n int, err error) {
	if o.root == nil || o.nodes > maxJSONNodes {
		o.root, o.nodes = &jsonNode{}, 0
	}
	o.leaves, o.scratch, o.newlines, o.repeated = o.leaves[:0], o.scratch[:0], 0, false
	o.data, o.at = data, 1
	o.serial++
	err = o.scan()
	o.data = nil
	return o.at, err
}

func (o *jsonObjects) scan() error {
	in, expected, depth, first := o.root, &o.root.first, 1, true
	for {
		c := o.skip()
		if c == '}' && first {
			o.at++
		} else {
			if !first {
				switch c {
				case ',':
					o.at++
					c = o.skip()
				case '}':
				case 0:
					return o.cutOr(errJSONComma)
				default:
					return errJSONComma
				}
			}
			if c != '}' {
				node, err := o.name(in, expected)
				if err != nil {
					return err
				}
				expected, first = &node.next, false
				if o.skip() != '{' {
					if err := o.value(node); err != nil {
						return err
					}
					continue
				}
				if depth++; depth > maxJSONDepth {
					return errJSONDepth
				}
				o.at++
				in, expected, first = node, &node.first, true
				continue
			}
			o.at++
		}
		if depth--; depth == 0 {
			return nil
		}
		in, expected, first = in.parent, &in.next, false
	}
}

// cutOr is errJSONCut at the end of the data, and err before it.
func (o *jsonObjects) cutOr(err error) error {
	if o.at >= len(o.data) {
		return errJSONCut
	}
	return err
}

// skip passes over white space and returns what stands behind it; 0 at the end.
func (o *jsonObjects) skip() byte {
	for o.at < len(o.data) {
		c := o.data[o.at]
		switch c {
		case '\n':
			o.newlines++
		case ' ', '\t', '\r':
		default:
			return c
		}
		o.at++
	}
	return 0
}

// name reads a name and its colon, and finds its node among those of in.
func (o *jsonObjects) name(in *jsonNode, expected **jsonNode) (*jsonNode, error) {
	if o.at >= len(o.data) || o.data[o.at] != '"' {
		return nil, o.cutOr(errJSONName)
	}
	node := *expected
	if node != nil {
		end := o.at + 1 + len(node.name)
		if end+1 < len(o.data) && o.data[end] == '"' && o.data[end+1] == ':' && string(o.data[o.at+1:end]) == node.name {
			o.at = end + 2
			return node, nil
		}
	}
	name, err := o.text()
	if err != nil {
		return nil, err
	}
	if o.skip() != ':' {
		return nil, o.cutOr(errJSONColon)
	}
	o.at++
	node = in.children[name]
	if node == nil {
		node = o.newNode(in, strings.Clone(name))
	}
	*expected = node
	return node, nil
}

func (o *jsonObjects) newNode(in *jsonNode, name string) *jsonNode {
	path := name
	if in != o.root {
		path = in.path + "." + name
	}
	node := &jsonNode{name: name, path: path, parent: in, field: o.classify(path), seed: xxh3.HashString(path)}
	if strings.IndexByte(name, '\\') >= 0 || strings.IndexByte(name, '"') >= 0 {
		node.name = "\n" // it is written in another way than it reads: never expect it
	}
	if in.children == nil {
		in.children = map[string]*jsonNode{}
	}
	in.children[name] = node
	o.nodes++
	return node
}

// value reads a value that is no object into a leaf.
func (o *jsonObjects) value(node *jsonNode) error {
	if o.at >= len(o.data) {
		return errJSONCut
	}
	var text string
	var err error
	switch o.data[o.at] {
	case '"':
		text, err = o.text()
	case '[':
		text, err = o.array()
	default:
		text, err = o.bare()
	}
	if err != nil {
		return err
	}
	if node.serial == o.serial {
		o.leaves[node.leaf].text = text // a name that stands twice: the last one counts
		o.repeated = true
		return nil
	}
	if len(o.leaves) == maxJSONLeaves {
		return errJSONLeaves
	}
	node.serial, node.leaf = o.serial, len(o.leaves)
	o.leaves = append(o.leaves, jsonLeaf{node, text})
	return nil
}

// hash is the identity of the last object's names and values. Their order and how
// values are quoted do not matter, and empty values do not count.
func (o *jsonObjects) hash() (sum xxh3.Uint128) {
	for i := range o.leaves {
		leaf := &o.leaves[i]
		if leaf.text == "" {
			continue
		}
		h := xxh3.HashString128Seed(leaf.text, leaf.node.seed)
		var carry uint64
		sum.Lo, carry = bits.Add64(sum.Lo, h.Lo, 0)
		sum.Hi, _ = bits.Add64(sum.Hi, h.Hi, carry)
	}
	return sum
}
