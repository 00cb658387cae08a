package detectors

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// A digest that knew no series before makes them of the hours that it kept, though the
// events behind them are gone.
func TestSeriesAreMadeOfHoursWhoseEventsAreGone(t *testing.T) {
	store := openStore(t)
	empty(t, store, "")
	var rows [][]any
	for d := range 40 {
		rows = append(rows, []any{testBase.Add(-time.Duration(d)*day + 5*time.Hour), uint16(6003), "acme", "Salesforce", "RestApi", "005", uint64(d + 1), uint64(1)})
	}
	if err := insertRows(t.Context(), store, "INSERT INTO event_hours (hour, class_uid, tenant, product, log, uid, calls, version)", rows); err != nil {
		t.Fatal(err)
	}
	if err := store.Exec(t.Context(), "INSERT INTO event_peaks (day, tenant, product, uid, calls, version) VALUES ({day:Date}, 'acme', 'Salesforce', '005', 1, 1)", schema.Named("day", testBase.Format(time.DateOnly))); err != nil {
		t.Fatal(err)
	}
	rule := oneRule(t, "traffic-spike")
	runner := NewRunner(store, []Rule{rule}, Options{})
	if err := runner.digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, err := runner.read(t.Context(), rule, testBase.Add(-40*day), testBase.Add(day), map[string]any{"bucket": uint32(3600), "with_evidence": uint8(0), "entity_uid": ""})
	if err != nil {
		t.Fatal(err)
	}
	series, _, err := seriesOf(records)
	if err != nil {
		t.Fatal(err)
	}
	buckets := series[seriesKey{"acme", "Salesforce", "005"}]
	if len(buckets) != 40 || buckets[0].Value != 40 || buckets[39] != (Bucket{From: testBase.Add(5 * time.Hour), Value: 1}) {
		t.Errorf("series %v", buckets)
	}
}

// hourRow is what event_hours says of an identity in an hour.
type hourRow struct {
	hour                             time.Time
	class                            uint16
	activity                         uint8
	product, log, uid, service, name string
	calls, in, out, withBytes        uint64
	records, withRecords             uint64
}

// seriesHour is what a rule makes of an hour: two streams that tell of the same.
type seriesHour struct{ values, counts [2]uint64 }

// The series that spike rules read in rows by day are what the hours add up to, in value,
// count and name: of random hours in logs that count and that do not, that tell of the same
// calls, that carry no bytes or bytes one way, and that name an identity in different ways.
func TestSeriesOfDaysAreThoseOfHours(t *testing.T) {
	store := openStore(t)
	empty(t, store, "")
	const days = 5
	begin := testBase.Add(-days * day)
	rows := randomHourRows(rand.New(rand.NewPCG(uint64(*screenSeed), 2)), begin, days)
	var inserted [][]any
	for _, r := range rows {
		// What was summed before counts no more.
		for version := range uint64(2) {
			f := version*2 + 1
			inserted = append(inserted, []any{r.hour, r.class, r.activity, "acme", r.product, r.log, r.uid, r.service, r.name,
				r.calls * f / 3, r.in * f / 3, r.out * f / 3, r.withBytes * f / 3, r.records * f / 3, r.withRecords * f / 3, version})
		}
	}
	if err := insertRows(t.Context(), store, `INSERT INTO event_hours (hour, class_uid, activity_id, tenant, product, log, uid, service, name,
    calls, bytes_in, bytes_out, with_bytes, records, with_records, version)`, inserted); err != nil {
		t.Fatal(err)
	}
	digestPeaks(t, store, begin, days)
	for id, counts := range map[string]func(hourRow) (stream int, value, count uint64){
		"traffic-spike": func(r hourRow) (int, uint64, uint64) {
			if slices.Contains([]string{"ApexCallout", "NamedCredential", "CompositeApiSubrequest"}, r.log) {
				return -1, 0, 0
			}
			return second(r.log == "ApiTotalUsage"), r.calls, r.calls
		},
		"payload-spike": func(r hourRow) (int, uint64, uint64) {
			if r.withBytes == 0 || r.log == "CompositeApiSubrequest" || r.log == "ApiTotalUsage" {
				return -1, 0, 0
			}
			if strings.HasSuffix(r.log, "Callout") {
				return 0, r.out, r.withBytes
			}
			return 0, r.in, r.withBytes
		},
		"rows-spike": func(r hourRow) (int, uint64, uint64) {
			if r.class != 6003 || r.activity != 2 || r.records == 0 || r.log == "CompositeApiSubrequest" || r.log == "ApiTotalUsage" {
				return -1, 0, 0
			}
			return second(r.log == "ApiEvent" || r.log == "BulkApiResultEvent"), r.records, r.withRecords
		},
	} {
		t.Run(id, func(t *testing.T) {
			rule := oneRule(t, id)
			// All of it, and a part that begins and ends within days.
			for _, w := range []Window{{begin, testBase}, {begin.Add(30 * time.Hour), begin.Add(77 * time.Hour)}} {
				sameSeries(t, store, rule, w, rows, counts)
			}
		})
	}
}

// second is the number of the stream that is told of twice.
func second(is bool) int {
	if is {
		return 1
	}
	return 0
}

// sameSeries holds the series that a rule reads against those that its hours add up to.
func sameSeries(t *testing.T, store schema.Store, rule Rule, w Window, rows []hourRow, counts func(hourRow) (int, uint64, uint64)) {
	t.Helper()
	hours, names := map[seriesKey]map[time.Time]*seriesHour{}, map[seriesKey]map[time.Time]string{}
	for _, r := range rows {
		stream, value, count := counts(r)
		if stream < 0 || r.uid == "" || r.class == 3002 || r.hour.Before(w.From) || !r.hour.Before(w.To) {
			continue
		}
		key := seriesKey{"acme", r.product, r.uid}
		if hours[key] == nil {
			hours[key], names[key] = map[time.Time]*seriesHour{}, map[time.Time]string{}
		}
		if hours[key][r.hour] == nil {
			hours[key][r.hour] = &seriesHour{}
		}
		hours[key][r.hour].values[stream] += value
		hours[key][r.hour].counts[stream] += count
		names[key][r.hour.Truncate(day)] = max(names[key][r.hour.Truncate(day)], r.name)
	}
	records, err := NewRunner(store, []Rule{rule}, Options{}).read(t.Context(), rule, w.From, w.To, map[string]any{"bucket": uint32(3600), "with_evidence": uint8(0), "entity_uid": ""})
	if err != nil {
		t.Fatal(err)
	}
	series, named, err := seriesOf(records)
	if err != nil {
		t.Fatal(err)
	}
	counted, err := eventsOf(records)
	if err != nil {
		t.Fatal(err)
	}
	if len(hours) == 0 || len(series) != len(hours) {
		t.Errorf("%d series, want %d, more than none", len(series), len(hours))
	}
	for key, of := range hours {
		var want []Bucket
		for _, hour := range slices.SortedFunc(maps.Keys(of), time.Time.Compare) {
			want = append(want, Bucket{From: hour, Value: float64(max(of[hour].values[0], of[hour].values[1]))})
			if n := max(of[hour].counts[0], of[hour].counts[1]); counted != nil && counted[key][hour] != n {
				t.Errorf("%v at %s: %d events, want %d", key, hour, counted[key][hour], n)
			}
		}
		if !slices.Equal(series[key], want) {
			t.Errorf("%v: series %v, want %v", key, series[key], want)
		}
		// A day has one name, though the stretch may hold a part of it only.
		if name := slices.Max(slices.Collect(maps.Values(names[key]))); w.From.Equal(w.From.Truncate(day)) && named[key] != name {
			t.Errorf("%v is named %q, want %q", key, named[key], name)
		}
	}
}

func randomHourRows(random *rand.Rand, begin time.Time, days int) (rows []hourRow) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for range 3000 {
		r := hourRow{
			hour: begin.Add(time.Duration(random.IntN(days*24)) * time.Hour), class: []uint16{6003, 6003, 4002, 3002}[random.IntN(4)], activity: uint8(1 + random.IntN(2)),
			product: pick("Salesforce", "Kong Gateway"), log: pick("RestApi", "BulkApi2", "ApiEvent", "BulkApiResultEvent", "ApiTotalUsage", "ApexCallout", "NamedCredential", "CompositeApiSubrequest"),
			uid: pick("", "005a", "005b", "005c"), service: pick("", "crm"), calls: 3 * uint64(1+random.IntN(50)),
		}
		if random.IntN(2) == 0 {
			r.name = pick("svc-a", "svc-b", "svc-c@acme.example")
		}
		if random.IntN(2) == 0 {
			r.withBytes = 3 * uint64(1+random.IntN(20))
			r.in, r.out = 3*uint64(random.IntN(2)*random.IntN(1e6)), 3*uint64(random.IntN(1e6))
		}
		if random.IntN(2) == 0 {
			r.records, r.withRecords = 3*uint64(1+random.IntN(5000)), 3*uint64(1+random.IntN(20))
		}
		rows = append(rows, r)
	}
	// One row a sorting key.
	slices.SortStableFunc(rows, func(a, b hourRow) int { return strings.Compare(a.key(), b.key()) })
	return slices.CompactFunc(rows, func(a, b hourRow) bool { return a.key() == b.key() })
}

// key is that by which event_hours is sorted.
func (r hourRow) key() string {
	return fmt.Sprintf("%s|%d|%d|%s|%s|%s|%s", r.hour, r.class, r.activity, r.product, r.log, r.uid, r.service)
}
