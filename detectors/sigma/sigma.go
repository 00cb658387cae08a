// Package sigma compiles Sigma rules into rule files of crmwatch: single rules, and
// the correlations event_count, value_count, temporal and temporal_ordered. It takes
// bytes and gives bytes; what it writes is read, validated and tested like any rule.
//
// Sources: the Sigma rules, modifiers and correlation rules specifications, 2.x.
package sigma

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// File is one Sigma file; it may hold several documents.
type File struct {
	Name string
	Text []byte
}

// Options are what Compile may be told; the zero value is complete.
type Options struct {
	// Taken are the ids that other rules have.
	Taken []string
	// Logsources go before the built-in ones: see ParseLogsources.
	Logsources []Logsource
}

// Compiled is one rule file of crmwatch.
type Compiled struct {
	ID, Title string
	// Source is the place of the Sigma rule, as file:line.
	Source string
	Text   []byte
	// Notes say what was assumed, each with its place and what to do about it.
	Notes detectors.Problems
	// Missing names the tests that could not be written; until they are, the rule
	// file does not validate.
	Missing []string
}

// maxQuery bounds the SQL of one rule, in bytes.
const maxQuery = 100_000

// Compile compiles a set of files, whose correlations may refer to each other's
// rules. Rules that are right come back even when others are not; the error is then
// detectors.Problems and lists every mistake. A rule that a correlation refers to
// becomes a rule of its own only if the correlation says generate: true.
func Compile(files []File, options Options) ([]Compiled, error) {
	set := &ruleSet{options: options, byName: map[string]*rule{}}
	for _, file := range files {
		set.read(file)
	}
	set.link()
	var out []Compiled
	for _, r := range set.rules {
		if r.used && !r.generate {
			continue
		}
		before := len(set.problems)
		compiled := set.compile(r)
		// A correlation whose references have mistakes gives no text and no new problem.
		if len(set.problems) == before && compiled.Text != nil {
			out = append(out, compiled)
		}
	}
	if len(set.problems) > 0 {
		return out, set.ordered()
	}
	return out, nil
}

// ruleSet is everything that is compiled together.
type ruleSet struct {
	options  Options
	rules    []*rule
	byName   map[string]*rule
	problems detectors.Problems
	ids      []string
}

func (s *ruleSet) ordered() detectors.Problems {
	slices.SortStableFunc(s.problems, func(a, b detectors.Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(s.problems)
}

// compile makes the rule file; mistakes become problems of the set.
func (s *ruleSet) compile(r *rule) Compiled {
	var d *draft
	if r.correlation != nil {
		d = s.correlate(r)
	} else {
		d = s.single(r)
	}
	if d == nil {
		return Compiled{}
	}
	d.id = s.newID(r)
	if len(d.query) > maxQuery {
		s.problem(r.doc, r.node, fmt.Sprintf("the SQL of the rule would have %d bytes, more than %d", len(d.query), maxQuery), "split the rule, or shorten its lists")
		return Compiled{}
	}
	text := d.text()
	if _, err := detectors.Parse(d.id+".yaml", text); err != nil && len(d.missing) == 0 {
		s.problem(r.doc, r.node, "the compiled rule cannot be read: "+err.Error(), "please report this rule")
		return Compiled{}
	}
	return Compiled{ID: d.id, Title: d.title, Source: fmt.Sprintf("%s:%d", r.doc.file, r.node.line), Text: text, Notes: slices.Compact(d.notes), Missing: d.missing}
}

// newID makes an id of the title that no other rule has.
func (s *ruleSet) newID(r *rule) string {
	words := strings.FieldsFunc(strings.ToLower(r.title), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	id := ""
	for _, word := range words {
		if len(id)+len(word) > 60 {
			break
		}
		id = strings.TrimPrefix(id+"-"+word, "-")
	}
	if id == "" {
		id = "sigma-rule"
	}
	taken := func(id string) bool { return slices.Contains(s.ids, id) || slices.Contains(s.options.Taken, id) }
	if taken(id) && !strings.HasPrefix(id, "sigma-") {
		id = "sigma-" + id
	}
	for n, stem := 2, id; taken(id); n++ {
		id = fmt.Sprintf("%s-%d", stem, n)
	}
	s.ids = append(s.ids, id)
	return id
}

func (s *ruleSet) problem(d *document, n *node, detail, mend string) {
	s.problems = append(s.problems, d.at(n, detail, mend))
}
