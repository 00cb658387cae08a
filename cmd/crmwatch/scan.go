package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
	"golang.org/x/term"
)

type scanCommand struct {
	loadFlags
	Output       string   `name:"format" default:"text" enum:"text,json" help:"text tells the stories; json prints one finding a line and the summary on standard error."`
	Data         string   `placeholder:"DIR" help:"Keep the database there; without it a temporary one is used."`
	Rules        []string `placeholder:"DIR" help:"Folders with rules of your own, beside the built-in ones."`
	Config       string   `placeholder:"FILE" help:"A configuration of crmwatch run, for its rules, parameters, inventory, exceptions and mappings; its sources, data and notifiers are not touched."`
	FailOn       string   `placeholder:"SEVERITY" enum:"low,medium,high,critical,informational,info," default:"" help:"Exit with code 3 when a finding has this severity or a higher one."`
	SlackPreview bool     `help:"Also show each alert as the Slack message it would be."`
}

func (scanCommand) Help() string {
	return `Exit codes: 0 done, 1 failed, 2 nothing could be read, 3 a finding at or above --fail-on.

Examples:
  crmwatch scan exports/
  crmwatch scan --format json exports/ | jq -r 'select(.severity=="high") | .entity'
  crmwatch scan --data ./case-17 exports/
  crmwatch scan --config crmwatch.yaml exports/       # what is expected at your company is not told`
}

func (c *scanCommand) Run(ctx context.Context, term terminal) error {
	rules, err := c.rulesToRun()
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c.Data, databaseOptions{})
	if err != nil {
		return err
	}
	defer db.close()
	report, took, err := c.load(ctx, db, term)
	if err != nil {
		return err
	}
	distinct, err := db.distinctEvents(ctx)
	if err != nil {
		return err
	}
	messages := term.out
	if c.Output == "json" {
		messages = term.err
	}
	writeSummary(messages, report, distinct, took)
	if report.NothingRead() {
		return nothingRead(report)
	}
	findings, err := c.detect(ctx, db, rules, term)
	if err != nil {
		return err
	}
	if err := detectors.SaveFindings(ctx, db.conn, findings); err != nil {
		return err
	}
	// Without notifiers the desk keeps the alerts and tells nobody.
	if err := alerting.NewDesk(db.conn, nil, alerting.Options{}).Handle(ctx, findings); err != nil {
		return fmt.Errorf("save alerts: %w", err)
	}
	if c.Output == "json" {
		err = writeFindings(term.out, findings)
	} else {
		err = c.tell(ctx, term.out, db, rules, findings, report)
	}
	if err != nil {
		return err
	}
	return c.verdict(findings)
}

// rulesToRun are the built-in rules and the user's own, as the configuration sets them.
func (c *scanCommand) rulesToRun() ([]detectors.Rule, error) {
	if c.Config == "" {
		return detectors.Load(c.Rules...)
	}
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return nil, configMistakes(err)
	}
	cfg.apply()
	c.Rules = append(c.Rules, cfg.Rules.Directories...)
	rules, err := detectors.Load(c.Rules...)
	if err != nil {
		return nil, err
	}
	if rules, err = cfg.Rules.apply(c.Config, rules); err != nil {
		return nil, configMistakes(err)
	}
	return rules, nil
}

// detect runs the rules over everything that is in the database.
func (c *scanCommand) detect(ctx context.Context, db *database, rules []detectors.Rule, term terminal) ([]schema.Finding, error) {
	if err := detectors.Validate(ctx, db.conn, detectors.Own(rules)); err != nil {
		return nil, exitError{exitFailed, "the rules have mistakes:\n" + err.Error()}
	}
	show, done := c.detecting(term)
	var suppressed []schema.Finding
	findings, err := detectors.NewRunner(db.conn, rules, detectors.Options{
		Progress: show, OnSuppressed: func(all []schema.Finding) { suppressed = append(suppressed, all...) },
	}).Scan(ctx)
	done()
	if err != nil {
		return nil, fmt.Errorf("run the rules: %w", err)
	}
	for _, line := range suppressions(suppressed) {
		fmt.Fprintln(term.err, "crmwatch: "+line)
	}
	return findings, detectors.SaveSuppressed(ctx, db.conn, suppressed)
}

// suppressions says how many findings each exception of the configuration kept back.
func suppressions(suppressed []schema.Finding) (lines []string) {
	counts := map[string]int{}
	for _, f := range suppressed {
		counts[f.Rule+": "+f.Suppressed]++
	}
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, plural(counts[what], "finding")+" suppressed by an exception to "+printable(what))
	}
	return lines
}

// verdict turns findings into the exit code that --fail-on asks for.
func (c *scanCommand) verdict(findings []schema.Finding) error {
	limit, ok := schema.ParseSeverity(c.FailOn)
	if !ok {
		return nil
	}
	for _, f := range findings {
		if f.Severity >= limit {
			return exitError{code: exitFindings}
		}
	}
	return nil
}

// tell writes the stories, who is quiet, and what to type next.
func (c *scanCommand) tell(ctx context.Context, w io.Writer, db *database, rules []detectors.Rule, findings []schema.Finding, report agent.Report) error {
	alerts, notes := alerting.SplitNotes(alerting.Group(nil, findings))
	fmt.Fprintf(w, "\n%s\n", outcome(alerts, notes))
	runbook := runbookOf(rules)
	style := alerting.Style{Color: colorSetting(w) == "1", Width: terminalWidth(w), Runbook: runbook}
	blind, err := blindSpots(ctx, db, rules)
	if err != nil {
		return err
	}
	if len(alerts) > 0 {
		fmt.Fprintln(w)
		if err := alerting.WriteText(w, alerts, style); err != nil {
			return err
		}
	}
	if c.SlackPreview {
		for _, a := range alerts {
			fmt.Fprintf(w, "\n%s", alerting.Preview(a, alerting.MessageOptions{Channel: "#crm-alerts", Runbook: runbook, NotSeen: notSeenBy(blind)}))
		}
	}
	if len(notes) > 0 {
		fmt.Fprintln(w)
		if err := alerting.WriteNotes(w, notes, style); err != nil {
			return err
		}
	}
	if err := writeQuiet(ctx, w, db, findings); err != nil {
		return err
	}
	logRules := slices.DeleteFunc(slices.Clone(rules), detectors.Rule.OwnHouse)
	c.writeBlind(w, blind, len(logRules), alerts)
	c.writeNext(w, findings, report)
	return nil
}

// outcome says in one line what a scan came to.
func outcome(alerts, notes []schema.Alert) string {
	findings, noted := 0, 0
	for _, a := range alerts {
		findings += len(a.FindingUIDs)
	}
	for _, a := range notes {
		noted += len(a.FindingUIDs)
	}
	text := plural(len(alerts), "alert") + " from " + plural(findings, "finding")
	if noted > 0 {
		text += ", and " + plural(noted, "informational finding") + " at the end"
	}
	return text
}

// writeQuiet counts the identities about which there is nothing to say, because
// a detector is judged by those as well.
func writeQuiet(ctx context.Context, w io.Writer, db *database, findings []schema.Finding) error {
	named := []string{""}
	for _, f := range findings {
		named = append(named, f.EntityUID)
	}
	var all, quiet uint64
	err := db.conn.QueryRow(ctx, `
		SELECT count(), countIf(NOT has({named:Array(String)}, uid))
		FROM (
			SELECT DISTINCT metadata_tenant_uid, metadata_product_name,
				multiIf(actor_user_uid != '', actor_user_uid, actor_user_name != '', actor_user_name, actor_app_uid) AS uid
			FROM events WHERE uid != '' AND metadata_product_name != {own:String})`, schema.Named("own", audit.Product), schema.Named("named", named)).Scan(&all, &quiet)
	if err != nil {
		return fmt.Errorf("count identities: %w", err)
	}
	fmt.Fprintf(w, "\n%s seen; without a finding of their own: %s.\n", plural(all, "identity"), grouped(int64(quiet)))
	return nil
}

func (c *scanCommand) writeNext(w io.Writer, findings []schema.Finding, report agent.Report) {
	// As it was typed: a program that is not on the path is not found by its name.
	program := os.Args[0]
	fmt.Fprintln(w, "\nNext:")
	if c.Data == "" {
		fmt.Fprintf(w, "  %s scan --data ./case %s      # keep the database and ask it questions\n", program, c.Paths[0])
		fmt.Fprintf(w, "  %s scan --format json ...   # one finding a line, for scripts\n", program)
		return
	}
	if report.Totals.Quarantined > 0 {
		fmt.Fprintf(w, "  %s query --data %s \"SELECT x_source_file, line, reason, detail FROM quarantine\"\n", program, c.Data)
	}
	// Only an id that needs no quoting: what is printed here is pasted into a shell.
	if f, found := exampleOf(findings); found {
		fmt.Fprintf(w, "  %s query --data %s \"SELECT time, metadata_log_name, src_endpoint_ip, http_request_http_method, http_request_url_path FROM events WHERE actor_user_uid = '%s' ORDER BY time DESC LIMIT 50\"\n", program, c.Data, f.EntityUID)
	}
	fmt.Fprintf(w, "  %s query --data %s \"SELECT rule, severity_id, entity, first_seen, message FROM findings ORDER BY first_seen\"\n", program, c.Data)
	if len(findings) > 0 {
		fmt.Fprintf(w, "  %s alerts list --data %s\n", program, c.Data)
	}
	fmt.Fprintf(w, "  %s rules list\n", program)
}

// exampleOf chooses a finding for an example: of those whose entity can be pasted the
// first of the most severe.
func exampleOf(findings []schema.Finding) (example schema.Finding, found bool) {
	for _, f := range findings {
		if f.EntityType != "network" && plainID.MatchString(f.EntityUID) && (!found || f.Severity > example.Severity) {
			example, found = f, true
		}
	}
	return example, found
}

// plainID is an id as vendors make them.
var plainID = regexp.MustCompile(`^[A-Za-z0-9._@-]+$`)

// findingLine is a finding as `scan --format json` prints it.
type findingLine struct {
	UID         string            `json:"finding_uid"`
	Rule        string            `json:"rule"`
	Severity    string            `json:"severity"`
	SeverityID  uint8             `json:"severity_id"`
	Title       string            `json:"title"`
	Tenant      string            `json:"tenant"`
	Product     string            `json:"product"`
	EntityType  string            `json:"entity_type"`
	Entity      string            `json:"entity"`
	EntityUID   string            `json:"entity_uid"`
	FirstSeen   time.Time         `json:"first_seen"`
	LastSeen    time.Time         `json:"last_seen"`
	Count       uint64            `json:"count"`
	Attack      []string          `json:"attack"`
	Controls    []string          `json:"controls"`
	Message     string            `json:"message"`
	WindowFrom  time.Time         `json:"window_from"`
	WindowTo    time.Time         `json:"window_to"`
	AlertUID    string            `json:"alert_uid"`
	Attributes  map[string]string `json:"attributes"`
	Evidence    []string          `json:"evidence"`
	EvidenceSQL string            `json:"evidence_sql"`
}

// writeFindings prints one JSON object a line.
func writeFindings(w io.Writer, findings []schema.Finding) error {
	alertOf := map[schema.UID]string{}
	for _, a := range alerting.Group(nil, findings) {
		for _, uid := range a.FindingUIDs {
			alertOf[uid] = a.UID.String()
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, f := range findings {
		line := lineOf(f)
		line.AlertUID = alertOf[f.UID]
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return nil
}

// lineOf is a finding as it is printed; its alert is left open.
func lineOf(f schema.Finding) findingLine {
	line := findingLine{
		UID: f.UID.String(), Rule: f.Rule, Severity: f.Severity.String(), SeverityID: uint8(f.Severity), Title: f.Title,
		Tenant: f.TenantUID, Product: f.Product, EntityType: f.EntityType, Entity: f.Entity, EntityUID: f.EntityUID,
		FirstSeen: f.FirstSeen.UTC(), LastSeen: f.LastSeen.UTC(), Count: f.Count, Attack: append([]string{}, f.Attack...), Controls: append([]string{}, f.Controls...),
		Message: f.Message, WindowFrom: f.WindowFrom.UTC(), WindowTo: f.WindowTo.UTC(),
		Attributes: f.Attributes, Evidence: []string{}, EvidenceSQL: f.EvidenceSQL,
	}
	for _, uid := range f.Evidence {
		line.Evidence = append(line.Evidence, uid.String())
	}
	return line
}

func findingLines(findings []schema.Finding) []findingLine {
	lines := make([]findingLine, len(findings))
	for i, f := range findings {
		lines[i] = lineOf(f)
	}
	return lines
}

// runbookOf finds a rule's next steps by its id.
func runbookOf(rules []detectors.Rule) func(string) []string {
	steps := map[string][]string{detectors.SelfTestRule: detectors.SelfTestRunbook, alerting.RefusalRule: alerting.RefusalRunbook}
	for _, r := range rules {
		steps[r.ID] = r.Runbook
	}
	return func(rule string) []string { return steps[rule] }
}

// terminalWidth is the width of a terminal in characters, 0 elsewhere.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return min(width, 140)
}
