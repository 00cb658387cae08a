package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// claim is what the chain says of an item.
type claim struct {
	// entry is the first that covers it, original what it was then, hash what it should be
	// now: the zero hash is removed.
	entry          uint64
	original, hash Hash
	// at is when it happened, or was made.
	at time.Time
	// amended is the last amendment of it.
	amended uint64
}

// claims are what the entries of a chain say, amendments applied.
type claims struct {
	items map[Item]*claim
	// order is the order in which items came into the chain.
	order []Item
	// spans are the stretches of the history of alerts.
	spans []span
	// begun are erasures without their amendment, by subject.
	begun     map[schema.UID]Entry
	summaries []SummaryContent
	// entryOf is the entry of each of summaries.
	entryOf   []uint64
	amendment map[uint64]AmendmentContent
	at        map[uint64]time.Time
	schedules []ScheduleContent
	skipped   []SkippedContent
	// kept are the times of retention, in the order in which they came into force.
	kept []retention
	// requests are those of which the history tells under another identity.
	requests map[string]bool
}

type retention struct {
	from time.Time
	RetentionContent
}

type span struct {
	entry       uint64
	after, upTo time.Time
}

// readClaims collects what the entries say. What cannot be read is told to report.
func readClaims(entries []Entry, report *Report) *claims {
	c := &claims{items: map[Item]*claim{}, begun: map[schema.UID]Entry{}, requests: map[string]bool{}, amendment: map[uint64]AmendmentContent{}, at: map[uint64]time.Time{}}
	for _, e := range entries {
		c.at[e.Sequence] = e.At
		if err := c.read(e, report); err != nil {
			report.fail(e.Sequence, fmt.Sprintf("the content of entry %d (%s) cannot be read", e.Sequence, e.Kind), "", "what it covers cannot be checked")
		}
	}
	return c
}

func (c *claims) read(e Entry, report *Report) error {
	switch e.Kind {
	case KindSummary:
		content, err := decode[SummaryContent](e)
		if err != nil {
			return err
		}
		uid, err := schema.ParseUID(content.UID)
		if err != nil {
			return err
		}
		c.add(e, SummaryItem(uid, content.Version), content.Row, content.MadeAt)
		c.add(e, ContentItem(uid, content.Version), content.Content, content.MadeAt)
		c.summaries, c.entryOf = append(c.summaries, content), append(c.entryOf, e.Sequence)
	case KindAlerts:
		content, err := decode[AlertsContent](e)
		if err != nil {
			return err
		}
		for _, item := range content.Items {
			c.add(e, item.Item, item.Hash, item.At)
		}
		c.spans = append(c.spans, span{e.Sequence, content.After, content.UpTo})
	case KindErasureBegun:
		c.begun[e.Subject] = e
	case KindAmendment:
		content, err := decode[AmendmentContent](e)
		if err != nil {
			return err
		}
		delete(c.begun, e.Subject)
		c.amendment[e.Sequence] = content
		for _, item := range content.Added {
			c.add(e, item.Item, item.Hash, item.At)
		}
		for _, uid := range content.Requests {
			c.requests[uid] = true
		}
		for _, change := range content.Changes {
			known := c.items[change.Item]
			if known == nil || known.hash != change.Was {
				report.fail(e.Sequence, fmt.Sprintf("entry %d says that erasure %s changed %s, which was not as it says", e.Sequence, content.Erasure, change.Item), "", "the amendment does not fit the entries before it")
				continue
			}
			known.hash, known.amended = change.Now, e.Sequence
		}
	case KindRetention:
		content, err := decode[RetentionContent](e)
		if err != nil {
			return err
		}
		c.kept = append(c.kept, retention{e.At, content})
	case KindSchedule:
		content, err := decode[ScheduleContent](e)
		if err != nil {
			return err
		}
		c.schedules = append(c.schedules, content)
	case KindSkipped:
		content, err := decode[SkippedContent](e)
		if err != nil {
			return err
		}
		c.skipped = append(c.skipped, content)
	}
	return nil
}

// add takes what an entry says of an item; a later entry of the same item does not count.
func (c *claims) add(e Entry, item Item, hash Hash, at time.Time) {
	if c.items[item] == nil {
		c.items[item] = &claim{entry: e.Sequence, original: hash, hash: hash, at: at}
		c.order = append(c.order, item)
	}
}

// spanOf is the stretch of the history of alerts in which a moment lies.
func (c *claims) spanOf(at time.Time) (span, bool) {
	i, _ := slices.BinarySearchFunc(c.spans, at, func(s span, at time.Time) int { return s.upTo.Compare(at) })
	if i == len(c.spans) || !at.After(c.spans[i].after) {
		return span{}, false
	}
	return c.spans[i], true
}

// retentionMargin is how much earlier than an item a part of it may go: a request is
// older than what was done upon it.
const retentionMargin = 48 * time.Hour

// expired says whether an item has come to the end of the time for which it is kept, by
// any of the times that were in force since.
func (c *claims) expired(item Item, at, now time.Time) bool {
	for i, k := range c.kept {
		seconds := k.Summaries
		if strings.HasPrefix(string(item), "transition/") {
			seconds = k.Alerts
		}
		until := now
		if i+1 < len(c.kept) {
			until = c.kept[i+1].from
		}
		if seconds > 0 && at.Add(time.Duration(seconds)*time.Second-retentionMargin).Before(until) {
			return true
		}
	}
	return false
}
