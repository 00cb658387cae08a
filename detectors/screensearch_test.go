package detectors

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/crmwatch/crmwatch/schema"
)

var (
	screenRounds = flag.Int("screen-rounds", 0, "rounds of random events for each rule that has a screen; 0 is one, for some rules")
	screenSeed   = flag.Uint64("screen-seed", 1, "seed of the first round")
)

// searchedAlways are the rules that are searched without the flag, each with its seed: for
// the one that once lost days, one that shows how.
var searchedAlways = map[string]uint64{"mass-change": 1, "credential-stuffing": 1, "use-after-revoke": 1, "service-account-interactive": 5, "crm-call-without-middleware-call": 6}

// screenTenants is how many random companies are tried in a round.
const screenTenants = 24

// A screen may let too much through and never too little. Random events around the
// thresholds of each rule, which are those of its tests moved, thinned out, repeated and
// put together, give the same findings with the screen as without; and because one
// company's events open a day for all, each company is also asked for by itself.
func TestScreensLoseNothing(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	store := openStore(t)
	found := 0
	for _, rule := range rules {
		seed, always := searchedAlways[rule.ID]
		if rule.Screen == "" || rule.Kind != KindQuery || *screenRounds == 0 && !always {
			continue
		}
		if *screenRounds > 0 {
			seed = *screenSeed
		}
		for round := range uint64(max(1, *screenRounds)) {
			t.Run(fmt.Sprintf("%s/%d", rule.ID, seed+round), func(t *testing.T) {
				found += searchScreen(t, store, rule, seed+round)
			})
		}
	}
	if found == 0 {
		t.Error("nothing was found with or without screens")
	}
}

// searchScreen tries one round, and says how many findings there were.
func searchScreen(t *testing.T, store schema.Store, rule Rule, seed uint64) int {
	empty(t, store, "")
	random := rand.New(rand.NewPCG(seed, 0))
	tests := slices.DeleteFunc(slices.Clone(rule.Tests), func(test Test) bool { return len(test.Params) > 0 })
	if len(tests) == 0 {
		tests = rule.Tests[:1]
	}
	rule, err := rule.WithParameters(tests[0].Params)
	if err != nil {
		t.Fatal(err)
	}
	batch := schema.NewBatch()
	for i := range screenTenants {
		company := Test{}
		for range 1 + random.IntN(2) {
			for _, e := range tests[random.IntN(len(tests))].Events {
				if random.IntN(12) > 0 {
					e = disturbed(random, e)
					if strings.Contains(rule.Screen, "event_partners") {
						apart(&e, i)
					}
					company.Events = append(company.Events, e)
				}
			}
		}
		company.fill(batch, fmt.Sprintf("search/%d/", i), rule.Window)
	}
	block, err := batch.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Moved events lie on more days than one insert may touch.
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"async_insert": 0, "max_partitions_per_insert_block": 0}))
	if err := store.InsertFormat(ctx, "Native", "INSERT INTO "+schema.EventsTable, bytes.NewReader(block)); err != nil {
		t.Fatal(err)
	}
	runner := NewRunner(store, []Rule{rule}, Options{})
	if err := runner.digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The windows in which most of the tests end, and what lies around.
	base := gridIndex(testBase, rule.Window)
	windows := []int64{base - 1, base, base + 1}
	if rule.ID == "mass-change" {
		readsEnoughDays(t, runner, rule, windows)
	}
	return screensLose(t, runner, rule, windows, seed)
}

// readsEnoughDays compares what mass-change finds by the days that it reads with what it
// would find by all days.
func readsEnoughDays(t *testing.T, runner *Runner, rule Rule, windows []int64) {
	t.Helper()
	all := rule
	kept := slices.DeleteFunc(strings.Split(rule.Query, "\n"), func(line string) bool {
		return strings.Contains(line, "arrayJoin(") && strings.Contains(line, "FROM days)")
	})
	if all.Query = strings.Join(kept, "\n"); len(strings.Split(rule.Query, "\n"))-len(kept) != 3 {
		t.Fatal("the conditions on days are not where they were")
	}
	var found [2][]schema.Finding
	for i, r := range []Rule{all, rule} {
		var err error
		if found[i], err = runner.evaluate(t.Context(), r, windows, func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(withoutDetection(found[0]), withoutDetection(found[1]), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what is found by some days differs (-all +some):\n%s", diff)
	}
}

// screensLose says how many findings there are, and fails where the screen keeps one from
// being found.
func screensLose(t *testing.T, runner *Runner, rule Rule, windows []int64, seed uint64) int {
	t.Helper()
	open := rule
	open.Screen = ""
	want, err := runner.evaluate(t.Context(), open, windows, func() {})
	if err != nil {
		t.Fatal(err)
	}
	byTenant := map[string][]int64{}
	for _, f := range want {
		prefix := strings.Join(strings.SplitAfterN(f.TenantUID, "/", 3)[:2], "")
		byTenant[prefix] = append(byTenant[prefix], gridIndex(f.WindowFrom, rule.Window))
	}
	for _, prefix := range slices.Sorted(maps.Keys(byTenant)) {
		kept, err := runner.screenOf(t.Context(), rule, windows, prefix)
		if err != nil {
			t.Fatal(err)
		}
		for _, index := range byTenant[prefix] {
			if !slices.Contains(kept, index) {
				t.Errorf("seed %d: the screen leaves out %s, in which something is found at %s", seed, gridWindow(index, rule.Window).From.Format(time.DateOnly), prefix)
			}
		}
	}
	t.Logf("seed %d: %d findings at %d companies", seed, len(want), len(byTenant))
	return len(want)
}

// apart gives the events of a company names of its own, where a rule looks for those of one
// product in another's log whatever the company: what is found for the one by the logs of
// another could not be screened by the one alone. Every second company's calls have ids of
// their own too; the ids of the others are used again and again.
func apart(e *TestEvent, company int) {
	columns := []schema.Text{schema.ActorUserName, schema.ActorAppName}
	if company%2 == 0 {
		columns = append(columns, schema.MetadataCorrelationUID)
	}
	e.Text = maps.Clone(e.Text)
	for _, column := range columns {
		if e.Text[column] != "" {
			e.Text[column] += fmt.Sprintf(".c%d", company)
		}
	}
}

// disturbed is an event of a test, moved, repeated more or less often, with more or less
// in it.
func disturbed(random *rand.Rand, e TestEvent) TestEvent {
	moves := []time.Duration{0, 0, 0, 0, time.Minute, -time.Minute, time.Hour, -time.Hour, 5 * time.Hour, -5 * time.Hour, day, -day, -7 * day}
	times := []float64{1, 1, 1, 0.25, 0.5, 0.9, 0.99, 1.01, 1.1, 2, 4}
	pick := func() float64 { return times[random.IntN(len(times))] }
	e.Time = e.Time.Add(moves[random.IntN(len(moves))])
	e.Repeat = slices.Clone(e.Repeat)
	for i, r := range e.Repeat {
		e.Repeat[i].Count = max(1, min(2000, int(math.Round(float64(r.Count)*pick()))))
	}
	e.Number = maps.Clone(e.Number)
	for _, column := range []schema.Number{schema.RowsProcessed, schema.TrafficBytesIn, schema.TrafficBytesOut, schema.Duration} {
		if n := e.Number[column]; n > 0 {
			e.Number[column] = uint64(math.Round(float64(n) * pick()))
		}
	}
	return e
}
