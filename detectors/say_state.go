package detectors

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// entityFinding is a finding of a rule about an entity, without what it says.
func entityFinding(rule Rule, key seriesKey, window Window) schema.Finding {
	f := schema.Finding{
		Rule: rule.ID, Title: rule.Title, Severity: rule.Severity, EntityType: rule.EntityType,
		TenantUID: key.tenant, Product: key.product, EntityUID: key.uid, WindowFrom: window.From, WindowTo: window.To,
		Attack: slices.Clone(rule.Attack), Attributes: map[string]string{},
	}
	f.UID = findingUID(f, window.From)
	return f
}

// wordsOf are the words that every message can use.
func wordsOf(f schema.Finding) map[string]string {
	words := maps.Clone(f.Attributes)
	for name, value := range map[string]string{
		"tenant": f.TenantUID, "product": f.Product, "entity_uid": f.EntityUID, "count": sayValue(f.Count),
		"first_seen": sayTime(f.FirstSeen), "last_seen": sayTime(f.LastSeen),
	} {
		words[name] = value
	}
	return words
}

// noveltyDrafts asks the rule's query once more for what the new values of a window
// were: the state knows only when they came.
func (r *Runner) noveltyDrafts(ctx context.Context, rule Rule, window Window, novelties map[seriesKey]Novelty) ([]draft, error) {
	records, err := r.read(ctx, rule, window.From, window.To, stateParams(rule))
	if err != nil {
		return nil, err
	}
	rows := map[seriesKey]map[string]record{}
	for _, row := range records {
		key := rowKey(row)
		if rows[key] == nil {
			rows[key] = map[string]record{}
		}
		rows[key][textOf(row["value"])] = row
	}
	var drafts []draft
	for _, key := range slices.SortedFunc(maps.Keys(novelties), compareSeries) {
		d, err := noveltyDraft(rule, key, novelties[key], rows[key])
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

func noveltyDraft(rule Rule, key seriesKey, n Novelty, rows map[string]record) (draft, error) {
	f := entityFinding(rule, key, n.Window)
	f.FirstSeen, f.LastSeen = n.New[0].First, n.New[0].First
	var values []string
	others := map[string][]string{}
	for _, s := range n.New {
		values = append(values, s.Value)
		row, found := rows[s.Value]
		if !found {
			continue // the state outlives the events
		}
		if last, ok := row["last_seen"].(time.Time); ok && last.After(f.LastSeen) {
			f.LastSeen = last.UTC()
		}
		count, err := strconv.ParseUint(textOf(row["count"]), 10, 64)
		if err != nil {
			return draft{}, fmt.Errorf("column count is not a whole number: %w", err)
		}
		f.Count += count
		evidence, err := uidsOf(row["evidence"])
		if err != nil {
			return draft{}, err
		}
		f.Evidence = append(f.Evidence, evidence...)
		f.Entity = max(f.Entity, textOf(row["entity"]))
		for name, value := range row {
			if text := textOf(value); !contractColumns[name] && name != "value" && text != "" && !slices.Contains(others[name], text) {
				others[name] = append(others[name], text)
			}
		}
	}
	f.Evidence = f.Evidence[:min(len(f.Evidence), maxEvidence)]
	for name, texts := range others {
		f.Attributes[name] = textOf(texts)
	}
	f.Attributes["value"], f.Attributes["known"] = textOf(values), textOf(n.Known)
	f.Attributes["history_days"] = strconv.FormatInt(int64(n.History/day), 10)
	words := wordsOf(f)
	words["history"] = sayDuration(n.History)
	return draft{finding: f, values: words}, nil
}

// chainDraft names each step's time and values.
func chainDraft(rule Rule, key seriesKey, chain Chain) draft {
	f := entityFinding(rule, key, chain.Window)
	f.FirstSeen = chain.Steps[0][0].Time
	var steps []string
	for i, events := range chain.Steps {
		var values []string
		for _, e := range events {
			if e.Value != "" && !slices.Contains(values, e.Value) {
				values = append(values, e.Value)
			}
			f.Entity = max(f.Entity, e.Entity)
		}
		text := rule.Sequence.Steps[i].Name
		if len(values) > 0 {
			text += " (" + textOf(values) + ")"
		}
		text += " " + sayTime(events[0].Time)
		last := events[len(events)-1].Time
		if last.After(events[0].Time) {
			text += " to " + sayTime(last)
		}
		steps = append(steps, text)
		f.LastSeen = last
		f.Count += uint64(len(events))
		for _, e := range events[:min(len(events), maxEvidence/len(chain.Steps))] {
			f.Evidence = append(f.Evidence, e.UID)
		}
	}
	f.Attributes["steps"] = strings.Join(steps, ", then ")
	f.Attributes["took"] = sayDuration(f.LastSeen.Sub(f.FirstSeen))
	return draft{finding: f, values: wordsOf(f)}
}

// lastEvents asks for the events of the last bucket before a silence, where the rule's
// query returns evidence.
func (r *Runner) lastEvents(ctx context.Context, rule Rule, key seriesKey, q Quiet) ([]schema.UID, error) {
	if !readSQL(rule.Query).identifiers["evidence"] {
		return nil, nil
	}
	records, err := r.read(ctx, rule, q.Last, q.From, stateParams(rule))
	if err != nil {
		return nil, err
	}
	for _, row := range records {
		if rowKey(row) == key {
			return uidsOf(row["evidence"])
		}
	}
	return nil, nil
}

// quietDraft says since when and compared with what. As long as the silence lasts it
// says the same: how long by now would change the finding with every event of others.
func quietDraft(rule Rule, key seriesKey, q Quiet) draft {
	f := entityFinding(rule, key, Window{q.From, q.Due})
	f.FirstSeen, f.LastSeen = q.Last, q.Due
	f.Attributes["quiet"] = "at least " + sayDuration(q.Due.Sub(q.From))
	f.Attributes["until"] = ""
	if !q.Until.IsZero() {
		f.WindowTo, f.LastSeen = q.Until, q.Until
		f.Attributes["quiet"] = sayDuration(q.Until.Sub(q.From))
		f.Attributes["until"] = sayTime(q.Until)
	}
	f.Attributes["usual"] = sayDuration(q.Usual)
	f.Attributes["since"] = sayTime(q.From)
	words := wordsOf(f)
	words["history"] = sayDuration(q.History)
	return draft{finding: f, values: words}
}
