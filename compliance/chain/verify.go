package chain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Expect is what a check is made against; the zero value trusts the first entry's key.
type Expect struct {
	// PublicKeys are those that may have signed.
	PublicKeys []string
	// Anchor is a hash that was the chain's head once, from a place that whoever writes
	// the database could not reach. The zero hash is none.
	Anchor Hash
	// now is time.Now; tests say otherwise.
	now func() time.Time
}

// found is an item as the database has it.
type found struct {
	hash Hash
	// at is when it happened, or was made.
	at time.Time
}

// Verify checks the chain of a database, and that everything it covers is as it says. An
// error means that it could not look.
func Verify(ctx context.Context, store schema.Store, expect Expect) (*Report, error) {
	entries, err := readEntries(ctx, store, 0)
	if err != nil {
		return nil, err
	}
	items, err := readItems(ctx, store)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if expect.now != nil {
		now = expect.now()
	}
	report := &Report{}
	c := verifyEntries(entries, expect, report)
	c.compare(items, now, report)
	since := firstTime
	if last := len(c.kept) - 1; last >= 0 && c.kept[last].Alerts > 0 {
		since = now.Add(retentionMargin - time.Duration(c.kept[last].Alerts)*time.Second)
	}
	stray, err := strayRequests(ctx, store, since)
	if err != nil {
		return nil, err
	}
	for _, uid := range stray {
		if c.requests[uid] {
			continue
		}
		report.fail(report.Entries, "the request "+uid+" was carried out or refused, and the history of alerts does not tell of it", "",
			"the request was put in, or what happened was removed before an entry covered it")
	}
	report.order()
	return report, nil
}

// VerifyEntries checks entries alone, as an export has them.
func VerifyEntries(entries []Entry, expect Expect) *Report {
	report := &Report{}
	verifyEntries(entries, expect, report)
	report.order()
	return report
}

func verifyEntries(entries []Entry, expect Expect, report *Report) *claims {
	w := walk(entries, expect.PublicKeys, report)
	report.Pinned = len(expect.PublicKeys) > 0
	if n := len(w.main); n > 0 {
		head := w.main[n-1]
		report.Entries, report.Head, report.HeadAt, report.PublicKey = head.Sequence, head.Hash, head.At, w.main[0].PublicKey
	}
	if expect.Anchor != (Hash{}) {
		for _, e := range w.main {
			// The hash is of the text only where the entry is whole.
			if e.Hash == expect.Anchor && HashOf(e.Text()) == e.Hash {
				report.Anchor = e.Sequence
			}
		}
		if report.Anchor == 0 {
			report.fail(report.Entries, "the anchor "+expect.Anchor.String()+" is not in the chain", "",
				"the chain is not the one from which the anchor was taken: its end was cut off, or it was made anew")
		}
	}
	return readClaims(w.main, report)
}

// readItems reads everything that entries can cover.
func readItems(ctx context.Context, store schema.Store) (map[Item]found, error) {
	items := map[Item]found{}
	err := eachSummary(ctx, store, SummaryFilter{}, func(s Summary) error {
		items[SummaryItem(s.UID, s.Version)] = found{s.rowHash(), s.MadeAt}
		items[ContentItem(s.UID, s.Version)] = found{HashOf([]byte(s.Content)), s.MadeAt}
		return nil
	})
	if err != nil {
		return nil, err
	}
	happened, err := transitions(ctx, store, firstTime, lastTime)
	if err != nil {
		return nil, err
	}
	for _, t := range happened {
		items[TransitionItem(t.uid)] = found{t.hash, t.at}
	}
	return items, nil
}

// compare says where the database is not as the chain says.
func (c *claims) compare(items map[Item]found, now time.Time, report *Report) {
	expired := 0
	for _, item := range c.order {
		has, there := items[item]
		if c.expired(item, c.items[item].at, now) && (!there || has.hash != c.items[item].hash) {
			expired++
			continue
		}
		c.one(item, has.hash, there, report)
		switch {
		case strings.HasPrefix(string(item), "summary/"):
			report.Summaries++
		case strings.HasPrefix(string(item), "transition/"):
			report.Happenings++
		}
	}
	for item, has := range items {
		if c.items[item] != nil || strings.HasPrefix(string(item), "content/") {
			continue
		}
		if s, covered := c.spanOf(has.at); covered && strings.HasPrefix(string(item), "transition/") {
			report.fail(s.entry, fmt.Sprintf("%s is in the time that entry %d covers, and was not there when it was written", item.say(), s.entry),
				"it says that it happened at "+has.at.Format(timeForm), "it was put in, or an instance whose clock was far behind wrote it")
			continue
		}
		report.Waiting++
	}
	if expired > 0 {
		report.remark(report.Entries, fmt.Sprintf("%d items are gone, or going, because the time for which they are kept is over", expired))
	}
	for sequence, a := range c.amendment {
		report.remark(sequence, fmt.Sprintf("erasure %s changed %d items on %s, by %s: %s", a.Erasure, len(a.Changes)+len(a.Added), c.at[sequence].Format(time.DateOnly), a.By, a.Reason))
	}
	for subject, e := range c.begun {
		report.remark(e.Sequence, fmt.Sprintf("erasure %s began on %s and has not ended: run it again", subject, e.At.Format(time.DateOnly)))
	}
}

// one says whether an item is as the chain says.
func (c *claims) one(item Item, has Hash, there bool, report *Report) {
	said := c.items[item]
	if there == (said.hash != Hash{}) && (!there || has == said.hash) {
		return
	}
	what, differs, means := "", fmt.Sprintf("SHA-256 now %s, in the chain %s", has, said.hash), ""
	switch {
	case !there:
		what, differs, means = fmt.Sprintf("%s, which entry %d covers, is gone", item.say(), said.entry), "", "it was removed after the entry was written, and no amendment says so"
	case said.hash == Hash{}:
		what, means = fmt.Sprintf("%s was removed by the erasure of entry %d, and is there again", item.say(), said.amended), "a backup from before the erasure was put back, or somebody put it in"
	case said.amended > 0 && has == said.original:
		what, means = fmt.Sprintf("%s is as it was before the erasure of entry %d", item.say(), said.amended), "a backup from before the erasure was put back"
	default:
		what, means = fmt.Sprintf("%s is not what entry %d says", item.say(), max(said.entry, said.amended)), "it was changed after the entry was written, and no amendment says so"
	}
	for subject, e := range c.begun {
		means += fmt.Sprintf("; erasure %s, which began with entry %d on %s and has not ended, may have done so: run it again", subject, e.Sequence, e.At.Format(time.DateOnly))
	}
	report.fail(said.entry, what, differs, means)
}

// say is the item for people.
func (i Item) say() string {
	kind, rest, _ := strings.Cut(string(i), "/")
	switch kind {
	case "transition":
		return "alert transition " + rest
	case "summary", "content":
		uid, version, _ := strings.Cut(rest, "/")
		if kind == "content" {
			return "the content of summary " + uid + " version " + version
		}
		return "the row of summary " + uid + " version " + version
	}
	return string(i)
}
