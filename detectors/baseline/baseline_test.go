package baseline

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// rhythm is a working day's load with counting noise.
func rhythm(r *rand.Rand, i, perDay int) float64 {
	x := 40 + 200*math.Max(0, math.Sin((float64(i%perDay)/float64(perDay)-0.25)*2*math.Pi))
	return math.Round(x + r.NormFloat64()*math.Sqrt(x))
}

// saved is the same series after it was stored and fetched.
func saved(t interface{ Fatal(...any) }, s *Series) *Series {
	state, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again := New(s.o)
	if err := again.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	return again
}

// Wherever a series is cut, saved and restored, every verdict is the same, and so is
// the state in the end: with gaps, values that are no numbers, episodes, any bucket.
func TestTheCutChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "bucket")
		o := Options{
			Bucket: size, Direction: rapid.SampledFrom([]Direction{Both, Up, Down}).Draw(t, "direction"),
			Counts: rapid.Bool().Draw(t, "counts"), WarmUp: rapid.IntRange(10, 80).Draw(t, "warm-up"),
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, 400), 1, 12, rapid.ID[int]).Draw(t, "cuts")
		whole, cut := New(o), New(o)
		at := monday
		for i := range 400 {
			x := 50 + 20*r.NormFloat64()
			switch r.IntN(40) {
			case 0:
				x = math.NaN()
			case 1:
				x *= 50
			case 2:
				at = at.Add(time.Duration(r.IntN(30)) * size)
			case 3:
				x = 0
			}
			if i > 250 && i < 300 {
				x += 400
			}
			at = at.Add(size)
			for _, c := range cuts {
				if c == i {
					cut = saved(t, cut)
				}
			}
			if diff := cmp.Diff(whole.Observe(at, x), cut.Observe(at, x), cmp.Comparer(same)); diff != "" {
				t.Fatalf("bucket %d: %s", i, diff)
			}
		}
		a, _ := whole.MarshalBinary()
		b, _ := cut.MarshalBinary()
		if !bytes.Equal(a, b) {
			t.Fatal("the states differ in the end")
		}
	})
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// Two years of 5-minute buckets need no more room than two months.
func TestTheStateIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := New(Options{})
	at, largest, early := monday, 0, 0
	for i := range 2 * 365 * 288 {
		s.Observe(at, rhythm(r, i, 288)*math.Exp(r.NormFloat64()))
		at = at.Add(5 * time.Minute)
		if i%500 == 0 {
			state, _ := s.MarshalBinary()
			largest = max(largest, len(state))
			if i < 60*288 {
				early = largest
			}
		}
	}
	if largest > 11<<10 || largest > early+early/10 {
		t.Errorf("the state has grown to %d bytes, %d after two months", largest, early)
	}
	t.Logf("at most %d bytes", largest)
}

// What is not a state is refused and leaves the series as it was.
func TestUnmarshalRefuses(t *testing.T) {
	s := New(Options{})
	for i := range 300 {
		s.Observe(monday.Add(time.Duration(i)*5*time.Minute), float64(i%7))
	}
	state, _ := s.MarshalBinary()
	for name, bad := range map[string][]byte{
		"none": nil, "another version": append([]byte{99}, state[1:]...), "longer": append(bytes.Clone(state), 0),
	} {
		if err := s.UnmarshalBinary(bad); !errors.Is(err, errState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range state {
		if s.UnmarshalBinary(state[:n]) == nil {
			t.Fatalf("the first %d of %d bytes were taken", n, len(state))
		}
	}
	for _, o := range []Options{{Bucket: time.Hour}, {Direction: Up}, {Counts: true}} {
		if err := New(o).UnmarshalBinary(state); !errors.Is(err, ErrOtherOptions) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if after, _ := s.MarshalBinary(); !bytes.Equal(state, after) {
		t.Error("a refused state has changed the series")
	}
}

func FuzzUnmarshal(f *testing.F) {
	s := New(Options{Counts: true})
	for i := range 500 {
		s.Observe(monday.Add(time.Duration(i)*5*time.Minute), float64(i%7))
		if i%100 == 3 {
			state, _ := s.MarshalBinary()
			f.Add(state, 5.0)
		}
	}
	f.Fuzz(func(t *testing.T, state []byte, x float64) {
		s := New(Options{Counts: true})
		if s.UnmarshalBinary(state) != nil {
			return
		}
		at := time.UnixMilli(s.last)
		for i := range 70 {
			v := s.Observe(at.Add(time.Duration(i+1)*5*time.Minute), x)
			if math.IsNaN(v.Score) || v.Score < 0 || v.Score > mostSurprise {
				t.Fatalf("score %g", v.Score)
			}
		}
		saved(t, s)
	})
}

// The farther a value lies out, the higher its score, on either side; and a score is a
// number of 0 to 100 whatever the past.
func TestScoreIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var past tail
		for _, x := range rapid.SliceOfN(rapid.Float64Range(-1e9, 1e9), 1, 300).Draw(t, "past") {
			past.add(x, 1, 0)
		}
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		a, b = min(a, b), max(a, b)
		for _, up := range []bool{true, false} {
			low, _ := past.score(a, 1, up)
			high, _ := past.score(b, 1, up)
			if !up {
				low, high = high, low
			}
			if low > high || !(low >= 0) || high > mostSurprise {
				t.Fatalf("scores %g and %g of %g and %g, up %v", low, high, a, b, up)
			}
		}
	})
}

// The share is that of the exact past, to a factor of 1.6 far out.
func TestShareIsNearTheExactOne(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var past tail
	values := make([]float64, 20000)
	for i := range values {
		values[i] = math.Exp(1.5 * r.NormFloat64())
		past.add(values[i], 1, 0)
	}
	for _, x := range []float64{1, 5, 20, 50, 100} {
		exact := 0.0
		for _, y := range values {
			if y >= x {
				exact++
			}
		}
		exact /= float64(len(values))
		if got := past.share(x, 1, true); math.Abs(math.Log10(got/exact)) > 0.2 {
			t.Errorf("share at %g is %g, exactly %g", x, got, exact)
		}
	}
}

func TestOddBuckets(t *testing.T) {
	s := New(Options{WarmUp: 50})
	for i := range 100 {
		s.Observe(monday.Add(time.Duration(i)*5*time.Minute), 10)
	}
	state, _ := s.MarshalBinary()
	late := s.Observe(monday, 1e9)
	if again, _ := s.MarshalBinary(); late.Score != 0 || !bytes.Equal(state, again) {
		t.Error("a bucket that is not after the newest was taken")
	}
	at := monday.Add(100 * 5 * time.Minute)
	for i, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if v := s.Observe(at.Add(time.Duration(i)*5*time.Minute), x); v.Score != 0 || v.Open {
			t.Errorf("%g: %+v", x, v)
		}
	}
	if v := s.Observe(at.Add(time.Hour), 20); v.Score < openAtOnce || !v.Open || v.Down || v.PeakBefore != 10 {
		t.Errorf("twice of what was always the same: %+v", v)
	}
}

// In a series of counts a gap is zeros, and an episode in it is reported.
func TestGapsOfCountsAreZeros(t *testing.T) {
	gap, zeros := New(Options{Counts: true, Bucket: time.Hour}), New(Options{Counts: true, Bucket: time.Hour})
	r := rand.New(rand.NewPCG(9, 9))
	var fromGap, fromZeros []Episode
	for i := range 40 * 24 {
		x := 200 + 5*r.NormFloat64()
		at := monday.Add(time.Duration(i) * time.Hour)
		if i >= 500 && i < 600 {
			fromZeros = append(fromZeros, zeros.Observe(at, 0).Ended...)
			continue
		}
		fromGap = append(fromGap, gap.Observe(at, x).Ended...)
		fromZeros = append(fromZeros, zeros.Observe(at, x).Ended...)
	}
	if len(fromGap) == 0 || !fromGap[0].Down || !fromGap[0].From.Equal(monday.Add(500*time.Hour)) {
		t.Errorf("the gap made %+v", fromGap)
	}
	if diff := cmp.Diff(fromZeros, fromGap); diff != "" {
		t.Error(diff)
	}
}

// A verdict explains itself.
func TestVerdictExplains(t *testing.T) {
	s := New(Options{Counts: true, Direction: Up, Bucket: time.Hour})
	var v Verdict
	for i := range 28*24 + 11 {
		x := 140.0
		if i%24 < 6 {
			x = 20
		}
		if i == 28*24+10 {
			x = 3912
		}
		v = s.Observe(monday.Add(time.Duration(i)*time.Hour), x)
	}
	if !v.Open || v.Median != 140 || v.Slot() != "Monday 10:00" || v.PeakBefore != 140 || v.Share < 0.998 || v.History != (28*24+10)*time.Hour {
		t.Errorf("%+v, slot %s", v, v.Slot())
	}
}

func BenchmarkRun(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	s := New(Options{})
	at := monday
	n := 40 * 288
	for i := range n {
		s.Observe(at.Add(time.Duration(i)*5*time.Minute), rhythm(r, i, 288))
	}
	state, _ := s.MarshalBinary()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		again := New(Options{})
		if err := again.UnmarshalBinary(state); err != nil {
			b.Fatal(err)
		}
		again.Observe(at.Add(time.Duration(n)*5*time.Minute), 90)
		state, _ = again.AppendBinary(state[:0])
		n++
	}
}

func BenchmarkObserve(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	s := New(Options{})
	i := 0
	for b.Loop() {
		s.Observe(monday.Add(time.Duration(i)*5*time.Minute), rhythm(r, i, 288))
		i++
	}
}

// What follows a spike is neither strange because the mean still holds it, nor because
// it is so much less.
func TestWhatFollowsASpikeIsCalm(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, size := range []time.Duration{5 * time.Minute, time.Hour} {
		s, perDay := New(Options{Bucket: size}), int(24*time.Hour/size)
		n := 21 * perDay
		for i := range n + 12 {
			x := rhythm(r, i+perDay/2, perDay)
			if i == n {
				x = 5000
			}
			v := s.Observe(monday.Add(time.Duration(i)*size), x)
			if i == n && (!v.Open || v.Score < 5) || i > n && (v.Open || v.Score >= openScore) {
				t.Errorf("%s, %d after the spike: score %.2f, open %v", size, i-n, v.Score, v.Open)
			}
		}
	}
}
