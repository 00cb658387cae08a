package detectors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// Sight is what a rule can look at in the logs of one tenant and product.
type Sight string

// The kinds of sight.
const (
	// Sees has a log type that the rule needs, and all its columns.
	Sees Sight = "sees"
	// SeesPart lacks some of the columns: parts of the rule cannot fire.
	SeesPart Sight = "part"
	// Blind has no log of the rule's types or no event of its classes, or none of the
	// columns that make the rule.
	Blind Sight = "blind"
)

// Coverage is what one rule can see in the logs of one tenant and product.
type Coverage struct {
	Rule, Tenant, Product string
	Sight                 Sight
	// LogTypes are those that the rule looks at and that are there.
	LogTypes []string
	// Missing are columns that the rule needs and that are empty in all rows looked at;
	// "a or b" where one of them would do.
	Missing []string
	// Events counts the rows of the log types; a row that came twice counts twice.
	Events uint64
}

// Source is one kind of log and how late it came: arrival less event time.
type Source struct {
	Tenant, Product, LogName string
	Events                   uint64
	LastEvent, LastArrival   time.Time
	Median, P95, Longest     time.Duration
	// classes are the values of class_uid; filled are the columns that have values in the
	// events of a class, as far as some were looked at.
	classes []uint16
	filled  map[uint16]map[string]bool
}

// CoverageReport is what the rules can see in the last days of event time.
type CoverageReport struct {
	Within  Window
	Rules   []Coverage
	Sources []Source
}

// Limits of the look into columns: of log types with more than rareRows rows, only
// so many hours are read that some sampleRows rows are.
const (
	rareRows   = 100_000
	sampleRows = 5_000_000
)

const sourcesQuery = `WITH greatest(0, toUnixTimestamp64Milli(ingested_at) - toUnixTimestamp64Milli(time)) AS late
SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_name AS log_name, count() AS events,
    max(time) AS last_event, max(ingested_at) AS last_arrival, groupUniqArray(class_uid) AS classes,
    toInt64(quantileTDigest(0.5)(late)) AS median, toInt64(quantileTDigest(0.95)(late)) AS p95, toInt64(max(late)) AS longest
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND metadata_product_name != {own:String}
GROUP BY tenant, product, log_name
ORDER BY tenant, product, log_name`

// CheckCoverage looks at the last stretch of event time that the store holds, and
// says for each rule, tenant and product whether what the rule needs is there. What is
// done with crmwatch itself is no log of a CRM: that somebody looked into an old case
// must not make its logs old, nor a refused password of ours give sight to rules that
// want logins. The rules that watch it are left out, because they always can.
func (r *Runner) CheckCoverage(ctx context.Context, last time.Duration) (CoverageReport, error) {
	var report CoverageReport
	records, err := r.coverageRecords(ctx, "SELECT max(time) AS latest, count() AS rows FROM events WHERE metadata_product_name != {own:String}", nil, schema.Named("own", schema.OwnProduct))
	if err != nil {
		return report, err
	}
	latest, _ := records[0]["latest"].(time.Time)
	if rows, _ := records[0]["rows"].(uint64); rows == 0 {
		latest = r.options.Clock()
	}
	report.Within = Window{latest.UTC().Add(-last), latest.UTC().Add(time.Millisecond)}
	if records, err = r.coverageRecords(ctx, sourcesQuery, &report.Within, schema.Named("own", schema.OwnProduct)); err != nil {
		return report, err
	}
	var total uint64
	perName := map[string]uint64{}
	for _, row := range records {
		s := Source{Tenant: textOf(row["tenant"]), Product: textOf(row["product"]), LogName: textOf(row["log_name"]), filled: map[uint16]map[string]bool{}}
		s.classes, _ = row["classes"].([]uint16)
		s.Events, _ = row["events"].(uint64)
		s.LastEvent, _ = row["last_event"].(time.Time)
		s.LastArrival, _ = row["last_arrival"].(time.Time)
		for name, d := range map[string]*time.Duration{"median": &s.Median, "p95": &s.P95, "longest": &s.Longest} {
			ms, _ := row[name].(int64)
			*d = time.Duration(ms) * time.Millisecond
		}
		// A digest has the precision of a Float32.
		s.Median, s.P95 = min(s.Median, s.Longest), min(s.P95, s.Longest)
		total += s.Events
		perName[s.LogName] += s.Events
		report.Sources = append(report.Sources, s)
	}
	if err := r.lookIntoColumns(ctx, &report, perName, total); err != nil {
		return report, err
	}
	for _, rule := range r.rules {
		if !rule.OwnHouse() {
			report.Rules = append(report.Rules, report.of(rule)...)
		}
	}
	return report, nil
}

func (r *Runner) coverageRecords(ctx context.Context, query string, within *Window, args ...any) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.QueryTimeout)
	defer cancel()
	settings := r.readerSettings(maxResultRows)
	settings["final"] = 0
	if within != nil {
		args = append(args, clickhouse.DateNamed("from", within.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", within.To, clickhouse.MilliSeconds))
	}
	records, err := readRecords(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), r.store, query, args...)
	if err != nil {
		return nil, fmt.Errorf("check what the rules can see: %w", err)
	}
	return records, nil
}

// lookIntoColumns finds out which needed columns each source fills.
func (r *Runner) lookIntoColumns(ctx context.Context, report *CoverageReport, perName map[string]uint64, total uint64) error {
	var columns, counts []string
	for _, rule := range r.rules {
		for _, column := range rule.Needs.AllColumns() {
			empty := "''"
			switch eventColumns[column].(type) {
			case nil:
				continue // filled in every row
			case schema.Number:
				empty = "0"
			}
			if !slices.Contains(columns, column) {
				columns, counts = append(columns, column), append(counts, "countIf("+column+" != "+empty+")")
			}
		}
	}
	if len(columns) == 0 || total == 0 {
		return nil
	}
	var rare []string
	for name, n := range perName {
		if n <= rareRows {
			rare = append(rare, name)
		}
	}
	records, err := r.coverageRecords(ctx, `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_name AS log_name, class_uid AS class, [`+strings.Join(counts, ", ")+`] AS filled
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
    AND (intHash32(toUInt32(toStartOfHour(time))) % {every:UInt64} = 0 OR metadata_log_name IN {rare:Array(String)})
GROUP BY tenant, product, log_name, class`, &report.Within, schema.Named("every", 1+total/sampleRows), schema.Named("rare", append([]string{}, rare...)))
	if err != nil {
		return err
	}
	for _, row := range records {
		filled, _ := row["filled"].([]uint64)
		class, _ := row["class"].(uint16)
		for i := range report.Sources {
			s := &report.Sources[i]
			if s.Tenant != textOf(row["tenant"]) || s.Product != textOf(row["product"]) || s.LogName != textOf(row["log_name"]) {
				continue
			}
			s.filled[class] = map[string]bool{}
			for j, n := range filled {
				if n > 0 {
					s.filled[class][columns[j]] = true
				}
			}
		}
	}
	return nil
}

// commonColumns are filled by nearly every log, so having them says nothing about
// whether a rule can fire.
var commonColumns = []string{"class_uid", "activity_id", "severity_id", "status_id", "metadata_log_name", "metadata_product_name", "metadata_tenant_uid"}

// of says what a rule can see, a tenant and product each.
func (report CoverageReport) of(rule Rule) []Coverage {
	var coverage []Coverage
	filled := map[string]bool{}
	for i, s := range report.Sources {
		if n := len(coverage); n == 0 || coverage[n-1].Tenant != s.Tenant || coverage[n-1].Product != s.Product {
			coverage, filled = append(coverage, Coverage{Rule: rule.ID, Tenant: s.Tenant, Product: s.Product}), map[string]bool{}
		}
		c := &coverage[len(coverage)-1]
		if s.isFor(rule) {
			c.LogTypes = append(c.LogTypes, s.LogName)
			c.Events += s.Events
			s.collectFilled(rule, filled)
		}
		last := i+1 == len(report.Sources) || report.Sources[i+1].Tenant != s.Tenant || report.Sources[i+1].Product != s.Product
		if last {
			c.judge(rule, filled)
		}
	}
	return coverage
}

// isFor says whether a rule looks at events of the source.
func (s Source) isFor(rule Rule) bool {
	return (len(rule.Needs.Products) == 0 || slices.Contains(rule.Needs.Products, s.Product)) &&
		(len(rule.Needs.LogTypes) == 0 || slices.Contains(rule.Needs.LogTypes, s.LogName)) && slices.ContainsFunc(s.classes, rule.Needs.HasClass)
}

// collectFilled adds the columns that are filled in the events that the rule looks at. Of
// a class that is so rare that the look into columns missed it, any column of the log may be.
func (s Source) collectFilled(rule Rule, into map[string]bool) {
	missed := slices.ContainsFunc(s.classes, func(class uint16) bool { return rule.Needs.HasClass(class) && s.filled[class] == nil })
	for class, columns := range s.filled {
		if missed || rule.Needs.HasClass(class) {
			maps.Copy(into, columns)
		}
	}
}

// judge compares what the rule needs with what is there.
func (c *Coverage) judge(rule Rule, filled map[string]bool) {
	own, ownFilled := 0, 0
	for _, column := range rule.Needs.Columns {
		_, optional := eventColumns[column]
		there := !optional || filled[column]
		if !there {
			c.Missing = append(c.Missing, column)
		}
		if !slices.Contains(commonColumns, column) {
			own++
			if there {
				ownFilled++
			}
		}
	}
	cannot := len(c.LogTypes) == 0
	for _, list := range rule.Needs.OneOf {
		if !slices.ContainsFunc(list, func(column string) bool { return filled[column] }) {
			c.Missing, cannot = append(c.Missing, SayOneOf(list)), true
		}
	}
	switch {
	case cannot, own > 0 && ownFilled == 0, own == 0 && len(rule.Needs.OneOf) == 0 && len(c.Missing) == len(rule.Needs.Columns) && len(c.Missing) > 0:
		c.Sight = Blind
	case len(c.Missing) > 0:
		c.Sight = SeesPart
	default:
		c.Sight = Sees
	}
}

// BlindRules lists the rules that can see nothing for any tenant and product.
func (report CoverageReport) BlindRules(rules []Rule) []string {
	var blind []string
	for _, rule := range rules {
		if !rule.OwnHouse() && !slices.ContainsFunc(report.Rules, func(c Coverage) bool { return c.Rule == rule.ID && c.Sight != Blind }) {
			blind = append(blind, rule.ID)
		}
	}
	return blind
}

// SaveCoverage keeps a report in the tables rule_coverage and source_lateness.
func SaveCoverage(ctx context.Context, store schema.Store, report CoverageReport, at time.Time) error {
	if len(report.Rules) == 0 {
		return nil
	}
	rules, err := store.PrepareBatch(writing(ctx), "INSERT INTO rule_coverage (checked_at, rule, metadata_tenant_uid, metadata_product_name, sight, log_types, missing, events)")
	if err != nil {
		return fmt.Errorf("save coverage: %w", err)
	}
	defer rules.Close()
	for _, c := range report.Rules {
		if err := rules.Append(at, c.Rule, c.Tenant, c.Product, string(c.Sight), append([]string{}, c.LogTypes...), append([]string{}, c.Missing...), c.Events); err != nil {
			return fmt.Errorf("save coverage of rule %s: %w", c.Rule, err)
		}
	}
	sources, err := store.PrepareBatch(writing(ctx), `INSERT INTO source_lateness (checked_at, metadata_tenant_uid, metadata_product_name, metadata_log_name,
    events, last_event, last_arrival, lateness_median_s, lateness_p95_s, lateness_max_s)`)
	if err != nil {
		return fmt.Errorf("save lateness: %w", err)
	}
	defer sources.Close()
	for _, s := range report.Sources {
		if err := sources.Append(at, s.Tenant, s.Product, s.LogName, s.Events, s.LastEvent, s.LastArrival, seconds(s.Median), seconds(s.P95), seconds(s.Longest)); err != nil {
			return fmt.Errorf("save lateness of %s: %w", s.LogName, err)
		}
	}
	if err := errors.Join(rules.Send(), sources.Send()); err != nil {
		return fmt.Errorf("save coverage: %w", err)
	}
	return nil
}
