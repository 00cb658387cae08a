package alerting

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Attributes by which a finding of something that goes on says how large it has become.
const (
	// AttributePeak is its largest value so far, a number without separators.
	AttributePeak = "peak"
	// AttributePeakUnit is what it is a number of: "calls", "bytes", "entities".
	AttributePeakUnit = "peak_unit"
	// AttributePeakIn says when it was so large: "the hour of 2026-03-02 14:00 UTC"; it may
	// be missing.
	AttributePeakIn = "peak_in"
)

// tellAgain is how many times the peak of which people were told a new one must be: each
// step of an attack that grows is no news, and growing a hundredfold is told six times at most.
const tellAgain = 2

// rise is a finding that is far above what people were told of it.
type rise struct {
	finding schema.Finding
	was     float64
}

func peakOf(f schema.Finding) (float64, bool) {
	x, err := strconv.ParseFloat(f.Attributes[AttributePeak], 64)
	return x, err == nil && x > 0 && !math.IsInf(x, 1)
}

// risen lists the findings of an alert, in the order of time, that have risen far above
// the peak of which people were told. Notes, and what the notifiers are not told of, never do.
func risen(a schema.Alert, notifyFrom schema.Severity) []rise {
	var rises []rise
	for _, f := range a.Findings {
		peak, has := peakOf(f)
		was := a.Peaks[f.UID]
		if has && was > 0 && peak >= tellAgain*was && f.Severity > schema.SeverityInformational && f.Severity >= notifyFrom {
			rises = append(rises, rise{f, was})
		}
	}
	return rises
}

// peaksOf is what people are told of an alert's findings from now on. A finding that has
// risen by less than tellAgain keeps the peak of which they were told, or many small steps
// would never be told; so does one that has become smaller.
func peaksOf(a schema.Alert) map[schema.UID]float64 {
	now := map[schema.UID]float64{}
	for _, f := range a.Findings {
		if peak, has := peakOf(f); has && (a.Peaks[f.UID] == 0 || peak >= tellAgain*a.Peaks[f.UID]) {
			now[f.UID] = peak
		}
	}
	return highest(a.Peaks, now)
}

// highest joins what people were told in two alerts; neither is changed.
func highest(a, b map[schema.UID]float64) map[schema.UID]float64 {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	joined := make(map[schema.UID]float64, len(a)+len(b))
	maps.Copy(joined, a)
	for uid, peak := range b {
		joined[uid] = max(joined[uid], peak)
	}
	return joined
}

// sayRises is what has risen, and above what: "9,200 calls in the hour of 2026-03-02
// 14:00 UTC, after 3,912".
func sayRises(rises []rise) string {
	texts := make([]string, len(rises))
	for i, r := range rises {
		peak, _ := peakOf(r.finding)
		unit := r.finding.Attributes[AttributePeakUnit]
		text, was := sayPeak(peak, unit), sayPeak(r.was, unit)
		if unit != "bytes" && unit != "" {
			text += " " + unit
		}
		if in := r.finding.Attributes[AttributePeakIn]; in != "" {
			text += " in " + in
		}
		texts[i] = text + ", after " + was
	}
	return strings.Join(texts, "; ")
}

// sayPeak is a number for people; bytes get a unit.
func sayPeak(x float64, unit string) string {
	if unit != "bytes" || x < 1000 {
		return sayThousands(uint64(math.Round(x)))
	}
	const units = "KMGTPE"
	i := 0
	for x /= 1000; x >= 1000 && i < len(units)-1; i++ {
		x /= 1000
	}
	return fmt.Sprintf("%.1f %cB", x, units[i])
}

// readPeaks and writePeaks turn the peaks into a list beside that of the findings, and back.
func readPeaks(uids []schema.UID, list []float64) map[schema.UID]float64 {
	peaks := map[schema.UID]float64{}
	for i, uid := range uids[:min(len(uids), len(list))] {
		if list[i] > 0 {
			peaks[uid] = list[i]
		}
	}
	return highest(nil, peaks)
}

func writePeaks(uids []schema.UID, peaks map[schema.UID]float64) []float64 {
	list := make([]float64, len(uids))
	for i, uid := range uids {
		list[i] = peaks[uid]
	}
	return list
}
