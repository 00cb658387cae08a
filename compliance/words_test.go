package compliance

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestNumbersInWords(t *testing.T) {
	for _, c := range []struct {
		unit         Unit
		number, want string
	}{
		{"", "0", "0"}, {"", "999", "999"}, {"", "1000", "1,000"}, {"", "-1234567", "-1,234,567"}, {"", "18446744073709551615", "18,446,744,073,709,551,615"},
		{"", "0.5", "0.50"}, {"", "12.345", "12.35"}, {"", "1234.5", "1,235"}, {"", "1e+21", "1,000,000,000,000,000,000,000"}, {"", "0.0012", "0.0012"}, {"logins", "2000", "2,000 logins"},
		{UnitBytes, "0", "0 B"}, {UnitBytes, "999", "999 B"}, {UnitBytes, "1000", "1.0 kB"}, {UnitBytes, "999499", "999 kB"}, {UnitBytes, "999949", "1.0 MB"}, {UnitBytes, "1500000", "1.5 MB"},
		{UnitBytes, "48000000000", "48.0 GB"}, {UnitBytes, "2.5e+18", "2500 PB"},
		{UnitMilliseconds, "0", "0 ms"}, {UnitMilliseconds, "1.25", "1.25 ms"}, {UnitMilliseconds, "999", "999 ms"}, {UnitMilliseconds, "1500", "1.5 s"}, {UnitMilliseconds, "60000", "1 min"},
		{UnitMilliseconds, "61000", "1 min 1 s"}, {UnitMilliseconds, "-61000", "-1 min 1 s"}, {UnitSeconds, "3600", "1 h"}, {UnitSeconds, "90061", "1 d 1 h"}, {UnitSeconds, "100000000", "1,157 d 9 h"},
		{UnitPercent, "0", "0 %"}, {UnitPercent, "0.01", "under 0.1 %"}, {UnitPercent, "33.333", "33.3 %"}, {UnitPercent, "99.95", "over 99.9 %"}, {UnitPercent, "100", "100 %"}, {UnitID, "6003", "6003"},
	} {
		if got := sayNumber(c.unit, json.Number(c.number)); got != c.want {
			t.Errorf("%s %s is said %q, want %q", c.number, c.unit, got, c.want)
		}
	}
	for n, want := range map[float64]string{0: "0", 0.5: "0.50", 500_000: "500,000", 3_000_000: "3 million", 1.5e9: "1.5 billion", -2e6: "-2 million", 2e15: "2000 trillion"} {
		if got := sayRound(n); got != want {
			t.Errorf("%v is labelled %q, want %q", n, got, want)
		}
	}
}

// Whatever a log holds, no cell of the annex runs in a spreadsheet and no number is
// taken for text.
func TestNoCellIsAFormula(t *testing.T) {
	parts := []string{"=", "+", "-", "@", "\t", "\r", "\n", " ", "'", `"`, "\u00a0", "\ufeff", "\uff1d", "a", "1", "|", "%", ";", ","}
	source := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var text strings.Builder
		for range source.IntN(6) {
			text.WriteString(parts[source.IntN(len(parts))])
		}
		got := csvCell(text.String())
		bare := strings.TrimLeft(got, " \t\r\n\u00a0\ufeff\"")
		if bare != "" && strings.ContainsRune("=+-@", []rune(bare)[0]) {
			t.Errorf("%q is written as %q", text.String(), got)
		}
		if !strings.HasSuffix(got, text.String()) {
			t.Errorf("%q became %q", text.String(), got)
		}
	}
	for _, number := range []string{"-5", "1e-7", "18446744073709551615"} {
		if got := csvCell(json.Number(number)); got != number {
			t.Errorf("the number %s is written as %q", number, got)
		}
	}
	if got := csvCell([]any{"=1+1", json.Number("2")}); got != "'=1+1; 2" {
		t.Errorf("a list is written as %q", got)
	}
}

func TestValueTicks(t *testing.T) {
	for name, values := range map[string][]float64{"none": nil, "zero": {0}, "one": {1}, "shares": {0.1, 0.35}, "negative": {-20, 35}, "equal": {7, 7}, "large": {3.2e12}, "small": {1e-9}} {
		var all []value
		for _, n := range values {
			all = append(all, value{n: n})
		}
		ticks := valueTicks(all)
		if len(ticks) < 2 || len(ticks) > 7 {
			t.Errorf("%s: the ticks are %v", name, ticks)
		}
		for _, n := range values {
			if n < ticks[0] || n > ticks[len(ticks)-1]*(1+1e-9) {
				t.Errorf("%s: %v is outside of %v", name, n, ticks)
			}
		}
	}
}

func TestKindsOfColumns(t *testing.T) {
	for database, want := range map[string]Kind{
		"String": KindText, "LowCardinality(Nullable(String))": KindText, "FixedString(16)": KindText, "UUID": KindText, "Enum8('a' = 1)": KindText, "IPv6": KindText, "IntervalDay": KindText,
		"UInt64": KindNumber, "Nullable(Int256)": KindNumber, "Decimal(18, 2)": KindNumber, "SimpleAggregateFunction(max, UInt64)": KindNumber, "Float32": KindNumber,
		"Date": KindDay, "Date32": KindDay, "DateTime": KindTime, "Nullable(DateTime64(3, 'UTC'))": KindTime, "SimpleAggregateFunction(max, DateTime64(3, 'UTC'))": KindTime,
		"Bool": KindBool, "Array(String)": KindList, "Map(String, UInt64)": KindList, "Tuple(String, UInt8)": KindList,
	} {
		if got := kindOf(database); got != want {
			t.Errorf("%s is %s, want %s", database, got, want)
		}
	}
	if got := fmt.Sprintf("%v %v %v", floatCell(0.1), floatCell(1e21), floatCell(math.NaN())); got != "0.1 1e+21 <nil>" {
		t.Errorf("numbers are written %s", got)
	}
}

// A day and two of them are told in numbers: a plot of one point says nothing. Days are
// called days, however few they are.
func TestTrendOfFewDays(t *testing.T) {
	for days, want := range map[int]int{1: 0, 2: 0, 3: 1, 7: 1} {
		s := nasty()
		s.Content.Period = Period{Custom, s.Content.Period.From, s.Content.Period.From.AddDate(0, 0, days)}
		a := Answer{ID: "a", Show: ShowTrend, Limit: 20, Columns: []Column{{Name: "day", Kind: KindDay}, {Name: "n", Kind: KindNumber}}}
		for d := range days {
			a.Rows = append(a.Rows, Row{s.Content.Period.From.AddDate(0, 0, d).Format(cellDay), json.Number("5")})
		}
		drawn := plots(s, a)
		if len(drawn) != want {
			t.Errorf("%d days make %d plots", days, len(drawn))
		}
		for _, p := range drawn {
			if len(p.XTicks) != days || p.XTicks[0].Label != "2 Mar" {
				t.Errorf("%d days are labelled %v", days, p.XTicks)
			}
			for _, tick := range p.XTicks {
				if x, err := strconv.ParseFloat(tick.At, 64); err != nil || x < p.Left || x > p.Right {
					t.Errorf("of %d days, one is labelled at %s, outside of the plot", days, tick.At)
				}
			}
		}
	}
}
