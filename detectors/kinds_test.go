package detectors

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/crmwatch/crmwatch/schema"
)

func atHour(hours int) time.Time { return testBase.Add(time.Duration(hours) * time.Hour) }

func hours(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.IntRange(0, 12*24), 30, 80).Draw(t, "hours")
}

// Whatever order sightings come in, in however many parts, the state is the same, and
// so is what is said of it.
func TestNoveltiesDependOnNoOrder(t *testing.T) {
	kind := FirstSeen{WarmUp: 2 * day, KnownAtMost: 3, Forget: 5 * day}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		var all []Sighting
		for _, h := range hours(t) {
			all = append(all, Sighting{rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "value"), atHour(h), atHour(h)})
		}
		judge := func(sightings []Sighting) []Novelty {
			e := ruleState{}.entity(seriesKey{})
			for _, s := range sightings {
				e.saw(sightingKey{s.Value, gridIndex(s.First, day)}, s.First, s.Last)
			}
			var kept []Sighting
			for _, s := range e.sightings {
				kept = append(kept, s)
			}
			return FindNovelties(kept, kind, day)
		}
		want := judge(all)
		found += len(want)
		mixed := rapid.Permutation(slices.Concat(all, all[:len(all)/2])).Draw(t, "order")
		if diff := cmp.Diff(want, judge(mixed), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		// What comes later changes nothing of what was said of a window before.
		cut := atHour(24 * rapid.IntRange(0, 12).Draw(t, "cut"))
		early := judge(slices.DeleteFunc(slices.Clone(all), func(s Sighting) bool { return !s.First.Before(cut) }))
		want = slices.DeleteFunc(want, func(n Novelty) bool { return !n.Window.From.Before(cut) })
		if diff := cmp.Diff(want, early, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
	if found == 0 {
		t.Error("nothing was found in any case")
	}
}

// A chain is found in a window if and only if trying every event as the end finds one
// whose steps are complete in their order, each as late as possible.
func TestChainsAreThoseThatTryingFinds(t *testing.T) {
	kind := Sequence{Steps: []Step{{"look", 1, 2}, {"count", 2, 1}, {"take", 1, 1}}, Within: 4 * day}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		var events []StepEvent
		for i, h := range hours(t) {
			events = append(events, StepEvent{Step: rapid.SampledFrom([]string{"look", "count", "take"}).Draw(t, "step"),
				Value: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value"), Time: atHour(h), UID: schema.HashUID(fmt.Sprint(i))})
		}
		var want []time.Time
		for _, last := range events {
			if window := gridWindow(gridIndex(last.Time, day), day).From; last.Step == "take" && tryChain(events, last.Time, kind) && !slices.ContainsFunc(want, window.Equal) {
				want = append(want, window)
			}
		}
		slices.SortFunc(want, time.Time.Compare)
		var got []time.Time
		for _, chain := range FindChains(rapid.Permutation(slices.Concat(events, events[:len(events)/2])).Draw(t, "order"), kind, day) {
			got = append(got, chain.Window.From)
			span := chain.Steps[2][0].Time.Sub(chain.Steps[0][0].Time)
			if span > kind.Within || !chain.Steps[0][len(chain.Steps[0])-1].Time.Before(chain.Steps[1][0].Time) || len(chain.Steps[1]) < 2 {
				t.Fatalf("chain %v", chain)
			}
		}
		found += len(got)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
	if found == 0 {
		t.Error("nothing was found in any case")
	}
}

// tryChain goes back from the end, event by event.
func tryChain(events []StepEvent, end time.Time, kind Sequence) bool {
	next := end.Add(time.Millisecond)
	for k := len(kind.Steps) - 1; k >= 0; k-- {
		step, values, count := kind.Steps[k], map[string]bool{}, 0
		before := slices.DeleteFunc(slices.Clone(events), func(e StepEvent) bool { return e.Step != step.Name || !e.Time.Before(next) })
		slices.SortFunc(before, func(a, b StepEvent) int { return b.Time.Compare(a.Time) })
		complete := false
		for _, e := range before {
			values[e.Value] = true
			count++
			if count >= step.Count && len(values) >= step.Distinct {
				complete, next = true, e.Time
				break
			}
		}
		if !complete || end.Sub(next) > kind.Within {
			return false
		}
	}
	return true
}

func TestQuiets(t *testing.T) {
	office := func(days int) []time.Time { // 2026-03-02 is a Monday
		var buckets []time.Time
		for d := range days {
			for h := 8; d%7 < 5 && h < 17; h++ {
				buckets = append(buckets, atHour(24*d+h))
			}
		}
		return buckets
	}
	for _, c := range []struct {
		name    string
		buckets []time.Time
		newest  time.Time
		kind    Silence
		want    []string
	}{
		{"nights and weekends are usual", office(26), atHour(26 * 24), Silence{Times: 2}, nil},
		{"a week away", office(19), atHour(28 * 24), Silence{Times: 2}, []string{"2026-03-20 17:00, usual 64h0m0s, since 2026-03-26 01:00"}},
		{"not long enough yet", office(19), atHour(23*24 + 24), Silence{Times: 2}, nil},
		{"a fixed time", office(9), atHour(9 * 24), Silence{QuietFor: 40 * time.Hour}, []string{"2026-03-06 17:00, usual 16h0m0s, since 2026-03-08 09:00, back 2026-03-09 08:00"}},
		{"too little history", office(3), atHour(30 * 24), Silence{QuietFor: 6 * time.Hour}, nil},
		{"active once", []time.Time{atHour(0)}, atHour(30 * 24), Silence{QuietFor: 6 * time.Hour}, nil},
	} {
		c.kind.Bucket = time.Hour
		if c.kind.LeastHistory = 7 * day; c.name == "a fixed time" {
			c.kind.LeastHistory = 3 * day
		}
		var got []string
		for _, q := range FindQuiets(c.buckets, c.newest, c.kind) {
			text := fmt.Sprintf("%s, usual %s, since %s", q.From.Format("2006-01-02 15:04"), q.Usual, q.Due.Format("2006-01-02 15:04"))
			if !q.Until.IsZero() {
				text += ", back " + q.Until.Format("2006-01-02 15:04")
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
