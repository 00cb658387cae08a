package schedule

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

const token = "xoxb-test-0123456789"

// office is a database, a fake Slack, a folder, and processes that come and go.
type office struct {
	t         *testing.T
	store     schema.Store
	server    *fakeslack.Server
	url       string
	dir       string
	now       time.Time
	schedules []Schedule
	catchUp   int
	// others are notifiers beside Slack.
	others []alerting.Announcer
	key    ed25519.PrivateKey
}

func openOffice(t *testing.T, now time.Time, schedules ...Schedule) *office {
	t.Helper()
	o := &office{t: t, store: enginetest.OpenStore(t), dir: t.TempDir(), now: now, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	o.restartSlack(fakeslack.Options{})
	for i := range schedules {
		if schedules[i].At == "" {
			schedules[i].At = DefaultAt
		}
		if schedules[i].Formats != nil {
			schedules[i].Directory = o.dir
		}
	}
	o.schedules = schedules
	return o
}

func (o *office) restartSlack(options fakeslack.Options) {
	options.Token, options.Clock = token, func() time.Time { return o.now }
	o.server = fakeslack.New(options)
	web := httptest.NewServer(o.server)
	o.t.Cleanup(web.Close)
	o.url = web.URL + "/api/"
}

// process is one crmwatch: it dies at its so manyth statement or request, before or
// after that is carried out. 0 never does.
type process struct {
	schema.Store
	*alerting.Slack
	keeper *Keeper
	ops    int
	dieAt  int
	after  bool
	dead   bool
	// hook is called at each statement and request.
	hook func()
}

var errKilled = errors.New("killed")

// act does one thing that the process may die at.
func (p *process) act(do func() error) error {
	if p.dead {
		return errKilled
	}
	if p.hook != nil {
		p.hook()
	}
	if p.ops++; p.ops == p.dieAt {
		p.dead = true
		if p.after {
			_ = do()
		}
		return errKilled
	}
	return do()
}

func (p *process) Query(ctx context.Context, query string, args ...any) (rows driver.Rows, err error) {
	err = p.act(func() error { rows, err = p.Store.Query(ctx, query, args...); return err })
	return rows, err
}

type deadRow struct{ driver.Row }

func (deadRow) Scan(...any) error { return errKilled }

func (p *process) QueryRow(ctx context.Context, query string, args ...any) (row driver.Row) {
	if p.act(func() error { row = p.Store.QueryRow(ctx, query, args...); return nil }) != nil {
		return deadRow{}
	}
	return row
}

func (p *process) PrepareBatch(ctx context.Context, query string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	if p.dead {
		return nil, errKilled
	}
	batch, err := p.Store.PrepareBatch(ctx, query, options...)
	return mortalBatch{batch, p}, err
}

type mortalBatch struct {
	driver.Batch
	p *process
}

func (b mortalBatch) Send() error {
	err := b.p.act(b.Batch.Send)
	if err != nil {
		_ = b.Abort()
	}
	return err
}

func (p *process) RoundTrip(r *http.Request) (response *http.Response, err error) {
	err = p.act(func() error { response, err = http.DefaultTransport.RoundTrip(r); return err })
	if err != nil && response != nil {
		_ = response.Body.Close()
		response = nil
	}
	return response, err
}

// start makes a process. lease may be nil.
func (o *office) start(dieAt int, after bool, lease func() error) *process {
	o.t.Helper()
	p := &process{Store: o.store, dieAt: dieAt, after: after}
	slack, err := alerting.NewSlack(alerting.SlackOptions{APIURL: o.url, Token: token, Channel: fakeslack.DefaultChannel.ID, HTTPClient: &http.Client{Transport: p}})
	if err != nil {
		o.t.Fatal(err)
	}
	p.Slack = slack
	clock := func() time.Time { return o.now }
	ledger := chain.NewLedger(p, o.key, chain.LedgerOptions{Lease: lease, Clock: clock})
	p.keeper, err = New(p, Options{
		Ledger: ledger, Schedules: o.schedules, Build: o.build, Announcers: append([]alerting.Announcer{slack}, o.others...), CatchUp: o.catchUp, Host: "soc-1", Lease: lease, Clock: clock,
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// Name, Pace and others are both the store's and Slack's.
func (p *process) Close() error { return nil }

func (o *office) build(_ context.Context, tenant string, p compliance.Period) (compliance.Summary, error) {
	s := compliance.Summary{Content: compliance.Content{Format: 1, Tenant: tenant, Period: p}, Making: compliance.Making{At: o.now}}
	s.Content.Sections = []compliance.SectionAnswer{{ID: "test", Title: "Test", Answers: []compliance.Answer{{
		ID: "logins", Title: "Logins", Show: compliance.ShowFigures, Columns: []compliance.Column{{Name: "failed", Title: "Failed logins", Front: true}},
		Rows: []compliance.Row{{"12"}},
	}, {ID: "look", Title: "Look", Show: compliance.ShowTable, Front: compliance.FrontAttention, Sentence: "<!channel> *evil* & <https://evil.example|here> \u202e"}}}}
	return s, nil
}

// live lets one process do all that is due; it fails the test unless it is killed.
func (o *office) live(p *process) {
	o.t.Helper()
	if err := p.keeper.Step(o.t.Context()); err != nil && !p.dead {
		o.t.Fatal(err)
	}
}

// made lists the summaries that schedules made, as "tenant label version".
func (o *office) made() (list []string) {
	o.t.Helper()
	all, err := chain.Summaries(o.t.Context(), o.store, chain.SummaryFilter{})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, s := range all {
		if s.MadeFor == chain.MadeForSchedule {
			list = append(list, fmt.Sprintf("%s %s %d", s.Tenant, Label(compliance.Period{Kind: compliance.PeriodKind(s.Period), From: s.From, To: s.To}), s.Version))
		}
	}
	slices.Sort(list)
	return list
}

// intact checks the chain, and the files in the folder.
func (o *office) intact() *chain.Report {
	o.t.Helper()
	r, err := chain.VerifyAll(context.Background(), o.store, o.dir, chain.Expect{PublicKeys: []string{chain.WriteKey(o.key.Public().(ed25519.PublicKey))}})
	if err != nil {
		o.t.Fatal(err)
	}
	if !r.Intact() {
		o.t.Fatalf("the chain is not intact: %+v", r.Problems)
	}
	return r
}

// messages lists the titles in the channel, and how many of them are labelled.
func (o *office) messages() (titles []string, labelled int) {
	for _, m := range o.server.Messages("") {
		text, is := strings.CutPrefix(m.Text, "(repeat:")
		if is {
			labelled++
			_, text, _ = strings.Cut(text, "\n")
		}
		title, _, _ := strings.Cut(text, "\n")
		titles = append(titles, title)
	}
	return titles, labelled
}

func twice(list []string) (doubled []string) {
	for i, entry := range list {
		if slices.Contains(list[:i], entry) {
			doubled = append(doubled, entry)
		}
	}
	return doubled
}
