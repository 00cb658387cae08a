package detectors

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Sequence is how a rule of kind sequence joins events to a chain of steps.
type Sequence struct {
	// Steps are what must follow upon each other, at least two.
	Steps []Step
	// Within is the longest time from the first event of the chain to its last.
	Within time.Duration
	// Gap is the longest time from the end of one step to the start of the next; 0
	// means no limit.
	Gap time.Duration
}

// Step is one step of a sequence: so many events, or events with so many distinct
// values. Both are 1 where nothing else is said.
type Step struct {
	Name     string
	Count    int
	Distinct int
}

// StepEvent is an event that is a step.
type StepEvent struct {
	Step   string
	Value  string
	Time   time.Time
	UID    schema.UID
	Entity string
}

// Chain is the steps that were completed, in one grid window, in their order.
type Chain struct {
	Window Window
	// Steps are the events of each step that make the chain, in the order of time;
	// to the last step belong all of the window from its first on.
	Steps [][]StepEvent
}

// FindChains judges the step events of one entity, in any order, each any number of
// times. A chain is of the window of its last event; of those that a window completes,
// the first is meant. It depends on nothing later than the window, and on nothing
// earlier than Within before it.
func FindChains(events []StepEvent, kind Sequence, size time.Duration) []Chain {
	tracks := make([]stepTrack, len(kind.Steps))
	for i, step := range kind.Steps {
		tracks[i] = newStepTrack(events, step)
	}
	final := tracks[len(tracks)-1].events
	var chains []Chain
	for i := 0; i < len(final); {
		window := gridWindow(gridIndex(final[i].Time, size), size)
		end := i
		for end < len(final) && final[end].Time.Before(window.To) {
			end++
		}
		for ; i < end; i++ {
			if steps := chainTo(tracks, i, kind); steps != nil {
				steps[len(steps)-1] = append(steps[len(steps)-1], final[i+1:end]...)
				chains = append(chains, Chain{window, steps})
				break
			}
		}
		i = end
	}
	return chains
}

// stepTrack is the events of one step in the order of time, each once. starts holds,
// for each event, the index of the latest event from which the step is complete with
// it, or -1.
type stepTrack struct {
	events []StepEvent
	starts []int
}

func newStepTrack(events []StepEvent, step Step) stepTrack {
	var t stepTrack
	for _, e := range events {
		if e.Step == step.Name {
			t.events = append(t.events, e)
		}
	}
	slices.SortFunc(t.events, func(a, b StepEvent) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:]), cmp.Compare(a.Value, b.Value))
	})
	t.events = slices.CompactFunc(t.events, func(a, b StepEvent) bool {
		return a.Time.Equal(b.Time) && a.UID == b.UID && a.Value == b.Value
	})
	t.starts = make([]int, len(t.events))
	inside := map[string]int{}
	start := 0
	for i, e := range t.events {
		inside[e.Value]++
		// Leave out the oldest as long as the step stays complete without it.
		for start < i {
			distinct := len(inside)
			if inside[t.events[start].Value] == 1 {
				distinct--
			}
			if i-start < step.Count || distinct < step.Distinct {
				break
			}
			if inside[t.events[start].Value]--; inside[t.events[start].Value] == 0 {
				delete(inside, t.events[start].Value)
			}
			start++
		}
		if t.starts[i] = -1; i-start+1 >= step.Count && len(inside) >= step.Distinct {
			t.starts[i] = start
		}
	}
	return t
}

// chainTo is the latest chain that ends with an event of the last step, or nil. It is
// built backwards, each step as late as it can be, which makes it as short as it can
// be.
func chainTo(tracks []stepTrack, last int, kind Sequence) [][]StepEvent {
	steps := make([][]StepEvent, len(tracks))
	end := tracks[len(tracks)-1].events[last].Time
	var next time.Time
	for k := len(tracks) - 1; k >= 0; k-- {
		t := tracks[k]
		i := last
		if k < len(tracks)-1 {
			i = sort.Search(len(t.events), func(i int) bool { return !t.events[i].Time.Before(next) }) - 1
		}
		if i < 0 || t.starts[i] < 0 {
			return nil
		}
		from := t.events[t.starts[i]].Time
		if end.Sub(from) > kind.Within || kind.Gap > 0 && !next.IsZero() && next.Sub(t.events[i].Time) > kind.Gap {
			return nil
		}
		steps[k], next = slices.Clone(t.events[t.starts[i]:i+1]), from
	}
	return steps
}
