package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// incident is a kind of change that is planted into an ordinary series.
type incident struct {
	name string
	// It lasts min to max hours; 0 is one to three buckets.
	min, max float64
	// change makes a strange value of an ordinary one, of the noise there, and of how
	// far the incident has come, 0 to 1.
	change func(r *rand.Rand) func(x, sigma, at float64) float64
}

func side(r *rand.Rand) float64 {
	if r.IntN(2) == 0 {
		return -1
	}
	return 1
}

var incidents = []incident{
	{"spike", 0, 0, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		size := 6 + 8*r.Float64()
		return func(x, sigma, at float64) float64 { return x + size*sigma }
	}},
	{"dip", 0, 0, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		size := 6 + 8*r.Float64()
		return func(x, sigma, at float64) float64 { return x - size*sigma }
	}},
	{"burst", 1, 4, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		size := 5 + 7*r.Float64()
		return func(x, sigma, at float64) float64 { return x + size*sigma }
	}},
	{"level shift", 8, 20, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		size := side(r) * (4 + 5*r.Float64())
		return func(x, sigma, at float64) float64 { return x + size*sigma }
	}},
	{"slow ramp", 10, 20, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		size := side(r) * (6 + 6*r.Float64())
		return func(x, sigma, at float64) float64 { return x + size*sigma*at }
	}},
	{"drop", 2, 8, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		left := 0.3 * r.Float64()
		return func(x, sigma, at float64) float64 { return x * left }
	}},
	{"wider", 6, 16, func(r *rand.Rand) func(x, sigma, at float64) float64 {
		times := 4 + 3*r.Float64()
		return func(x, sigma, at float64) float64 { return x + times*sigma*r.NormFloat64() }
	}},
}

// leastMoved is how many deviations an incident moves its buckets by on average.
const leastMoved = 1.5

// label is a planted incident: buckets [from, to).
type label struct {
	kind     string
	from, to int
}

// sample is one generated series with what was planted into it.
type sample struct {
	shape  shape
	values []float64
	labels []label
}

// generate makes a shape's series from a seed; the same seed gives the same series.
func generate(s shape, seed uint64) sample {
	r := rand.New(rand.NewPCG(seed, uint64(len(s.name))*7919+uint64(s.name[0])))
	perDay := int(24 * 60 * 60 / s.bucket.Seconds())
	n := s.days * perDay
	values, sigma := s.make(r, n, perDay)
	out := sample{shape: s, values: values}
	if s.quiet {
		return out
	}
	perHour := float64(perDay) / 24
	const planted = 4
	first := n * 35 / 100
	room := (n - first) / planted
	for k := range planted {
		// What the floor of counts swallows is no incident: draw another.
		for try := true; try; {
			kind := incidents[r.IntN(len(incidents))]
			length := 1 + r.IntN(3)
			if kind.max > 0 {
				length = max(3, int((kind.min+r.Float64()*(kind.max-kind.min))*perHour))
			}
			from := first + k*room + r.IntN(max(1, room-length-2*perDay))
			changed, change, moved := slices.Clone(values[from:from+length]), kind.change(r), 0.0
			for i := range changed {
				x := change(changed[i], sigma(from+i), float64(i+1)/float64(length))
				if s.counts {
					x = math.Max(0, math.Round(x))
				}
				moved += math.Abs(x-changed[i]) / sigma(from+i)
				changed[i] = x
			}
			if moved >= leastMoved*float64(length) {
				copy(values[from:], changed)
				out.labels = append(out.labels, label{kind.name, from, from + length})
				try = false
			}
		}
	}
	return out
}
