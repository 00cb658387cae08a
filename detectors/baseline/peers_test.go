package baseline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Peers judge the same in whatever order they are told, rank a value among all, and find
// strange only what is past the largest and past the guards.
func TestPeers(t *testing.T) {
	o := Options{Bucket: time.Hour, Direction: Up, Counts: true, Guards: Guards{Least: 50, Ratio: 4, OverPeak: 2}}
	var values []float64
	for i := range 2000 {
		values = append(values, float64(20+i%81))
	}
	p := NewPeers(o, append([]float64{math.NaN(), math.Inf(1)}, values...))
	for _, c := range []struct {
		x       float64
		strange bool
	}{{10, false}, {60, false}, {100, false}, {199, false}, {239, false}, {240, true}, {1e6, true}, {math.NaN(), false}} {
		if v := p.Judge(c.x); v.Strange != c.strange {
			t.Errorf("%g: %+v", c.x, v)
		}
	}
	if v := p.Judge(80); math.Abs(v.Median-60) > 1 || v.Largest != 100 || math.Abs(v.Share-0.74) > 0.03 {
		t.Errorf("among its peers: %+v", v)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	if a, b := p.Judge(300), NewPeers(o, values).Judge(300); a != b {
		t.Errorf("in another order %+v, not %+v", b, a)
	}
	if v := NewPeers(o, nil).Judge(1e9); v != (PeerVerdict{}) {
		t.Errorf("without peers: %+v", v)
	}
}
