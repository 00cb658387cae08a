package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// shape is a kind of ordinary series: what is usual at a bucket, and the noise.
type shape struct {
	name   string
	bucket time.Duration
	days   int
	// counts says that values are counts of calls: never negative, gaps are zero.
	counts bool
	// quiet series get no incidents: everything raised in them is false.
	quiet bool
	// make draws n values, and says how wide the noise is where an incident lands.
	make func(r *rand.Rand, n int, perDay int) (values []float64, sigma func(i int) float64)
}

// rhythm is a working day's curve, 0 to 1, with a quieter weekend.
func rhythm(i, perDay int) float64 {
	hour := float64(i%perDay) / float64(perDay) * 24
	x := math.Max(0, math.Sin((hour-6)/14*math.Pi))
	if hour < 6 || hour > 20 {
		x = 0
	}
	if i/perDay%7 >= 5 {
		x *= 0.3
	}
	return x
}

func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return math.Max(0, math.Round(mean+r.NormFloat64()*math.Sqrt(mean)))
	}
	limit, product, n := math.Exp(-mean), 1.0, -1.0
	for product > limit || n < 0 {
		product *= r.Float64()
		n++
	}
	return n
}

// drawn makes n values, one after the other.
func drawn(f func(i int) float64) func(n int) []float64 {
	return func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = f(i)
		}
		return values
	}
}

func constantly(x float64) func(int) float64 { return func(int) float64 { return x } }

// shapes are modelled on what people watch: calls, errors and bytes of integrations,
// and the servers, machines and cities of the public collections.
var shapes = []shape{
	{"calls, 5 min", 5 * time.Minute, 28, true, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		level := func(i int) float64 { return 15 + 120*rhythm(i, perDay) }
		return drawn(func(i int) float64 { return poisson(r, level(i)) })(n), func(i int) float64 { return math.Sqrt(level(i)) }
	}},
	{"calls, 1 h", time.Hour, 56, true, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		level := func(i int) float64 { return 100 + 1500*rhythm(i, perDay) }
		return drawn(func(i int) float64 { return math.Round(level(i) * math.Exp(0.08*r.NormFloat64())) })(n),
			func(i int) float64 { return 0.08 * level(i) }
	}},
	{"processor load, 5 min", 5 * time.Minute, 14, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		noise := 0.0
		return drawn(func(i int) float64 {
			noise = 0.6*noise + 1.5*r.NormFloat64()
			x := 35 + noise
			if r.Float64() < 0.01 {
				x += 8 * r.ExpFloat64()
			}
			return math.Max(0, math.Min(100, x))
		})(n), constantly(3)
	}},
	{"machine temperature, 5 min", 5 * time.Minute, 42, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		slow, fast := 0.0, 0.0
		return drawn(func(i int) float64 {
			slow = 0.998*slow + 0.2*r.NormFloat64()
			fast = 0.8*fast + 0.6*r.NormFloat64()
			return 85 + slow + fast + 2*math.Sin(2*math.Pi*float64(i)/float64(perDay))
		})(n), constantly(3.4)
	}},
	{"taxi trips, 30 min", 30 * time.Minute, 120, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		level := func(i int) float64 {
			return 15000 + 9000*math.Sin(2*math.Pi*(float64(i%perDay)/float64(perDay)-0.4)) + 3000*math.Sin(4*math.Pi*float64(i%perDay)/float64(perDay)) + 1500*math.Cos(2*math.Pi*float64(i)/float64(7*perDay))
		}
		noise := 0.0
		return drawn(func(i int) float64 {
			noise = 0.8*noise + 300*r.NormFloat64()
			return math.Round(level(i) + noise)
		})(n), constantly(800)
	}},
	{"web requests with a trend, 1 h", time.Hour, 60, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 {
			return (1000 + 0.5*float64(i)) * (1 + 0.4*math.Sin(2*math.Pi*float64(i)/24) + 0.1*math.Sin(2*math.Pi*float64(i)/168) + 0.05*r.NormFloat64())
		})(n), constantly(70)
	}},
	{"noise about zero, 1 h", time.Hour, 60, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return math.Sin(2*math.Pi*float64(i)/12) + 0.3*r.NormFloat64() })(n), constantly(0.3)
	}},
	{"errors, mostly none, 5 min", 5 * time.Minute, 28, true, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(int) float64 {
			if r.Float64() < 0.03 {
				return 1 + poisson(r, 2)
			}
			return 0
		})(n), constantly(5)
	}},
	{"bytes, heavy tail, 5 min", 5 * time.Minute, 28, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return math.Round(1e5 * (1 + rhythm(i, perDay)) * math.Exp(r.NormFloat64())) })(n), constantly(6e5)
	}},
	{"latency, 5 min", 5 * time.Minute, 21, false, false, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return (80 + 40*rhythm(i, perDay)) * math.Exp(0.25*r.NormFloat64()) })(n), constantly(25)
	}},

	{"constant", 5 * time.Minute, 28, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(constantly(r.Float64() * 100))(n), nil
	}},
	{"white noise, 5 min", 5 * time.Minute, 56, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(int) float64 { return 100 + 10*r.NormFloat64() })(n), nil
	}},
	{"lognormal noise, 5 min", 5 * time.Minute, 56, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(int) float64 { return math.Exp(1.2 * r.NormFloat64()) })(n), nil
	}},
	{"lognormal noise, 1 h", time.Hour, 120, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(int) float64 { return math.Exp(1.2 * r.NormFloat64()) })(n), nil
	}},
	{"daily, 5 min", 5 * time.Minute, 42, true, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return poisson(r, 3+60*rhythm(i, perDay)) })(n), nil
	}},
	{"weekly, 1 h", time.Hour, 120, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return 50 + 500*rhythm(i, perDay) + 15*r.NormFloat64() })(n), nil
	}},
	{"nightly job, 5 min", 5 * time.Minute, 42, true, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 {
			if at := i % perDay; at >= 24 && at < 30 {
				return 400 + poisson(r, 100)
			}
			return poisson(r, 2)
		})(n), nil
	}},
	{"weekly job, 1 h", time.Hour, 120, true, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 {
			if i%(7*perDay) == 50 {
				return 4000 + poisson(r, 500)
			}
			return poisson(r, 30)
		})(n), nil
	}},
	{"sparse, 5 min", 5 * time.Minute, 56, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(int) float64 {
			if r.Float64() < 0.01 {
				return math.Round(20 * math.Exp(0.7*r.NormFloat64()))
			}
			return 0
		})(n), nil
	}},
	{"growing, 1 h", time.Hour, 120, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 {
			return (200 + 300*rhythm(i, perDay)) * (1 + float64(i)/float64(60*perDay)) * (1 + 0.07*r.NormFloat64())
		})(n), nil
	}},
	{"growing noise, 5 min", 5 * time.Minute, 56, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		return drawn(func(i int) float64 { return 100 + 40*float64(i)/float64(56*perDay) + 4*r.NormFloat64() })(n), nil
	}},
	{"on and off, 5 min", 5 * time.Minute, 42, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		on := false
		return drawn(func(i int) float64 {
			if r.Float64() < 0.02 {
				on = !on
			}
			if on {
				return 80 + 3*r.NormFloat64()
			}
			return 20 + 2*r.NormFloat64()
		})(n), nil
	}},
	{"wandering, 5 min", 5 * time.Minute, 42, false, true, func(r *rand.Rand, n, perDay int) ([]float64, func(int) float64) {
		x := 0.0
		return drawn(func(int) float64 { x = 0.999*x + r.NormFloat64(); return 300 + x })(n), nil
	}},
}
