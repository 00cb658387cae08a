package posture

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/detectors"
)

//go:embed shared.yaml
var sharedText []byte

// Shared is what the checks have in common: subqueries that tell who is who, and the
// parameters by which they tell.
type Shared struct {
	Params     []detectors.Param
	Subqueries []Subquery
}

// Subquery can be read by a check's query under its name. It may read those before it.
type Subquery struct {
	Name, About, SQL string
	word             *regexp.Regexp
}

type sharedFile struct {
	Params     map[string]detectors.ParamFile `yaml:"params"`
	Subqueries []struct {
		Name  string `yaml:"name"`
		About string `yaml:"about"`
		SQL   string `yaml:"sql"`
	} `yaml:"subqueries"`
}

// SharedID is the name under which the configuration sets the shared parameters.
const SharedID = "shared"

// BuiltinShared reads what ships with crmwatch.
func BuiltinShared() (Shared, error) {
	var f sharedFile
	sheet, err := detectors.ReadSheet("shared.yaml", sharedText, &f)
	if err != nil {
		return Shared{}, err
	}
	shared := Shared{Params: sheet.Params(f.Params)}
	for _, s := range f.Subqueries {
		shared.Subqueries = append(shared.Subqueries, Subquery{s.Name, oneLine(s.About), strings.TrimRight(s.SQL, "\n"), regexp.MustCompile(`\b` + regexp.QuoteMeta(s.Name) + `\b`)})
	}
	return shared, sheet.Err()
}

// WithParameters is the shared part with other values for some of its parameters.
func (s Shared) WithParameters(values map[string]any) (Shared, error) {
	params, err := withValues(s.Params, values)
	if err != nil {
		return Shared{}, fmt.Errorf("%s: %w", SharedID, err)
	}
	s.Params = params
	return s, nil
}

// with puts the shared subqueries that a query reads, and those that they read, before it.
func (s Shared) with(query string) string {
	var used []string
	text := query
	for _, sub := range slices.Backward(s.Subqueries) {
		if sub.word.MatchString(text) {
			used = append(used, sub.Name+" AS\n(\n"+sub.SQL+"\n)")
			text += "\n" + sub.SQL
		}
	}
	if len(used) == 0 {
		return query
	}
	slices.Reverse(used)
	return "WITH\n" + strings.Join(used, ",\n") + "\nSELECT * FROM\n(\n" + query + "\n)"
}
