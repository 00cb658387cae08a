package detectors

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
	"github.com/crmwatch/crmwatch/schema"
)

// An entity whose own history does not suffice yet, less than 50 buckets that are not
// empty or 7 days, is held against the entities of the same product: is it far above
// anything that any of them ever did?

const (
	// leastPeers is how many others there must be, known for peerDays and active on
	// peerActiveDays of them.
	leastPeers     = 5
	peerDays       = 7
	peerActiveDays = 5
	// newcomerCalm is how many calm buckets end an episode.
	newcomerCalm = 3
)

// newcomerEpisode is an episode of a new entity, and how many others it is held against.
type newcomerEpisode struct {
	Episode
	Peers int
	Since time.Time
}

// neighbourhood is all series of a rule, from which the peers of each are taken.
type neighbourhood struct {
	rule   Rule
	series map[seriesKey][]Bucket
	known  map[peersKey]*peersOf
}

// peersKey is a product at the beginning of a window, without one of its entities.
type peersKey struct {
	tenant, product string
	window          int64
	without         string
}

type peersOf struct {
	*baseline.Peers
	count   int
	history time.Duration
}

// peersFor are those of an entity before a window begins; nil where they are too few.
func (n *neighbourhood) peersFor(key seriesKey, window int64) *peersOf {
	at := peersKey{key.tenant, key.product, window, ""}
	from := gridWindow(window, n.rule.Window).From
	// Entities that are no peers themselves share the same.
	if _, is := establishedBefore(n.series[key], from); is {
		at.without = key.uid
	}
	if p, known := n.known[at]; known {
		return p
	}
	var values []float64
	var earliest time.Time
	count := 0
	for other, buckets := range n.series {
		if other.tenant != key.tenant || other.product != key.product || other.uid == at.without {
			continue
		}
		past, is := establishedBefore(buckets, from)
		if !is {
			continue
		}
		count++
		for _, b := range past {
			if b.Value > 0 {
				values = append(values, b.Value)
			}
		}
		if earliest.IsZero() || past[0].From.Before(earliest) {
			earliest = past[0].From
		}
	}
	var peers *peersOf
	if count >= leastPeers {
		peers = &peersOf{baseline.NewPeers(baseline.Options{Bucket: n.rule.Bucket, Direction: baseline.Up, Counts: true, Guards: n.rule.Guards}, values), count, from.Sub(earliest)}
	}
	n.known[at] = peers
	return peers
}

// establishedBefore are the buckets of a series before a moment, from the first that is not
// empty on, and whether they make it a peer.
func establishedBefore(buckets []Bucket, from time.Time) (past []Bucket, is bool) {
	end, _ := slices.BinarySearchFunc(buckets, from, func(b Bucket, t time.Time) int { return b.From.Compare(t) })
	begin := slices.IndexFunc(buckets[:end], func(b Bucket) bool { return b.Value > 0 })
	if begin < 0 || buckets[begin].From.Truncate(day).After(from.Add(-peerDays*day)) {
		return nil, false
	}
	past = buckets[begin:end]
	days := map[int64]bool{}
	for _, b := range past {
		if b.Value > 0 {
			days[gridIndex(b.From, day)] = true
		}
	}
	return past, len(days) >= peerActiveDays
}

// episodes finds those of an entity up to the moment from which it has a history of its
// own (zero: it never has). First is the earliest window that is asked for: what began in
// the one before may go on.
func (n *neighbourhood) episodes(key seriesKey, warm time.Time, first int64) (found []newcomerEpisode) {
	series := n.series[key]
	begin := slices.IndexFunc(series, func(b Bucket) bool { return b.Value > 0 })
	if begin < 0 {
		return nil
	}
	since, largest, before := series[begin].From, 0.0, 0.0
	today := int64(math.MinInt64)
	var open *newcomerEpisode
	var last time.Time
	for _, b := range series[begin:] {
		if !warm.IsZero() && !b.From.Before(warm) {
			break
		}
		// What it did on the days before counts too.
		window := gridIndex(b.From, n.rule.Window)
		if window != today {
			today, before = window, largest
		}
		largest = max(largest, b.Value)
		if window < first-1 || b.Value < n.rule.Guards.Least || b.Value < n.rule.Guards.OverPeak*before {
			continue
		}
		peers := n.peersFor(key, window)
		if peers == nil {
			continue
		}
		v := peers.Judge(b.Value)
		if !v.Strange {
			continue
		}
		if open == nil || b.From.Sub(last) > newcomerCalm*n.rule.Bucket {
			found = append(found, newcomerEpisode{Peers: peers.count, Since: since, Episode: Episode{From: b.From, Buckets: int(peers.history / n.rule.Bucket), History: peers.history}})
			open = &found[len(found)-1]
		}
		last = b.From
		// What lasts longer than a day is no longer news.
		if b.From.Sub(open.From) >= episodeLimit {
			continue
		}
		open.To = b.From.Add(n.rule.Bucket)
		open.Total += b.Value
		if open.Peak.From.IsZero() || v.Score > open.Score || v.Score == open.Score && b.Value > open.Peak.Value {
			open.Peak, open.Score, open.Median, open.Share, open.PeakBefore = b, v.Score, v.Median, v.Share, v.Largest
		}
	}
	return found
}

// newcomerDraft says that the entity is new, and what it is compared with.
func newcomerDraft(rule Rule, key seriesKey, entity string, e newcomerEpisode) draft {
	// Others are a weaker measure than an entity's own history.
	rule.Severity = max(schema.SeverityLow, rule.Severity-1)
	d := spikeDraft(rule, key, entity, e.Episode)
	d.finding.Attributes = maps.Clone(d.finding.Attributes)
	delete(d.finding.Attributes, "slot")
	d.finding.Attributes["new_entity"], d.finding.Attributes["peers"], d.finding.Attributes["known_since"] = "yes", fmt.Sprint(e.Peers), sayTime(e.Since)
	metric := " {{metric}}"
	if rule.Metric == MetricBytes {
		metric = ""
	}
	d.message = "{{entity}}, a new entity first seen " + sayTime(e.Since) + ", reached {{value}}" + metric + " in the " + sayBucket(rule.Bucket) + " of {{peak_at}}: above {{share}} of what " +
		fmt.Sprint(e.Peers) + " others of {{product}} did in {{history}}; their median {{median}}, their largest {{peak_before}}. It lasted {{length}}, {{total}}" + metric + " in all."
	return d
}
