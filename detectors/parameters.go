package detectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// WithParameters is the rule with other values for some of its parameters. The
// error names a parameter that the rule does not have, or a value that does not
// fit the parameter's type.
func (r Rule) WithParameters(values map[string]any) (Rule, error) {
	if r.inFile == nil {
		r.inFile = r.Params
	}
	r.Params = slices.Clone(r.Params)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i := slices.IndexFunc(r.Params, func(p Param) bool { return p.Name == name })
		if i < 0 {
			return Rule{}, fmt.Errorf("rule %s has no parameter %q: it has %s", r.ID, name, r.paramNames())
		}
		value, err := paramValue(r.Params[i].Type, values[name])
		if err != nil {
			return Rule{}, fmt.Errorf("parameter %s of rule %s: %w", name, r.ID, err)
		}
		r.Params[i].Value = value
	}
	return r, nil
}

// untuned is the rule with the parameters of its file, and without exceptions.
func (r Rule) untuned() Rule {
	if r.inFile != nil {
		r.Params = r.inFile
	}
	r.Exceptions = nil
	return r
}

func (r Rule) paramNames() string {
	names := make([]string, len(r.Params))
	for i, p := range r.Params {
		names[i] = p.Name
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
