package detectors

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
)

var kinds = []Kind{KindQuery, KindSpike, KindFirstSeen, KindSequence, KindSilence}

// kindKeys are the keys of a rule file that belong to rules of some kinds only.
var kindKeys = []struct {
	key   string
	kinds []Kind
}{
	{"lookback", []Kind{KindQuery, KindSpike}},
	{"lookahead", []Kind{KindQuery}},
	{"metric", []Kind{KindSpike}},
	{"bucket", []Kind{KindSpike, KindSilence}},
	{"guards", []Kind{KindSpike}},
	{"warm_up", []Kind{KindFirstSeen}},
	{"known_at_most", []Kind{KindFirstSeen}},
	{"forget", []Kind{KindFirstSeen}},
	{"steps", []Kind{KindSequence}},
	{"within", []Kind{KindSequence}},
	{"gap", []Kind{KindSequence}},
	{"quiet_for", []Kind{KindSilence}},
	{"times", []Kind{KindSilence}},
	{"least_history", []Kind{KindSilence}},
}

// The longest times are what the state remembers (schema/migrations).
const (
	longestWithin  = 90 * day
	longestForget  = 365 * day
	longestHistory = 30 * day
)

// belonging finds keys that mean nothing for the rule's kind.
func (c *check) belonging(kind Kind) {
	if !slices.Contains(kinds, kind) {
		return // the kind is the problem
	}
	for _, k := range kindKeys {
		if _, value := child(c.source.root, k.key); value == nil || slices.Contains(k.kinds, kind) {
			continue
		}
		names := make([]string, len(k.kinds))
		for i, name := range k.kinds {
			names[i] = string(name)
		}
		c.add(k.key+" belongs to rules of kind "+strings.Join(names, " and "), "leave it out, or write kind: "+names[0], k.key)
	}
}

// bucket reads the length of a bucket.
func (c *check) bucket() time.Duration {
	bucket, err := parseDuration(c.file.Bucket)
	if err != nil || bucket < time.Minute || bucket > day || day%max(bucket, 1) != 0 {
		c.add(fmt.Sprintf("bucket %q is not a part of a day", c.file.Bucket), "write 1h or 5m", "bucket")
		return time.Hour
	}
	return bucket
}

// duration reads a time between two bounds; without text it is 0.
func (c *check) duration(key, text string, least, longest time.Duration, example string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := parseDuration(text)
	switch {
	case err != nil:
		c.add(err.Error(), "write for example "+example, key)
	case d < least || d > longest:
		c.add(fmt.Sprintf("%s is not between %s and %s", key, sayDuration(least), sayDuration(longest)), "write for example "+example, key)
	}
	return d
}

func (c *check) firstSeen(rule *Rule) {
	if rule.Kind != KindFirstSeen {
		return
	}
	if c.file.WarmUp == "" {
		c.add("warm_up is missing", "say how much history an entity needs before a new value counts, for example warm_up: 7d", "kind")
	}
	if c.file.KnownAtMost < 0 {
		c.add("known_at_most is negative", "write the number of values up to which an entity is judged, or leave it out", "known_at_most")
	}
	rule.FirstSeen = FirstSeen{
		WarmUp:      c.duration("warm_up", c.file.WarmUp, 0, longestForget, "7d"),
		KnownAtMost: c.file.KnownAtMost,
		Forget:      c.duration("forget", c.file.Forget, max(rule.Window, time.Minute), longestForget, "90d"),
	}
}

func (c *check) sequence(rule *Rule) {
	if rule.Kind != KindSequence {
		return
	}
	if len(c.file.Steps) < 2 {
		c.add("a sequence has at least two steps", "write steps: [{name: recon, distinct: 3}, {name: export}]", "steps")
	}
	if c.file.Within == "" {
		c.add("within is missing", "say how long the whole sequence may take, for example within: 14d", "kind")
	}
	names := map[string]bool{}
	for i, f := range c.file.Steps {
		switch {
		case f.Name == "":
			c.add("a step has no name", "write the value of the query's column step", "steps", i)
		case names[f.Name]:
			c.add(fmt.Sprintf("two steps are named %s", f.Name), "give each step a name of its own", "steps", i, "name")
		case f.Count < 0 || f.Distinct < 0:
			c.add("a step asks for less than one event", "count and distinct are from 1", "steps", i)
		case rule.Query != "" && !strings.Contains(rule.Query, "'"+f.Name+"'"):
			c.add(fmt.Sprintf("the query never returns '%s' as step", f.Name), "return the names of the steps in the column step", "steps", i, "name")
		}
		names[f.Name] = true
		rule.Sequence.Steps = append(rule.Sequence.Steps, Step{f.Name, max(1, f.Count), max(1, f.Distinct)})
	}
	rule.Sequence.Within = c.duration("within", c.file.Within, time.Minute, longestWithin, "14d")
	rule.Sequence.Gap = c.duration("gap", c.file.Gap, time.Minute, longestWithin, "3d")
}

func (c *check) silence(rule *Rule) {
	if rule.Kind != KindSilence {
		return
	}
	if c.file.QuietFor == "" && c.file.Times == 0 {
		c.add("neither quiet_for nor times is given", "say how long an entity must be quiet: quiet_for: 6h, or times: 4 for four times its usual gap", "kind")
	}
	if c.file.Times < 0 || c.file.Times > 0 && c.file.Times < 1 {
		c.add("times is less than 1", "write for example times: 4", "times")
	}
	rule.Silence = Silence{
		Bucket:       c.bucket(),
		QuietFor:     c.duration("quiet_for", c.file.QuietFor, time.Minute, longestHistory, "6h"),
		Times:        c.file.Times,
		LeastHistory: c.duration("least_history", c.file.LeastHistory, 0, longestHistory, "7d"),
	}
	if c.file.LeastHistory == "" {
		rule.Silence.LeastHistory = baseline.WarmUp
	}
}
