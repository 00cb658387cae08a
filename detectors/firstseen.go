package detectors

import (
	"cmp"
	"slices"
	"time"
)

// FirstSeen is how a rule of kind first_seen judges a value that is new for an
// entity.
type FirstSeen struct {
	// WarmUp is the history that an entity needs before a new value counts.
	WarmUp time.Duration
	// KnownAtMost leaves alone the entities that used more values before: theirs
	// change by nature. 0 means no limit.
	KnownAtMost int
	// Forget makes a value new again that was not seen for so long; 0 means never.
	Forget time.Duration
}

// Sighting is when an entity showed a value: once for each value, or, where the rule
// forgets, once for each grid window.
type Sighting struct {
	Value       string
	First, Last time.Time
}

// Novelty is the values that were new for an entity in one grid window.
type Novelty struct {
	Window Window
	// New are the new values in the order in which they came.
	New []Sighting
	// Known are the values of before the window that are not forgotten, sorted.
	Known []string
	// History is how long the entity had been known when the first of them came.
	History time.Duration
}

// FindNovelties judges the sightings of one entity, in any order. What it says of a
// window depends on nothing later than the window.
func FindNovelties(sightings []Sighting, kind FirstSeen, size time.Duration) []Novelty {
	sightings = slices.Clone(sightings)
	slices.SortFunc(sightings, func(a, b Sighting) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Value, b.Value))
	})
	last := map[string]time.Time{}
	var novelties []Novelty
	for at := 0; at < len(sightings); {
		window := gridWindow(gridIndex(sightings[at].First, size), size)
		n := Novelty{Window: window}
		next := at
		for ; next < len(sightings) && sightings[next].First.Before(window.To); next++ {
			s := sightings[next]
			before, seen := last[s.Value]
			if !seen || kind.Forget > 0 && s.First.Sub(before) >= kind.Forget {
				n.New = append(n.New, s)
			}
		}
		if len(n.New) > 0 {
			since := sightings[0].First
			n.New = slices.DeleteFunc(n.New, func(s Sighting) bool { return s.First.Sub(since) < kind.WarmUp })
		}
		if len(n.New) > 0 {
			n.History = n.New[0].First.Sub(sightings[0].First)
			n.Known = known(last, n.New[0].First, kind.Forget)
			// Whoever used nothing before has not changed.
			if len(n.Known) > 0 && (kind.KnownAtMost == 0 || len(n.Known) <= kind.KnownAtMost) {
				novelties = append(novelties, n)
			}
		}
		for _, s := range sightings[at:next] {
			if s.Last.After(last[s.Value]) {
				last[s.Value] = s.Last
			}
		}
		at = next
	}
	return novelties
}

func known(last map[string]time.Time, at time.Time, forget time.Duration) []string {
	var values []string
	for _, value := range sortedKeys(last) {
		if forget == 0 || at.Sub(last[value]) < forget {
			values = append(values, value)
		}
	}
	return values
}
