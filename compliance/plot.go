package compliance

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
)

// The size of a plot in SVG's user units, and of what is around its area.
const (
	plotWidth, plotHeight         = 720, 170
	plotLeft, plotRight           = 70, 12
	plotTop, plotBottom           = 12, 40
	areaWidth, areaHeight float64 = plotWidth - plotLeft - plotRight, plotHeight - plotTop - plotBottom
	// dottedPoints is up to how many points each is drawn as a dot.
	dottedPoints = 62
	// leastSteps is how many days or hours make a plot; fewer are read as numbers.
	leastSteps = 3
)

// plot is one column of a trend over time, as SVG draws it.
type plot struct {
	ID, Title, Description string
	Width, Height          int
	// Left, Right, Top and Bottom are the edges of the area.
	Left, Right, Top, Bottom, Tall float64
	// Lines are the points of unbroken stretches; a day without a value breaks one.
	Lines []string
	Dots  []dot
	// Bands are days or hours from which no event is stored.
	Bands  []band
	YTicks []tick
	XTicks []tick
	XTitle string
}

type dot struct {
	X, Y string
	Text string
}

type band struct{ X, Width string }

type tick struct{ At, Label string }

// value is a point of a trend.
type value struct {
	at   time.Time
	n    float64
	cell any
}

// plots draws each number of a trend for itself: what is rare is not flattened by what
// is frequent.
func plots(s Summary, a Answer) []plot {
	if len(a.Columns) < 2 || len(a.Rows) == 0 {
		return nil
	}
	axis := newTimeAxis(s, a)
	if axis.step == 0 || axis.to.Sub(axis.from) < leastSteps*axis.step {
		return nil
	}
	var all []plot
	for i := 1; i < len(a.Columns); i++ {
		all = append(all, axis.plot(a, i))
	}
	return all
}

// timeAxis is the time that the plots of an answer show.
type timeAxis struct {
	from, to time.Time
	step     time.Duration
	gaps     []stretch
}

func newTimeAxis(s Summary, a Answer) timeAxis {
	axis := timeAxis{from: s.Content.Period.From, to: s.Content.Period.To, step: 24 * time.Hour}
	var last time.Time
	if a.Columns[0].Kind == KindTime {
		axis.step = time.Hour
	}
	for _, row := range a.Rows {
		at, is := timeOf(row[0])
		if !is {
			continue
		}
		if apart := at.Sub(last); a.Columns[0].Kind == KindTime && !last.IsZero() && apart > 0 {
			axis.step = min(axis.step, apart)
		}
		if at.Before(axis.from) {
			axis.from = at
		}
		if !at.Before(axis.to) {
			axis.to = at.Add(axis.step)
		}
		last = at
	}
	if axis.to.Sub(axis.from)/axis.step > 100_000 {
		return timeAxis{}
	}
	axis.gaps = s.Content.Collected.gaps(s.Content.Period.From, earlier(s.Content.Period.To, s.Making.At))
	return axis
}

func (x timeAxis) place(at time.Time) float64 {
	return plotLeft + areaWidth*float64(at.Sub(x.from))/float64(x.to.Sub(x.from))
}

func (x timeAxis) inGap(at time.Time) bool {
	for _, gap := range x.gaps {
		if !at.Before(gap.from) && at.Before(gap.to) {
			return true
		}
	}
	return false
}

// values are those of a column. Nothing on a day from which nothing is stored is no
// value.
func (x timeAxis) values(a Answer, column int) (all []value) {
	for _, row := range a.Rows {
		at, isTime := timeOf(row[0])
		n, isNumber := numberOf(row[column])
		if isTime && isNumber && (n != 0 || !x.inGap(at)) {
			all = append(all, value{at, n, row[column]})
		}
	}
	return all
}

func (x timeAxis) plot(a Answer, column int) plot {
	title := alerting.PlainLine(a.Columns[column].Title)
	p := plot{
		ID: fmt.Sprintf("plot-%s-%d", a.ID, column), Title: title, Width: plotWidth, Height: plotHeight,
		Left: plotLeft, Right: plotWidth - plotRight, Top: plotTop, Bottom: plotHeight - plotBottom, Tall: areaHeight, XTitle: x.title(),
	}
	values := x.values(a, column)
	ticks := valueTicks(values)
	low, high := ticks[0], ticks[len(ticks)-1]
	height := func(n float64) float64 { return p.Bottom - areaHeight*(n-low)/(high-low) }
	for _, n := range ticks {
		p.YTicks = append(p.YTicks, tick{coordinate(height(n)), axisLabel(a.Columns[column].Unit, n)})
	}
	p.XTicks = x.ticks()
	for _, gap := range x.gaps {
		left, right := x.place(gap.from), x.place(gap.to)
		p.Bands = append(p.Bands, band{coordinate(left), coordinate(right - left)})
	}
	var line []string
	for i, v := range values {
		if i > 0 && v.at.Sub(values[i-1].at) > x.step*3/2 {
			p.Lines, line = appendLine(p.Lines, line), nil
		}
		at, y := coordinate(x.place(v.at.Add(x.step/2))), coordinate(height(v.n))
		line = append(line, at+","+y)
		if alone := x.alone(values, i); alone || len(values) <= dottedPoints {
			p.Dots = append(p.Dots, dot{at, y, x.name(v.at) + ": " + sayCell(a.Columns[column], v.cell)})
		}
	}
	p.Lines = appendLine(p.Lines, line)
	p.Description = x.describe(a.Columns[column], values)
	return p
}

func axisLabel(unit Unit, n float64) string {
	if unit == UnitNone {
		return sayRound(n)
	}
	return sayNumber(unit, json.Number(strconv.FormatFloat(n, 'f', -1, 64)))
}

// alone tells whether a value has no neighbour to be joined with by a line.
func (x timeAxis) alone(values []value, i int) bool {
	return (i == 0 || values[i].at.Sub(values[i-1].at) > x.step*3/2) &&
		(i == len(values)-1 || values[i+1].at.Sub(values[i].at) > x.step*3/2)
}

func appendLine(lines, line []string) []string {
	if len(line) < 2 {
		return lines
	}
	return append(lines, strings.Join(line, " "))
}

func coordinate(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func (x timeAxis) title() string {
	switch {
	case x.step >= 24*time.Hour:
		return "Day (UTC)"
	case x.step == time.Hour:
		return "Hour (UTC)"
	}
	return "Time (UTC)"
}

func (x timeAxis) name(at time.Time) string {
	if x.step >= 24*time.Hour {
		return at.Format("2 January")
	}
	return at.Format("2 January, 15:04")
}

// ticks labels at most eight moments.
func (x timeAxis) ticks() (ticks []tick) {
	length := x.to.Sub(x.from)
	every, layout := 24*time.Hour, "2 Jan"
	if length <= shortPeriod && x.step < 24*time.Hour {
		every, layout = 6*time.Hour, "15:04"
	}
	for length > 8*every {
		every += 24 * time.Hour
	}
	middle := time.Duration(0)
	if x.step == 24*time.Hour {
		middle = x.step / 2 // where the day's value stands
	}
	for at := x.from.Truncate(min(every, 24*time.Hour)); at.Before(x.to); at = at.Add(every) {
		if !at.Before(x.from) {
			ticks = append(ticks, tick{coordinate(x.place(at.Add(middle))), at.Format(layout)})
		}
	}
	return ticks
}

// describe says the plot to those who do not see it.
func (x timeAxis) describe(column Column, values []value) string {
	if len(values) == 0 {
		return "No value."
	}
	least, most := values[0], values[0]
	for _, v := range values {
		if v.n < least.n {
			least = v
		}
		if v.n > most.n {
			most = v
		}
	}
	text := fmt.Sprintf("%s: least %s on %s, most %s on %s.", count(len(values), "value"), sayCell(column, least.cell), x.name(least.at), sayCell(column, most.cell), x.name(most.at))
	if len(x.gaps) > 0 {
		text += " From some of the time no event is stored."
	}
	return alerting.PlainLine(text)
}

// valueTicks are round numbers from below the least value, or 0, to above the most.
func valueTicks(values []value) []float64 {
	low, high, integers := 0.0, 0.0, true
	for _, v := range values {
		low, high = math.Min(low, v.n), math.Max(high, v.n)
		integers = integers && v.n == math.Trunc(v.n)
	}
	if high == low {
		high = low + 1
	}
	step := roundStep((high - low) / 3)
	if integers {
		step = math.Max(step, 1)
	}
	var ticks []float64
	first := math.Floor(low / step)
	for i := 0.0; ; i++ {
		ticks = append(ticks, (first+i)*step)
		if (first+i)*step >= high {
			return ticks
		}
	}
}

// roundStep is the least of 1, 2, 5, 10, 20, ... and their fractions that is as large.
func roundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= least*0.999 {
			return times * power
		}
	}
	return 10 * power
}
