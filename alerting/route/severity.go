package route

import (
	"errors"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Severities are the severities that are meant: a name, a comparison such as
// ">= high", or a list of either, of which one must hold.
type Severities []string

// UnmarshalYAML reads one condition or a list of them.
func (s *Severities) UnmarshalYAML(read func(any) error) error {
	var list Patterns
	if err := list.UnmarshalYAML(read); err != nil {
		return errors.New(`write a severity, such as ">= high"`)
	}
	*s = Severities(list)
	return nil
}

// severitySet has a bit for each severity.
type severitySet uint8

const everySeverity = severitySet(0xff)

func (s severitySet) has(severity schema.Severity) bool { return s&(1<<severity) != 0 }

func (s Severities) compile() (severitySet, error) {
	if len(s) == 0 {
		return everySeverity, nil
	}
	var set severitySet
	for _, text := range s {
		one, err := compareSeverity(text)
		if err != nil {
			return 0, err
		}
		set |= one
	}
	return set, nil
}

func compareSeverity(text string) (set severitySet, err error) {
	name := strings.TrimSpace(text)
	operator := "="
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, found := strings.CutPrefix(name, op); found {
			operator, name = op, strings.TrimSpace(rest)
			break
		}
	}
	limit, known := schema.ParseSeverity(strings.ToLower(name))
	if !known {
		return 0, fmt.Errorf(`the severity %q is not known: use informational, low, medium, high or critical, also with >=, >, <= or < before it, such as ">= high"`, text)
	}
	for severity := schema.SeverityInformational; severity <= schema.SeverityCritical; severity++ {
		holds := severity == limit
		switch operator {
		case ">=":
			holds = severity >= limit
		case ">":
			holds = severity > limit
		case "<=":
			holds = severity <= limit
		case "<":
			holds = severity < limit
		}
		if holds {
			set |= 1 << severity
		}
	}
	if set == 0 {
		return 0, fmt.Errorf("no severity is %s: the severities are informational, low, medium, high and critical", strings.TrimSpace(text))
	}
	return set, nil
}
