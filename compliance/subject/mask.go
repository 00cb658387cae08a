package subject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// otherPerson and otherPlace stand in an export where other people do.
const (
	otherPerson = "(another person)"
	otherPlace  = "(another person's)"
)

// staff are the columns that name those who work with crmwatch.
var staff = map[string]bool{
	"actor": true, "author": true, "ended_by": true, "status_by": true, "made_by": true, "created_by": true, "released_by": true, "applied_by": true,
}

var anyAddress = regexp.MustCompile(`[\pL\pN._+\-]+(?:@|%40)[\pL\pN\-]+(?:\.[\pL\pN\-]+)+`)

// mask takes other people out of rows: those whom the row names in a column of its own,
// and e-mail addresses wherever they stand. Other names in texts are not known as such.
type mask struct {
	subject Subject
	words   *regexp.Regexp
}

func newMask(s Subject) (mask, error) {
	re, err := s.find()
	return mask{s, re}, err
}

func (m mask) row(line string, l layout) (string, error) {
	var row map[string]any
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&row); err != nil {
		return "", fmt.Errorf("decode row: %w", err)
	}
	acts := l.name != "events"
	for _, name := range actorColumns {
		value, _ := row[name].(string)
		acts = acts || m.subject.Has(value)
	}
	// Whom else the row names, as words to look for in its texts.
	others := map[string]*regexp.Regexp{}
	for _, c := range l.columns {
		value, is := row[c.name].(string)
		if c.use == identity && is && value != "" && !m.subject.Has(value) {
			row[c.name] = otherPerson
			if len(value) >= minWord {
				if re, err := regexp.Compile((Identifier{Kind: Name, Value: value}).pattern()); err == nil {
					others[value] = re
				}
			}
		}
	}
	var clean func(v any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case string:
			for _, re := range others {
				v = re.ReplaceAllString(re.ReplaceAllString(v, "${1}"+otherPerson+"${2}"), "${1}"+otherPerson+"${2}")
			}
			return anyAddress.ReplaceAllStringFunc(v, func(address string) string {
				if m.words.MatchString(address) {
					return address
				}
				return otherPerson
			})
		case []any:
			for i := range v {
				v[i] = clean(v[i])
			}
			return v
		case map[string]any:
			for key := range v {
				v[key] = clean(v[key])
			}
			return v
		}
		return v
	}
	for _, c := range l.columns {
		value, is := row[c.name].(string)
		switch {
		case is && value != "" && staff[c.name] && !m.words.MatchString(value):
			row[c.name] = otherPerson
		case c.use == text:
			row[c.name] = clean(row[c.name])
		case (c.use == place || c.use == tool) && !acts && is && value != "":
			row[c.name] = otherPlace
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(row); err != nil {
		return "", fmt.Errorf("encode row: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
