package sigma

import (
	"regexp"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

// rule is a Sigma rule: a detection or a correlation.
type rule struct {
	doc                                  *document
	node                                 *node
	id, name, title, description, author string
	status, level                        string
	references, attack, falsePositives   []string
	logsource                            *node
	detection                            *node
	correlation                          *correlation
	// used: a correlation refers to the rule. generate: it is to stand alone all the
	// same.
	used, generate bool
	compiled       *detection
	broken         bool
}

var attackTag = regexp.MustCompile(`^attack\.(t\d{4}(?:\.\d{3})?)$`)

var levels = map[string]string{"informational": "informational", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}

// read reads the documents of a file into the set.
func (s *ruleSet) read(file File) {
	docs, problems := documents(file)
	s.problems = append(s.problems, problems...)
	for _, doc := range docs {
		before := len(s.problems)
		r := s.readRule(doc)
		if len(s.problems) > before || r == nil {
			continue
		}
		s.rules = append(s.rules, r)
		for _, name := range []string{r.id, r.name} {
			if name == "" {
				continue
			}
			if other, taken := s.byName[name]; taken {
				s.problem(doc, doc.root, "the name "+name+" is also that of "+other.title, "give each rule an id and a name of its own")
				continue
			}
			s.byName[name] = r
		}
	}
}

func (s *ruleSet) readRule(doc *document) *rule {
	root := doc.root
	if root.kind != mapNode {
		s.problem(doc, root, "a mapping belongs here", "a Sigma rule begins with title:, logsource: and detection:")
		return nil
	}
	if action := root.get("action"); action != nil {
		s.problem(doc, action, "rule collections with action: are not read", "write each rule whole, divided by ---")
		return nil
	}
	r := &rule{doc: doc, node: root}
	for key, to := range map[string]*string{
		"id": &r.id, "name": &r.name, "title": &r.title, "description": &r.description, "author": &r.author, "status": &r.status, "level": &r.level,
	} {
		*to = strings.TrimSpace(s.text(doc, root.get(key)))
	}
	r.references = s.texts(doc, root.get("references"))
	r.falsePositives = s.texts(doc, root.get("falsepositives"))
	for _, tag := range s.texts(doc, root.get("tags")) {
		if m := attackTag.FindStringSubmatch(strings.ToLower(tag)); m != nil {
			r.attack = append(r.attack, strings.ToUpper(m[1]))
		}
	}
	if r.title == "" {
		s.problem(doc, root, "title is missing", "say in a few words what the rule finds")
	}
	if r.level != "" && levels[r.level] == "" {
		s.problem(doc, root.get("level"), "level "+r.level+" is not known", "use informational, low, medium, high or critical")
	}
	r.logsource, r.detection = root.get("logsource"), root.get("detection")
	if c := root.get("correlation"); c != nil {
		if r.detection != nil {
			s.problem(doc, root.get("detection"), "a correlation has no detection of its own", "put the detection into a rule of its own, divided by ---, and name it under rules:")
		}
		r.correlation = s.readCorrelation(r, c)
		return r
	}
	if r.detection == nil || r.detection.kind != mapNode {
		s.problem(doc, r.detection, "detection is missing, or no mapping", "write selections and a condition under detection:")
	}
	if r.logsource == nil || r.logsource.kind != mapNode {
		s.problem(doc, r.logsource, "logsource is missing, or no mapping", "write product:, service: or category: under logsource:")
	}
	return r
}

// text is a scalar's text; nothing stands for a missing one.
func (s *ruleSet) text(doc *document, n *node) string {
	if n == nil || n.kind == nullNode {
		return ""
	}
	if n.kind != scalarNode {
		s.problem(doc, n, "a list or mapping stands where text belongs", "write one text")
	}
	return n.text
}

// texts is a list of texts, or one text.
func (s *ruleSet) texts(doc *document, n *node) []string {
	if n == nil || n.kind == nullNode {
		return nil
	}
	if n.kind != listNode {
		return []string{s.text(doc, n)}
	}
	var out []string
	for _, item := range n.items {
		if text := s.text(doc, item); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// severity is crmwatch's for the rule's level.
func (r *rule) severity(notes *detectors.Problems) string {
	if r.level == "" {
		*notes = append(*notes, r.doc.at(r.node, "the rule has no level; medium is assumed", "write level: low, or another"))
		return "medium"
	}
	return levels[r.level]
}
