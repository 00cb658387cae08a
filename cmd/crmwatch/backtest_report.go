package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// backtest is what a replay of history showed.
type backtest struct {
	Range            detectors.Window
	Rows             uint64
	Findings, Alerts int
	Rules            []ruleBacktest
	// tried says that parameters were changed; otherwise the stored findings are the
	// other side of the difference.
	tried bool
}

// ruleBacktest is what one rule showed in it.
type ruleBacktest struct {
	rule     detectors.Rule
	findings []schema.Finding
	// alerts are those that the rule has a part in, alone those that are its own.
	alerts, alone int
	byDay         map[string]int
	days          int
	entities      []entityCount
	delays        []detectors.Delay
	difference    detectors.Difference
	// changes are the parameters that were set, such as "threshold 10 → 20".
	changes []string
}

type entityCount struct {
	Entity   string `json:"entity"`
	Findings int    `json:"findings"`
}

// maxShownEntities and maxShownFindings bound the text; json has everything.
const (
	maxShownEntities = 5
	maxShownFindings = 10
)

func newRuleBacktest(current, rule detectors.Rule, findings []schema.Finding, alerts []schema.Alert, delays []detectors.Delay, difference detectors.Difference, within detectors.Window) ruleBacktest {
	r := ruleBacktest{rule: rule, findings: findings, delays: delays, difference: difference, byDay: map[string]int{}}
	for i, p := range rule.Params {
		if was := current.Params[i].Value; fmt.Sprint(was) != fmt.Sprint(p.Value) {
			r.changes = append(r.changes, fmt.Sprintf("%s %v → %v", p.Name, was, p.Value))
		}
	}
	counts := map[string]int{}
	for _, f := range findings {
		counts[f.Entity]++
		r.byDay[f.FirstSeen.Format(time.DateOnly)]++
	}
	for entity, n := range counts {
		r.entities = append(r.entities, entityCount{entity, n})
	}
	slices.SortFunc(r.entities, func(a, b entityCount) int {
		return cmp.Or(cmp.Compare(b.Findings, a.Findings), cmp.Compare(a.Entity, b.Entity))
	})
	for _, a := range alerts {
		own := 0
		for _, f := range a.Findings {
			if f.Rule == rule.ID {
				own++
			}
		}
		if own > 0 {
			r.alerts++
		}
		if own > 0 && own == len(a.Findings) {
			r.alone++
		}
	}
	const day = 24 * time.Hour
	r.days = 1 + int(within.To.Add(-time.Millisecond).Truncate(day).Sub(within.From.Truncate(day))/day)
	return r
}

func (b *backtest) writeText(w io.Writer, c *backtestCommand) error {
	fmt.Fprintf(w, "Replayed %s to %s UTC: %s, %s, %s, %s.\nNothing was stored, and nobody was told.\n\n", b.Range.From.Format(minuteLayout), b.Range.To.Format(minuteLayout),
		plural(b.Rows, "row"), plural(len(b.Rules), "rule"), plural(b.Findings, "finding"), plural(b.Alerts, "alert"))
	against := "STORED"
	if b.tried {
		against = "PRESENT"
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "RULE\tFINDINGS\tA DAY\tALERTS\tFOUND AFTER\tAGAINST %s\n", against)
	for _, r := range b.Rules {
		late, median, _ := r.detection()
		if late > oldLogs {
			median = 0
		}
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%d\t%s\t%s\n", r.rule.ID, len(r.findings), float64(len(r.findings))/float64(r.days), r.alerts, orDash(median), r.against())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the backtest: %w", err)
	}
	for _, r := range b.Rules {
		if len(r.findings)+len(r.difference.Gone) > 0 {
			r.writeText(w)
		}
	}
	b.writeNext(w, c)
	return nil
}

// against counts what differs.
func (r ruleBacktest) against() string {
	d := r.difference
	if len(d.New)+len(d.Gone)+len(d.Changed) == 0 {
		return "the same"
	}
	text := fmt.Sprintf("%d new, %d gone", len(d.New), len(d.Gone))
	if len(d.Changed) > 0 {
		text += fmt.Sprintf(", %d changed", len(d.Changed))
	}
	return text
}

// oldLogs is from which lateness on logs count as loaded afterwards: how soon a monitor
// would have found what is in them cannot be told from their arrivals.
const oldLogs = 7 * 24 * time.Hour

// detection says how late the first events came, and how long after them their findings
// would have been made: the medians, and the longest. All are 0 where nothing is known.
func (r ruleBacktest) detection() (lateness, median, longest time.Duration) {
	n := len(r.delays)
	if n == 0 {
		return 0, 0, 0
	}
	late, found := make([]time.Duration, n), make([]time.Duration, n)
	for i, d := range r.delays {
		late[i], found[i] = d.Lateness, d.Detection
	}
	slices.Sort(late)
	slices.Sort(found)
	return late[n/2], found[n/2], found[n-1]
}

func orDash(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return spanText(d)
}

// spanText is a duration in the two units that matter.
func spanText(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", (d+12*time.Hour)/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

func (r ruleBacktest) writeText(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n", r.rule.ID, r.rule.Title)
	if len(r.changes) > 0 {
		fmt.Fprintf(w, "  tried     %s\n", strings.Join(r.changes, ", "))
	}
	if len(r.findings) > 0 {
		most := ""
		for day, n := range r.byDay {
			if most == "" || n > r.byDay[most] || n == r.byDay[most] && day < most {
				most = day
			}
		}
		fmt.Fprintf(w, "  findings  %d on %s; most on %s: %d\n", len(r.findings), plural(len(r.byDay), "day"), most, r.byDay[most])
		fmt.Fprintf(w, "  alerts    %d, of this rule alone %d\n", r.alerts, r.alone)
		var names []string
		for _, e := range r.entities[:min(len(r.entities), maxShownEntities)] {
			names = append(names, fmt.Sprintf("%s (%d)", shorten(printable(e.Entity), 60), e.Findings))
		}
		if left := len(r.entities) - maxShownEntities; left > 0 {
			names = append(names, fmt.Sprintf("%d more", left))
		}
		fmt.Fprintf(w, "  who       %s\n", strings.Join(names, ", "))
	}
	switch late, median, longest := r.detection(); {
	case len(r.delays) == 0:
	case late > oldLogs:
		fmt.Fprintf(w, "  found     not known: these logs were loaded %s after their events\n", spanText(late))
	default:
		fmt.Fprintf(w, "  found     %s after the first event, at most %s; logs came %s late\n", spanText(median), spanText(longest), spanText(late))
	}
	for _, part := range []struct {
		label    string
		findings []schema.Finding
	}{{"new", r.difference.New}, {"gone", r.difference.Gone}, {"changed", r.difference.Changed}} {
		for i, f := range part.findings {
			if i == maxShownFindings {
				fmt.Fprintf(w, "            and %d more\n", len(part.findings)-i)
				break
			}
			label := ""
			if i == 0 {
				label = part.label
			}
			fmt.Fprintf(w, "  %-8s  %s  %-13s %s\n", label, f.FirstSeen.Format(minuteLayout), f.Severity, shorten(printable(cmp.Or(f.Message, f.Entity)), 90))
		}
	}
}

// writeNext says what to type next.
func (b *backtest) writeNext(w io.Writer, c *backtestCommand) {
	fmt.Fprintln(w, "\nNext:")
	program := os.Args[0]
	if b.tried {
		fmt.Fprintln(w, "  keep what you tried: write it into the configuration, and read it in with a SIGHUP")
		fmt.Fprint(w, "    rules:\n      parameters:\n")
		for _, r := range b.Rules {
			var values []string
			for _, set := range c.Set {
				if text, ok := strings.CutPrefix(set, r.rule.ID+"."); ok {
					values = append(values, strings.Replace(text, "=", ": ", 1))
				}
			}
			if len(values) > 0 {
				fmt.Fprintf(w, "        %s: {%s}\n", r.rule.ID, strings.Join(values, ", "))
			}
		}
		return
	}
	var loudest *ruleBacktest
	differs := false
	for i, r := range b.Rules {
		if loudest == nil || len(r.findings) > len(loudest.findings) {
			loudest = &b.Rules[i]
		}
		differs = differs || len(r.difference.New)+len(r.difference.Gone) > 0
	}
	if loudest != nil && len(loudest.findings) > 0 && len(loudest.rule.Params) > 0 {
		p := loudest.rule.Params[0]
		fmt.Fprintf(w, "  %s rules show %s      # what it looks for, and what can be tuned\n", program, loudest.rule.ID)
		fmt.Fprintf(w, "  %s backtest %s --set %s.%s=VALUE      # now %v: %s\n", program, c.flag(), loudest.rule.ID, p.Name, p.Value, p.Description)
	}
	if differs {
		fmt.Fprintln(w, "  what is new or gone against the stored findings: a rule or a parameter changed since, or the rules have not run yet")
	}
	fmt.Fprintf(w, "  %s rules coverage %s      # what the rules cannot see in these logs\n", program, c.flag())
}

// writeJSON prints everything as one object.
func (b *backtest) writeJSON(w io.Writer) error {
	type difference struct {
		New     []findingLine `json:"new"`
		Gone    []findingLine `json:"gone"`
		Changed []findingLine `json:"changed"`
	}
	type rule struct {
		Rule       string         `json:"rule"`
		Parameters map[string]any `json:"parameters"`
		Findings   []findingLine  `json:"findings"`
		Alerts     int            `json:"alerts"`
		Alone      int            `json:"alerts_of_this_rule_alone"`
		ByDay      map[string]int `json:"by_day"`
		Entities   []entityCount  `json:"entities"`
		Lateness   []float64      `json:"lateness_s"`
		Detection  []float64      `json:"detection_s"`
		Difference difference     `json:"difference"`
	}
	out := struct {
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Rows     uint64    `json:"rows"`
		Findings int       `json:"findings"`
		Alerts   int       `json:"alerts"`
		Against  string    `json:"against"`
		Rules    []rule    `json:"rules"`
	}{b.Range.From, b.Range.To, b.Rows, b.Findings, b.Alerts, "stored findings", nil}
	if b.tried {
		out.Against = "present settings"
	}
	for _, r := range b.Rules {
		line := rule{Rule: r.rule.ID, Parameters: map[string]any{}, Findings: findingLines(r.findings), Alerts: r.alerts, Alone: r.alone, ByDay: r.byDay,
			Entities: append([]entityCount{}, r.entities...), Lateness: []float64{}, Detection: []float64{},
			Difference: difference{findingLines(r.difference.New), findingLines(r.difference.Gone), findingLines(r.difference.Changed)}}
		for _, p := range r.rule.Params {
			line.Parameters[p.Name] = p.Value
		}
		for _, d := range r.delays {
			line.Lateness, line.Detection = append(line.Lateness, d.Lateness.Seconds()), append(line.Detection, d.Detection.Seconds())
		}
		out.Rules = append(out.Rules, line)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write the backtest: %w", err)
	}
	return nil
}
