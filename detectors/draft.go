package detectors

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// maxEvidence is how many events a finding names.
const maxEvidence = 50

// maxListed is how many entries of a list a text shows.
const maxListed = 10

// draft is a finding whose entity has no name yet, and so no message.
type draft struct {
	finding schema.Finding
	// values are what the message can say, by name.
	values map[string]string
	// message is said in place of the rule's, if it is not empty.
	message string
}

// draftsOf turns the rows of a query rule into drafts. Rows of one entity become
// one: the rule's identity of a finding is entity and window.
func draftsOf(rule Rule, window Window, records []record) ([]draft, error) {
	byUID := map[schema.UID]int{}
	var drafts []draft
	for _, row := range records {
		d, err := draftOf(rule, window, row)
		if err != nil {
			return nil, err
		}
		if i, twice := byUID[d.finding.UID]; twice {
			drafts[i] = joinDrafts(drafts[i], d)
			continue
		}
		byUID[d.finding.UID] = len(drafts)
		drafts = append(drafts, d)
	}
	return drafts, nil
}

func draftOf(rule Rule, window Window, row record) (draft, error) {
	f := schema.Finding{
		Rule: rule.ID, Title: rule.Title, Severity: rule.Severity, EntityType: rule.EntityType,
		TenantUID: textOf(row["tenant"]), Product: textOf(row["product"]),
		EntityUID: textOf(row["entity_uid"]), Entity: textOf(row["entity"]),
		WindowFrom: window.From, WindowTo: window.To,
		Attack: slices.Clone(rule.Attack), Attributes: map[string]string{},
	}
	var ok bool
	if f.FirstSeen, ok = row["first_seen"].(time.Time); !ok {
		return draft{}, fmt.Errorf("column first_seen is %T, want a DateTime64", row["first_seen"])
	}
	if f.LastSeen, ok = row["last_seen"].(time.Time); !ok {
		return draft{}, fmt.Errorf("column last_seen is %T, want a DateTime64", row["last_seen"])
	}
	f.FirstSeen, f.LastSeen = f.FirstSeen.UTC(), f.LastSeen.UTC()
	count, err := strconv.ParseUint(textOf(row["count"]), 10, 64)
	if err != nil {
		return draft{}, fmt.Errorf("column count is not a whole number: %w", err)
	}
	f.Count = count
	if f.Evidence, err = uidsOf(row["evidence"]); err != nil {
		return draft{}, err
	}
	if given, has := row["severity"]; has {
		if f.Severity, err = severityOf(given, rule.Severity); err != nil {
			return draft{}, err
		}
	}
	values := map[string]string{}
	for name, value := range row {
		values[name] = sayValue(value)
		if !contractColumns[name] && !strings.HasPrefix(name, messageOnly) {
			f.Attributes[name] = textOf(value)
		}
	}
	f.UID = findingUID(f, window.From)
	return draft{finding: f, values: values}, nil
}

// messageOnly begins the names of columns that word the message and are no
// attributes.
const messageOnly = "message_"

var contractColumns = map[string]bool{
	"tenant": true, "product": true, "entity_uid": true, "entity": true, "first_seen": true,
	"last_seen": true, "count": true, "severity": true, "evidence": true,
}

func findingUID(f schema.Finding, from time.Time) schema.UID {
	return schema.RuleFindingUID(f.Rule, f.TenantUID, f.Product, f.EntityType, f.EntityUID, from)
}

// setCount says of how many events the finding is made; 0 where that is not known.
func (d *draft) setCount(events uint64) {
	d.finding.Count, d.values["count"] = events, sayValue(events)
}

// joinDrafts is one draft of two rows about one entity.
func joinDrafts(a, b draft) draft {
	if b.finding.Severity > a.finding.Severity || b.finding.Severity == a.finding.Severity && b.finding.FirstSeen.Before(a.finding.FirstSeen) {
		a, b = b, a
	}
	f, g := &a.finding, b.finding
	if g.FirstSeen.Before(f.FirstSeen) {
		f.FirstSeen = g.FirstSeen
	}
	if g.LastSeen.After(f.LastSeen) {
		f.LastSeen = g.LastSeen
	}
	a.setCount(f.Count + g.Count)
	f.Evidence = append(f.Evidence, g.Evidence...)
	f.Evidence = f.Evidence[:min(len(f.Evidence), maxEvidence)]
	attributes := maps.Clone(g.Attributes)
	maps.Copy(attributes, f.Attributes)
	f.Attributes = attributes
	a.values["first_seen"], a.values["last_seen"] = sayTime(f.FirstSeen), sayTime(f.LastSeen)
	return a
}

func severityOf(value any, standard schema.Severity) (schema.Severity, error) {
	text := textOf(value)
	if text == "" || text == "0" {
		return standard, nil
	}
	if severity, known := schema.ParseSeverity(text); known {
		return severity, nil
	}
	if n, err := strconv.ParseUint(text, 10, 8); err == nil && n <= uint64(schema.SeverityCritical) {
		return schema.Severity(n), nil
	}
	return 0, fmt.Errorf("column severity holds %q: use informational, low, medium, high, critical or 1 to 5", text)
}

func uidsOf(value any) ([]schema.UID, error) {
	if value == nil {
		return nil, nil
	}
	list := reflect.ValueOf(value)
	want := reflect.TypeFor[schema.UID]()
	if list.Kind() != reflect.Slice || !list.Type().Elem().ConvertibleTo(want) {
		return nil, fmt.Errorf("column evidence is %T, want Array(UUID)", value)
	}
	uids := make([]schema.UID, min(list.Len(), maxEvidence))
	for i := range uids {
		uids[i] = list.Index(i).Convert(want).Interface().(schema.UID)
	}
	return uids, nil
}

func uidOf(value any) (schema.UID, error) {
	v, want := reflect.ValueOf(value), reflect.TypeFor[schema.UID]()
	if !v.IsValid() || !v.Type().ConvertibleTo(want) {
		return schema.UID{}, fmt.Errorf("%T is not a UUID", value)
	}
	return v.Convert(want).Interface().(schema.UID), nil
}
