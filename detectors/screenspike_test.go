package detectors

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/crmwatch/crmwatch/schema"
)

// The screens of the spike rules let the day through on which any episode begins, of random
// series with days of rest, growth, bursts of one hour to three days and bursts after bursts,
// of entities that are known and of new ones.
func TestSpikeScreensLoseNothing(t *testing.T) {
	store := openStore(t)
	found := 0
	for round := range uint64(max(1, *screenRounds)) {
		seed := *screenSeed + round
		empty(t, store, "")
		windows := randomHours(t, store, rand.New(rand.NewPCG(seed, 1)))
		for _, id := range []string{"traffic-spike", "payload-spike", "rows-spike"} {
			rule := oneRule(t, id)
			found += screensLose(t, NewRunner(store, []Rule{rule}, Options{}), rule, windows, seed)
		}
	}
	if found == 0 {
		t.Error("no episode in any series")
	}
}

// randomHours fills the summary of hours with a series for each of some companies, and
// returns the days of the last two weeks.
func randomHours(t *testing.T, store schema.Store, random *rand.Rand) (windows []int64) {
	t.Helper()
	const days = 42
	begin := testBase.Add(-days * day)
	var rows [][]any
	for i := range 3 * screenTenants {
		for _, b := range randomSeries(random, begin, days, i) {
			value := b.Value
			calls, bytes, records := uint64(value), uint64(value*1e6), uint64(value*200)
			rows = append(rows, []any{b.From, uint16(6003), uint8(2), fmt.Sprintf("search/%d/", i/8), "Salesforce", "RestApi", fmt.Sprint("005", i%8),
				calls, bytes, calls, records, calls, uint64(1)})
		}
	}
	if err := insertRows(t.Context(), store, "INSERT INTO event_hours (hour, class_uid, activity_id, tenant, product, log, uid, calls, bytes_in, with_bytes, records, with_records, version)", rows); err != nil {
		t.Fatal(err)
	}
	for d := days - 16; d < days; d++ {
		windows = append(windows, gridIndex(begin.Add(time.Duration(d)*day), day))
	}
	digestPeaks(t, store, begin, days)
	return windows
}

// randomSeries is a series of some days: every third rests at night, three of eight are new.
func randomSeries(random *rand.Rand, begin time.Time, days, i int) (series []Bucket) {
	since := random.IntN(days - 5)
	if i%8 > 4 {
		since = days - 2 - random.IntN(14)
	}
	level := math.Exp(random.Float64()*4) * 10
	noise, growth := random.Float64(), random.Float64()*0.05
	burst, times := 0, 1.0
	for hour := since*24 + random.IntN(24); hour < days*24; hour++ {
		if burst--; burst < 0 {
			times = 1
			if random.IntN(150) == 0 {
				burst, times = []int{1, 1, 2, 5, 30, 72}[random.IntN(6)], 1.5+random.Float64()*8
			}
		}
		value := level * times * (1 + growth*float64(hour-since*24)/24) * (1 + noise*random.NormFloat64()*0.3)
		if i%3 == 0 && hour%24 < 8 || value < 1 {
			continue
		}
		series = append(series, Bucket{From: begin.Add(time.Duration(hour) * time.Hour), Value: value})
	}
	return series
}

// digestPeaks makes the rows by day of the summary of hours.
func digestPeaks(t *testing.T, store schema.Store, begin time.Time, days int) {
	t.Helper()
	var dates []string
	for d := range days {
		dates = append(dates, begin.Add(time.Duration(d)*day).Format(time.DateOnly))
	}
	if err := store.Exec(t.Context(), peaksStatement, schema.Named("days", dates), schema.Named("version", uint64(1)),
		clickhouse.DateNamed("from", begin, clickhouse.MilliSeconds), clickhouse.DateNamed("to", begin.Add(time.Duration(days)*day), clickhouse.MilliSeconds)); err != nil {
		t.Fatal(err)
	}
}
