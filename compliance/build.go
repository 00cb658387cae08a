package compliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

const (
	defaultQueryTimeout = 2 * time.Minute
	defaultQueryMemory  = 2 << 30
	// maxRows is how many rows a statement may answer with.
	maxRows = 100_000
	// shortPeriod is up to what length collection is told by the hour.
	shortPeriod = 48 * time.Hour
)

// Options are what a summary is made of and for.
type Options struct {
	// Tenant is the organisation whose events are summed up; empty means all that the
	// installation has.
	Tenant   string
	Period   Period
	Sections []Section
	// Controls give the titles of those that statements name.
	Controls []detectors.Control
	// Version is crmwatch's own.
	Version string
	// Settings is the SHA-256 of the configuration, in hex; empty where there is none.
	Settings string
	// Now tells the time; time.Now without it.
	Now func() time.Time
	// QueryTimeout and QueryMemory (bytes) bound each query; two minutes and 2 GiB
	// without them.
	QueryTimeout time.Duration
	QueryMemory  int64
}

// Build asks the store every statement, as a reader, each event once. A statement that
// cannot be answered becomes an answer with a problem; the error is that nothing can be
// asked at all, or that ctx has ended.
func Build(ctx context.Context, store schema.Store, o Options) (Summary, error) {
	if err := o.Period.check(); err != nil {
		return Summary{}, err
	}
	if len(o.Sections) == 0 {
		return Summary{}, errors.New("make a summary: it has no statements")
	}
	if !utf8.ValidString(o.Tenant) || !utf8.ValidString(o.Version) || !utf8.ValidString(o.Settings) {
		return Summary{}, errors.New("make a summary: the tenant, the version or the settings' hash is no UTF-8, which JSON cannot keep")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QueryTimeout == 0 {
		o.QueryTimeout = defaultQueryTimeout
	}
	if o.QueryMemory == 0 {
		o.QueryMemory = defaultQueryMemory
	}
	b := builder{store: store, options: o}
	began := o.Now()
	content := Content{Format: formatVersion, Tenant: o.Tenant, Period: o.Period.utc(), Settings: o.Settings, Sections: []SectionAnswer{}}
	var err error
	if content.Versions, err = b.versions(ctx); err != nil {
		return Summary{}, err
	}
	content.Collected = b.collected(ctx, o.Period)
	content.CollectedBefore = b.collected(ctx, o.Period.Before())
	making := Making{At: began.UTC().Truncate(time.Millisecond), Costs: []Cost{}}
	for _, section := range o.Sections {
		answered := SectionAnswer{ID: section.ID, Title: section.Title, About: section.About, Answers: []Answer{}}
		for _, statement := range section.Statements {
			answer, cost := b.answer(ctx, statement)
			if err := ctx.Err(); err != nil {
				return Summary{}, fmt.Errorf("make a summary: %w", err)
			}
			answered.Answers = append(answered.Answers, answer)
			making.Costs = append(making.Costs, cost)
		}
		content.Sections = append(content.Sections, answered)
	}
	content.Controls = controlAnswers(content, o.Controls)
	making.Milliseconds = o.Now().Sub(began).Milliseconds()
	return Summary{content, making}, nil
}

type builder struct {
	store   schema.Store
	options Options
}

func (b builder) versions(ctx context.Context) (Versions, error) {
	v := Versions{Crmwatch: b.options.Version}
	if err := b.store.QueryRow(ctx, "SELECT max(name), version() FROM schema_migrations").Scan(&v.Schema, &v.Engine); err != nil {
		return v, fmt.Errorf("make a summary: ask the database's version: %w", err)
	}
	return v, nil
}

// An event that came twice is of the same day, so arrivals need not be merged first: that
// would take most of the time of a summary.
const (
	collectedDays  = `SELECT DISTINCT toDateTime(toStartOfDay(time, 'UTC'), 'UTC') AS at FROM events WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String}) AND metadata_product_name != 'crmwatch' ORDER BY at SETTINGS final = 0`
	collectedHours = `SELECT DISTINCT toDateTime(toStartOfHour(time, 'UTC'), 'UTC') AS at FROM events WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String}) AND metadata_product_name != 'crmwatch' ORDER BY at SETTINGS final = 0`
)

// collected asks from which days of a period, or hours of a short one, there are events.
func (b builder) collected(ctx context.Context, p Period) Collected {
	c, query := Collected{Unit: "day", From: []time.Time{}}, collectedDays
	if p.To.Sub(p.From) <= shortPeriod {
		c.Unit, query = "hour", collectedHours
	}
	// Which days there are does not depend on how often an event arrived.
	_, rows, err := b.ask(ctx, query, p, clickhouse.Settings{"final": 0})
	if err != nil {
		c.Problem = err.Error()
	}
	for _, row := range rows {
		if at, is := timeOf(row[0]); is {
			c.From = append(c.From, at)
		}
	}
	return c
}

// answer asks one statement, and figures of the period before as well.
func (b builder) answer(ctx context.Context, s Statement) (Answer, Cost) {
	measured, meter := schema.MeasureCost(ctx)
	began := b.options.Now()
	a := Answer{ID: s.ID, Title: s.Title, Controls: s.Controls, Show: s.Show, Front: s.Front, Limit: s.Limit, Columns: []Column{}, Rows: []Row{}, Query: s.Query}
	columns, rows, err := b.ask(measured, s.Query, b.options.Period)
	if err == nil {
		err = checkShape(s, columns, rows)
	}
	if err != nil {
		a.Problem = err.Error()
	} else {
		a.Columns, a.Rows = format(columns, s.Columns), rows
		b.explain(measured, s, &a)
	}
	return a, Cost{s.ID, meter.Cost().ReadRows, b.options.Now().Sub(began).Milliseconds()}
}

// explain adds the sentence, or the reason why there is nothing to say.
func (b builder) explain(ctx context.Context, s Statement, a *Answer) {
	var err error
	if s.Show == ShowFigures {
		_, before, problem := b.ask(ctx, s.Query, b.options.Period.Before())
		if problem == nil && len(before) == 1 {
			a.Before = before[0]
		}
		if err = problem; err != nil {
			err = fmt.Errorf("the period before: %w", err)
		}
	}
	if nothing(s.Show, a.Rows) {
		a.Empty = s.Empty
	} else if a.Sentence, err = sentence(s.says, a.Columns, a.Rows); err != nil {
		a.Problem = err.Error()
		return
	}
	if err != nil {
		a.Problem = err.Error()
	}
}

// nothing tells whether an answer says that there was none of what was asked for.
func nothing(show Show, rows []Row) bool {
	if show != ShowFigures {
		return len(rows) == 0
	}
	for _, row := range rows {
		for _, c := range row {
			if !isNothing(c) {
				return false
			}
		}
	}
	return true
}

// checkShape compares an answer with how it is to be shown.
func checkShape(s Statement, columns []Column, rows []Row) error {
	switch {
	case s.Show == ShowFigures && len(rows) > 1:
		return fmt.Errorf("the query answered %d rows, where figures are one", len(rows))
	case s.Show == ShowTrend && columns[0].Kind != KindDay && columns[0].Kind != KindTime:
		return fmt.Errorf("the first column of a trend, %s, is no day and no hour", columns[0].Name)
	}
	names := map[string]bool{}
	for _, column := range columns {
		names[column.Name] = true
		if s.Show == ShowTrend && column.Name != columns[0].Name && column.Kind != KindNumber {
			return fmt.Errorf("the column %s of a trend is no number", column.Name)
		}
	}
	for name := range s.Columns {
		if !names[name] {
			return fmt.Errorf("the query answered no column %s", name)
		}
	}
	return nil
}

// format gives columns the titles and units that the statement has for them.
func format(columns []Column, formats map[string]ColumnFormat) []Column {
	for i := range columns {
		f := formats[columns[i].Name]
		columns[i].Title, columns[i].Unit, columns[i].Front = f.Title, f.Unit, f.Front
		if f.Title == "" {
			columns[i].Title = columns[i].Name
		}
	}
	return columns
}

// ask runs a query over a period. It becomes a subquery, so it can carry neither an
// output clause nor a second statement.
func (b builder) ask(ctx context.Context, query string, p Period, others ...clickhouse.Settings) ([]Column, []Row, error) {
	ctx, cancel := context.WithTimeout(ctx, b.options.QueryTimeout)
	defer cancel()
	settings := clickhouse.Settings{
		"final": 1,
		// Rows with one sorting key lie in one partition.
		"do_not_merge_across_partitions_select_final": 1,
		"readonly":             2,
		"max_memory_usage":     b.options.QueryMemory,
		"max_execution_time":   int(b.options.QueryTimeout / time.Second),
		"max_result_rows":      maxRows,
		"result_overflow_mode": "throw",
		"session_timezone":     "UTC",
	}
	for _, other := range others {
		maps.Copy(settings, other)
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings))
	subquery := "(\n" + query + "\n)"
	columns, rows, err := b.read(ctx, "SELECT * FROM "+subquery, p)
	if err != nil || len(columns) > 0 {
		return columns, rows, err
	}
	// An answer without rows does not tell its columns.
	_, described, err := b.read(ctx, "DESCRIBE TABLE "+subquery, p)
	for _, row := range described {
		columns = append(columns, Column{Name: fmt.Sprint(row[0]), Kind: kindOf(fmt.Sprint(row[1]))})
	}
	return columns, []Row{}, err
}

func (b builder) read(ctx context.Context, statement string, p Period) ([]Column, []Row, error) {
	rows, err := b.store.Query(ctx, statement,
		clickhouse.DateNamed("from", p.From, clickhouse.MilliSeconds), clickhouse.DateNamed("to", p.To, clickhouse.MilliSeconds), schema.Named("tenant", b.options.Tenant))
	if err != nil {
		return nil, nil, plainError(err)
	}
	columns, cells, err := readRows(rows)
	return columns, cells, plainError(cmp.Or(err, rows.Close()))
}

func readRows(rows driver.Rows) ([]Column, []Row, error) {
	types := rows.ColumnTypes()
	columns, places := make([]Column, len(types)), make([]any, len(types))
	for i, t := range types {
		columns[i] = Column{Name: t.Name(), Kind: kindOf(t.DatabaseTypeName())}
		places[i] = reflect.New(t.ScanType()).Interface()
	}
	all := []Row{}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return nil, nil, fmt.Errorf("read row: %w", err)
		}
		row := make(Row, len(places))
		for i := range places {
			row[i] = cell(reflect.ValueOf(places[i]).Elem().Interface(), columns[i].Kind)
		}
		all = append(all, row)
	}
	return columns, all, rows.Err()
}

func (p Period) utc() Period { return Period{p.Kind, p.From.UTC(), p.To.UTC()} }
