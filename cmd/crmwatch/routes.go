package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type routesCommand struct {
	Test routesTestCommand `cmd:"" help:"Say who would be told of an alert, by which route, and what mutes it."`
}

type routesTestCommand struct {
	Config     string `required:"" placeholder:"FILE" help:"Configuration of run."`
	Alert      string `placeholder:"ID" help:"An alert of its database, or the beginning of its id; without it, one that is made of what follows."`
	Severity   string `default:"medium" help:"Its severity."`
	Rule       string `placeholder:"ID" help:"The rule that fired."`
	Product    string `default:"Salesforce" help:"The product."`
	Entity     string `default:"svc-example@acme.example" help:"Whom it is about."`
	EntityType string `placeholder:"TYPE" help:"integration, user, source, ...; that of the rule by default."`
	Tenant     string `placeholder:"ID" help:"The tenant."`
	Tactic     string `placeholder:"NAME" help:"An ATT&CK tactic, by a technique of it; those of the rule by default."`
	At         string `placeholder:"TIME" help:"When, such as 2026-03-01T22:00:00Z; now by default."`
}

func (routesTestCommand) Help() string {
	return `Example:
  crmwatch routes test --config crmwatch.yaml --severity high --rule token-replay --at 2026-03-01T22:00:00Z`
}

func (c *routesTestCommand) Run(ctx context.Context, term terminal) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return configMistakes(err)
	}
	rules, err := detectors.Load(cfg.Rules.Directories...)
	if err != nil {
		return err
	}
	policy, err := cfg.policy(rules)
	if err != nil {
		return err
	}
	now := time.Now()
	if c.At != "" {
		if now, err = time.Parse(time.RFC3339, c.At); err != nil {
			return fmt.Errorf("--at is %q: write such as 2026-03-01T22:00:00Z", c.At)
		}
	}
	store, done, err := cfg.openStored(ctx)
	if err != nil {
		return err
	}
	defer done()
	var a schema.Alert
	switch {
	case c.Alert == "":
		if a, err = c.invent(rules, now); err != nil {
			return err
		}
	case store == nil:
		return fmt.Errorf("there is no alert %s: nothing was collected in %s yet", c.Alert, cfg.Data)
	default:
		if a, err = oneAlert(ctx, store, c.Alert, "--config "+c.Config); err != nil {
			return err
		}
	}
	writeDecision(term.out, cfg, policy, a, now)
	if store == nil {
		fmt.Fprintln(term.out, "Silences and open alerts: nothing was collected yet")
		return nil
	}
	m, err := alerting.MutedNow(ctx, store, policy, a, now)
	if err != nil {
		return err
	}
	if !m.Muted() {
		fmt.Fprintln(term.out, "Muted by:  nothing")
		return nil
	}
	silences, err := alerting.Silences(ctx, store, now, true)
	if err != nil {
		return err
	}
	fmt.Fprintf(term.out, "Muted by:  %s\n", alerting.SayMute(m, silences))
	return nil
}

// openStored opens the database of a configuration; nil where nothing was collected.
func (c config) openStored(ctx context.Context) (schema.Store, func(), error) {
	if c.Store.DSNFile == "" {
		if _, err := os.Stat(c.Data); err != nil {
			return nil, func() {}, nil
		}
	}
	flags := alertFlags{Data: c.Data, DSNFile: c.Store.DSNFile}
	store, _, done, err := flags.open(ctx)
	return store, done, err
}

// invent makes an alert of the command line.
func (c *routesTestCommand) invent(rules []detectors.Rule, now time.Time) (schema.Alert, error) {
	severity, known := schema.ParseSeverity(strings.ToLower(c.Severity))
	if !known {
		return schema.Alert{}, fmt.Errorf("--severity is %q: use informational, low, medium, high or critical", c.Severity)
	}
	f := schema.Finding{
		Rule: c.Rule, Severity: severity, Title: "An invented alert", TenantUID: c.Tenant, Product: c.Product, EntityType: c.EntityType, EntityUID: c.Entity, Entity: c.Entity,
		WindowFrom: now, WindowTo: now, FirstSeen: now, LastSeen: now,
	}
	if c.Rule != "" && c.Rule != detectors.SelfTestRule {
		rule, err := findRule(rules, c.Rule)
		if err != nil {
			return schema.Alert{}, err
		}
		f.Title, f.Attack = rule.Title, rule.Attack
		if f.EntityType == "" {
			f.EntityType = rule.EntityType
		}
	}
	if f.EntityType == "" {
		f.EntityType = "integration"
	}
	if c.Tactic != "" {
		technique, err := route.TechniqueOf(c.Tactic)
		if err != nil {
			return schema.Alert{}, err
		}
		f.Attack = append(f.Attack[:len(f.Attack):len(f.Attack)], technique)
	}
	f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, now)
	return alerting.Group(nil, []schema.Finding{f})[0], nil
}

func writeDecision(w io.Writer, cfg config, policy alerting.Policy, a schema.Alert, now time.Time) {
	var tactics []string
	for _, t := range route.TacticsOf(a.Attack) {
		tactics = append(tactics, t.Name)
	}
	fmt.Fprintf(w, "Alert:     %s, %s, about %s %s; tactics: %s\n", a.Severity, alerting.PlainLine(a.Title), a.EntityType, alerting.PlainLine(a.Entity), orAny(tactics))
	fmt.Fprintf(w, "At:        %s UTC\n", now.UTC().Format(time.DateTime))
	for i, trace := range policy.Routes.Trace(a, now) {
		r := cfg.Alerts.Routes[i]
		var said string
		switch {
		case !trace.Reached:
			said = "not looked at: an earlier route has taken it"
		case !trace.Matches:
			said = "does not match"
		case !trace.InTime:
			said = "matches, but not at this time"
		default:
			said = "leads to " + strings.Join(r.To, ", ")
			if r.Continue {
				said += ", and on to the next"
			}
		}
		fmt.Fprintf(w, "Route %d:   %s: %s\n", i+1, r.Match, said)
	}
	decision := policy.Routes.Decide(a, now)
	names, why := decision.Notifiers, ""
	if len(decision.Routes) == 0 {
		names, why = cfg.notifierNames(), " (no route matches: everybody)"
	}
	if a.Severity < cfg.Alerts.notifyFrom() {
		names, why = []string{"nobody"}, fmt.Sprintf(" (alerts.notify_from is %s)", cfg.Alerts.NotifyFrom)
	}
	fmt.Fprintf(w, "Told:      %s%s\n", strings.Join(names, ", "), why)
}

// tellRoutes says, for validate, what somebody might not expect of the routes.
func tellRoutes(w io.Writer, cfg config, rules []detectors.Rule) error {
	policy, err := cfg.policy(rules)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Alerts go to %s", strings.Join(cfg.notifierNames(), ", "))
	if policy.Routes == nil {
		fmt.Fprintln(w)
		return nil
	}
	fmt.Fprintf(w, " by %s", plural(len(cfg.Alerts.Routes), "route"))
	if !policy.Routes.CatchesAll() {
		fmt.Fprint(w, "; what none of them matches goes to every notifier")
	}
	fmt.Fprintln(w)
	for _, i := range policy.Routes.Shadowed() {
		fmt.Fprintf(w, "  route %d never counts: an earlier one matches everything\n", i+1)
	}
	for _, name := range policy.Routes.Unused() {
		fmt.Fprintf(w, "  no route leads to %s: only what no route matches goes there\n", name)
	}
	return nil
}
