package baseline

import (
	"slices"
	"time"
)

const (
	hoursOfWeek = 7 * 24
	// weeksKept is how many values a slot remembers: one a week.
	weeksKept = 5
	// weeksNeeded is how many weeks a slot must know before a finding compares with
	// the hour of the week rather than of the day.
	weeksNeeded = 3
	// hourParts is how many values of an hour are looked at: one in five minutes.
	hourParts = 12
)

// season remembers a series by the hour of the week: the median of the hour in each of
// the last weeks. It grows neither with the history nor with finer buckets.
type season struct {
	slots [hoursOfWeek]slot
	// The hour that is being filled, in hours of Unix time; it is not in its slot yet.
	hour  int64
	parts [hourParts]float32
	taken uint16 // the parts that are known, one bit each
}

// slot is the last values of an hour of the week, oldest first.
type slot struct {
	values [weeksKept]float32
	count  uint8
}

func (s *slot) add(x float32) {
	if s.count == weeksKept {
		copy(s.values[:], s.values[1:])
		s.count--
	}
	s.values[s.count] = x
	s.count++
}

// slotOf is the slot of an hour, from Sunday 00:00 UTC; Unix time began on a Thursday.
func slotOf(hour int64) int {
	return int(((hour+4*24)%hoursOfWeek + hoursOfWeek) % hoursOfWeek)
}

// add takes a value of the moment. An hour enters its slot when the next one begins.
func (s *season) add(unix int64, x float64) {
	hour := floorDiv(unix, 3600)
	if s.taken != 0 && hour != s.hour {
		parts := s.parts
		n := 0
		for i, x := range s.parts {
			if s.taken&(1<<i) != 0 {
				parts[n] = x
				n++
			}
		}
		s.slots[slotOf(s.hour)].add(float32(middle(parts[:n])))
		s.taken = 0
	}
	s.hour = hour
	if part := (unix - hour*3600) / (3600 / hourParts); s.taken&(1<<part) == 0 {
		s.parts[part] = float32(x)
		s.taken |= 1 << part
	}
}

// week is the median of the moment's hour of the week, and of how many weeks.
func (s *season) week(unix int64) (median float64, weeks int) {
	slot := s.slots[slotOf(floorDiv(unix, 3600))]
	if slot.count == 0 {
		return 0, 0
	}
	return middle(slot.values[:slot.count]), int(slot.count)
}

// day is the median of the moment's hour in the last seven days, whatever the weekday.
func (s *season) day(unix int64) (median float64, ok bool) {
	var values [7]float32
	n := 0
	hour := slotOf(floorDiv(unix, 3600)) % 24
	for weekday := range values {
		if slot := &s.slots[weekday*24+hour]; slot.count > 0 {
			values[n] = slot.values[slot.count-1]
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return middle(values[:n]), true
}

// middle is the median of at least one value; it sorts them.
func middle(values []float32) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return float64(values[n/2])
	}
	return (float64(values[n/2-1]) + float64(values[n/2])) / 2
}

func slotName(at time.Time, byWeek bool) string {
	if byWeek {
		return at.UTC().Format("Monday 15:00")
	}
	return at.UTC().Format("15:00")
}
