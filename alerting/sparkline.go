package alerting

import (
	"math"
	"strconv"
	"strings"
)

// Attributes by which a finding brings the series in which it stands out.
const (
	// AttributeSeries are the values of equal stretches of time up to the finding's end,
	// oldest first, separated by commas.
	AttributeSeries = "series"
	// AttributeSeriesStep says what each value is: "calls per hour".
	AttributeSeriesStep = "series_step"
)

// maxSeries is how many values a sparkline shows: two days of hours.
const maxSeries = 48

// sparkline draws a finding's series as one line with its scale: "▁▁▂▁▁█ calls per
// hour, 0 to 1,240". It is empty where the series is missing or no series.
func sparkline(series, step string) string {
	var values []float64
	for text := range strings.SplitSeq(series, ",") {
		value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return ""
		}
		values = append(values, value)
	}
	if len(values) < 2 {
		return ""
	}
	values = values[max(0, len(values)-maxSeries):]
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	if top <= 0 {
		return ""
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var line strings.Builder
	for _, v := range values {
		// What is not nothing is never drawn as nothing: the lowest bar is kept for zero.
		height := 0
		if v > 0 {
			height = 1 + int(v/top*float64(len(bars)-2)+0.5)
		}
		line.WriteRune(bars[min(height, len(bars)-1)])
	}
	text := line.String() + " "
	if step != "" {
		text += shown(step, maxName) + ", "
	}
	return text + "0 to " + sayThousands(uint64(math.Round(top)))
}
