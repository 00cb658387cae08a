package alerting

import "testing"

func TestSparkline(t *testing.T) {
	cases := map[string]struct{ series, want string }{
		"a spike":             {"0,7,7,1208", "▁▂▂█ calls per hour, 0 to 1,208"},
		"never drawn as zero": {"1,0,100000", "▂▁█ calls per hour, 0 to 100,000"},
		"fractions":           {"0.25,0.5,1", "▄▅█ calls per hour, 0 to 1"},
		"no series":           {"", ""},
		"one value":           {"5", ""},
		"nothing at all":      {"0,0,0", ""},
		"not numbers":         {"1,two,3", ""},
		"not finite":          {"1,NaN,3", ""},
	}
	for name, c := range cases {
		if got := sparkline(c.series, "calls per hour"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
