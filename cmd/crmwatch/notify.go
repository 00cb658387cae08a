package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type notifyCommand struct {
	Test    notifyTestCommand    `cmd:"" help:"Send a message that is marked as a test, and say what came back."`
	Preview notifyPreviewCommand `cmd:"" help:"Show what people are told when a rule fires: as text and as Slack's Block Kit."`
}

type notifyTestCommand struct {
	Config   string   `required:"" placeholder:"FILE" help:"Configuration of run."`
	Notifier []string `placeholder:"NAME" help:"Only these notifiers; all by default."`
}

func (c *notifyTestCommand) Run(ctx context.Context, term terminal) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return configMistakes(err)
	}
	if err := checkFiles(c.Config, cfg); err != nil {
		return configMistakes(err)
	}
	for _, name := range c.Notifier {
		if !slices.Contains(cfg.notifierNames(), name) {
			return fmt.Errorf("there is no notifier %q: there are %s", name, strings.Join(cfg.notifierNames(), ", "))
		}
	}
	all, _, err := cfg.notifiers(notifierParts{console: alerting.NewConsole(term.out, alerting.Style{}), log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	failed := 0
	for _, n := range all {
		if len(c.Notifier) > 0 && !slices.Contains(c.Notifier, n.Name()) {
			continue
		}
		at, err := n.Post(ctx, alerting.Trial(whoami(), time.Now()), alerting.RepeatNone)
		if err != nil {
			failed++
			fmt.Fprintf(term.out, "%s: not taken: %v\n", n.Name(), err)
			var refused *alerting.RefusedError
			if errors.As(err, &refused) {
				fmt.Fprintf(term.out, "  what to do: %s\n", refused.Mend)
			}
			continue
		}
		where := ""
		if at.Channel != "" {
			where = fmt.Sprintf(": channel %s, message %s", at.Channel, at.Message)
		}
		fmt.Fprintf(term.out, "%s: taken%s\n", n.Name(), where)
	}
	if failed > 0 {
		return exitError{exitFailed, plural(failed, "notifier") + " did not take the message"}
	}
	return nil
}

type notifyPreviewCommand struct {
	Rule   string   `required:"" placeholder:"ID" help:"The rule's id."`
	Rules  []string `placeholder:"DIR" help:"Folders with rules of your own."`
	Format string   `enum:"both,text,json" default:"both" help:"text: as Slack shows it; json: Block Kit, for the Block Kit Builder; or both."`
}

func (notifyPreviewCommand) Help() string {
	return `The message is made of what the rule finds in its own firing test, in a temporary database. Nothing is sent.

Example:
  crmwatch notify preview --rule token-replay`
}

func (c *notifyPreviewCommand) Run(ctx context.Context, term terminal) error {
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return err
	}
	rule, err := findRule(rules, c.Rule)
	if err != nil {
		return err
	}
	findings, err := firedBy(ctx, rule)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && len(findings) == 0 {
		err = fmt.Errorf("its firing test found nothing; see: crmwatch rules test --rule %s", rule.ID)
	}
	if err != nil {
		fmt.Fprintf(term.err, "crmwatch: this is only an example of what %s may say: %v\n", rule.ID, err)
		findings = []schema.Finding{exampleFinding(rule, time.Now())}
	}
	a := alerting.Group(nil, findings[:1])[0]
	options := alerting.MessageOptions{Runbook: runbookOf(rules)}
	if c.Format != "json" {
		if _, err := io.WriteString(term.out, alerting.Preview(a, options)); err != nil {
			return fmt.Errorf("write preview: %w", err)
		}
	}
	if c.Format == "text" {
		return nil
	}
	encoder := json.NewEncoder(term.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(alerting.BuildMessage(a, options)); err != nil {
		return fmt.Errorf("write preview: %w", err)
	}
	return nil
}

// firedBy runs a rule's firing tests in a temporary database, and returns what one of
// them found.
func firedBy(ctx context.Context, rule detectors.Rule) ([]schema.Finding, error) {
	db, err := openDatabase(ctx, "", databaseOptions{})
	if err != nil {
		return nil, err
	}
	defer db.close()
	results, err := detectors.SelfTest(ctx, db.conn, []detectors.Rule{rule})
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		for i, f := range r.Findings {
			// The tests have tenants of their own: test/RULE/NUMBER/acme.
			f.TenantUID = f.TenantUID[strings.LastIndexByte(f.TenantUID, '/')+1:]
			f.EvidenceSQL = strings.ReplaceAll(f.EvidenceSQL, r.Findings[i].TenantUID, f.TenantUID)
			f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, f.WindowFrom)
			r.Findings[i] = f
		}
		if len(r.Findings) > 0 {
			return r.Findings, nil
		}
	}
	return nil, nil
}

// exampleFinding is what a finding of a rule may look like.
func exampleFinding(rule detectors.Rule, now time.Time) schema.Finding {
	now = now.UTC().Truncate(time.Minute)
	f := schema.Finding{
		DetectedAt: now, Rule: rule.ID, Severity: rule.Severity, Title: rule.Title, Message: strings.TrimSpace(rule.Description), TenantUID: "acme",
		Product: "Salesforce", EntityType: rule.EntityType, EntityUID: "0055g00000AbCdEAAV", Entity: "svc-example@acme.example",
		WindowFrom: now.Add(-rule.Window), WindowTo: now, FirstSeen: now.Add(-rule.Window), LastSeen: now, Count: 1, Attack: rule.Attack,
	}
	f.UID = schema.FindingUID(f.Rule, f.TenantUID, f.EntityType, f.EntityUID, f.WindowFrom)
	return f
}
