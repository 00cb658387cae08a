package detectors

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// hourly makes a series of n hours from a function of the hour's number.
func hourly(n int, value func(hour int) float64) []Bucket {
	series := make([]Bucket, n)
	for i := range series {
		series[i] = Bucket{From: monday.Add(time.Duration(i) * time.Hour), Value: value(i)}
	}
	return series
}

// byDay is a working day's rhythm with counting noise.
func byDay(random *rand.Rand) func(int) float64 {
	return func(hour int) float64 {
		level := 40 + 300*math.Max(0, math.Sin(float64(hour%24-6)/12*math.Pi))
		if day := hour / 24 % 7; day >= 5 {
			level /= 4
		}
		return math.Round(level + random.NormFloat64()*math.Sqrt(level))
	}
}

func TestFindEpisodesIsQuiet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := byDay(random)
	cases := map[string]func(int) float64{
		"constant":               func(int) float64 { return 100 },
		"empty":                  func(int) float64 { return 0 },
		"flat with noise":        func(int) float64 { return math.Round(200 + random.NormFloat64()*math.Sqrt(200)) },
		"small counts":           func(int) float64 { return float64(random.IntN(6)) },
		"the rhythm of days":     noise,
		"periodic, every second": func(hour int) float64 { return float64(hour % 2 * 500) },
		"nightly":                func(hour int) float64 { return map[bool]float64{true: 4000}[hour%24 == 2] },
		"weekly":                 func(hour int) float64 { return map[bool]float64{true: 4000}[hour%168 == 50] + 30 },
		"sparse":                 func(hour int) float64 { return map[bool]float64{true: 25}[hour%97 == 0] },
		"traffic that stops":     func(hour int) float64 { return map[bool]float64{true: 300}[hour < 400] },
		"not numbers":            func(hour int) float64 { return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 50}[hour%4] },
		"no warm-up":             func(hour int) float64 { return map[bool]float64{true: 10, false: 5000}[hour < 100] },
	}
	for name, value := range cases {
		n := 28 * 24
		if name == "no warm-up" {
			n = 160
		}
		if episodes := FindEpisodes(hourly(n, value), time.Hour, defaultGuards(MetricCalls)); len(episodes) != 0 {
			t.Errorf("%s: %d episodes, the first %+v", name, len(episodes), episodes[0])
		}
	}
}

func TestFindEpisodesFinds(t *testing.T) {
	const at = 20*24 + 10
	add := func(from, to int, x float64) func(func(int) float64) func(int) float64 {
		return func(base func(int) float64) func(int) float64 {
			return func(hour int) float64 {
				if hour >= from && hour < to {
					return base(hour) + x
				}
				return base(hour)
			}
		}
	}
	flat := func(int) float64 { return 100 }
	cases := []struct {
		name     string
		value    func(int) float64
		from, to int
	}{
		{"one hour", add(at, at+1, 4000)(byDay(rand.New(rand.NewPCG(3, 4)))), at, at + 1},
		{"three hours of a constant series", add(at, at+3, 900)(flat), at, at + 3},
		{"a level shift is one episode, until it is the new normal", add(at, 28*24, 900)(flat), at, 0},
		{"a nightly job at noon, ten times as large", func(hour int) float64 {
			switch {
			case hour == at+2:
				return 40000
			case hour%24 < 4:
				return 4000
			}
			return 0
		}, at + 2, at + 3},
		{"two in three", func(hour int) float64 {
			if hour == at || hour == at+1 {
				return 260
			}
			return 60 + float64(hour%7)*10
		}, at, at + 2},
	}
	for _, c := range cases {
		episodes := FindEpisodes(hourly(28*24, c.value), time.Hour, defaultGuards(MetricCalls))
		if len(episodes) != 1 {
			t.Errorf("%s: %d episodes: %+v", c.name, len(episodes), episodes)
			continue
		}
		e := episodes[0]
		if want := monday.Add(time.Duration(c.from) * time.Hour); !e.From.Equal(want) {
			t.Errorf("%s: from %s, want %s", c.name, e.From, want)
		}
		if want := monday.Add(time.Duration(c.to) * time.Hour); c.to > 0 && !e.To.Equal(want) {
			t.Errorf("%s: to %s, want %s", c.name, e.To, want)
		}
	}
}

// A gap counts as zeros, and the future of a series changes nothing before it.
func TestFindEpisodesDependsOnThePastOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1000), 250, 400).Draw(t, "values")
		cut := rapid.IntRange(200, len(values)).Draw(t, "cut")
		whole := hourly(len(values), func(hour int) float64 { return values[hour] })
		guards := Guards{Least: 1, Ratio: 1}
		after, before := FindEpisodes(whole, time.Hour, guards), FindEpisodes(whole[:cut], time.Hour, guards)
		if len(before) > len(after) {
			t.Fatalf("%d episodes at hour %d, %d at the end", len(before), cut, len(after))
		}
		for i := range before {
			if !before[i].From.Equal(after[i].From) {
				t.Fatalf("episode %d began at %s, and with more hours at %s", i, before[i].From, after[i].From)
			}
		}
		var without []Bucket
		for _, b := range whole {
			if b.Value >= 500 {
				without = append(without, b)
			}
		}
		zeroed := hourly(len(values), func(hour int) float64 {
			if values[hour] >= 500 {
				return values[hour]
			}
			return 0
		})
		if a, b := FindEpisodes(without, time.Hour, guards), FindEpisodes(zeroed, time.Hour, guards); len(a) != len(b) {
			t.Fatalf("%d episodes with gaps, %d with zeros", len(a), len(b))
		}
	})
}

// The score has an end, and an episode can go on to grow: its peak is the largest of what is
// as unusual as anything can be.
func TestPeakBeyondTheScore(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	grows := map[int]float64{500: 20_000, 501: 200_000, 502: 150_000, 503: 2_000_000, 504: 2_000_000}
	episodes := FindEpisodes(hourly(600, func(hour int) float64 {
		if x := grows[hour]; x > 0 {
			return x
		}
		return math.Round(200 + random.NormFloat64()*math.Sqrt(200))
	}), time.Hour, defaultGuards(MetricCalls))
	if len(episodes) != 1 || episodes[0].Peak != (Bucket{From: monday.Add(503 * time.Hour), Value: 2_000_000}) {
		t.Errorf("episodes: %+v", episodes)
	}
}
