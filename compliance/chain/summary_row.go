package chain

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Summary is a stored summary: one version of it.
type Summary struct {
	UID     schema.UID
	Version uint64
	// Amended counts the erasures that have changed it.
	Amended uint64
	Tenant  string
	// Period is daily, weekly, monthly or custom; it is [From, To), in UTC.
	Period   string
	From, To time.Time
	MadeAt   time.Time
	// MadeBy is who asked for it, as people are shown it; MadeFor MadeForSchedule or MadeForRequest.
	MadeBy, MadeFor string
	// Replaces is the version in whose place it is, 0 for the first.
	Replaces uint64
	// Content is canonical JSON, and ContentHash what the row says that its SHA-256 is.
	Content     string
	ContentHash string
	// ChainEntry and ChainHead are the chain's last entry when it was made; files show them.
	ChainEntry uint64
	ChainHead  string
	Files      []FileHash
}

// Why a summary was made.
const (
	MadeForSchedule = "schedule"
	MadeForRequest  = "request"
)

// SummaryUID follows from tenant, kind and period, so that one that is made again has it too.
func SummaryUID(tenant, period string, from, to time.Time) schema.UID {
	return schema.HashUID("summary", tenant, period, from.UTC().Format(timeForm), to.UTC().Format(timeForm))
}

// rowHash is over every column, and over the content by its hash.
func (s Summary) rowHash() Hash {
	fields := []string{s.UID.String(), number(s.Version), number(s.Amended), s.Tenant, s.Period, s.From.UTC().Format(timeForm), s.To.UTC().Format(timeForm),
		s.MadeAt.UTC().Format(timeForm), s.MadeBy, s.MadeFor, number(s.Replaces), HashOf([]byte(s.Content)).String(), s.ContentHash, number(s.ChainEntry), s.ChainHead}
	for _, f := range s.Files {
		fields = append(fields, f.Name, f.Hash.String())
	}
	return hashFields(fields)
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// hashFields keeps apart where one field ends and the next begins.
func hashFields(fields []string) Hash {
	var text []byte
	for _, f := range fields {
		text = fmt.Appendf(text, "%d:%s\n", len(f), f)
	}
	return HashOf(text)
}

// content is what the entry about it says.
func (s Summary) entry() SummaryContent {
	return SummaryContent{
		UID: s.UID.String(), Version: s.Version, Replaces: s.Replaces, Tenant: s.Tenant, Period: s.Period, From: s.From.UTC(), To: s.To.UTC(),
		MadeAt: s.MadeAt.UTC(), MadeFor: s.MadeFor, Row: s.rowHash(), Content: HashOf([]byte(s.Content)), Files: s.Files,
	}
}

// SaveSummary stores a summary. Its content's hash is filled in. It is durable when it
// returns, and in the chain only after Ledger.Summaries.
func SaveSummary(ctx context.Context, store schema.Store, s *Summary) error {
	s.ContentHash = HashOf([]byte(s.Content)).String()
	names, hashes := make([]string, len(s.Files)), make([]string, len(s.Files))
	for i, f := range s.Files {
		names[i], hashes[i] = f.Name, f.Hash.String()
	}
	s.MadeAt = milliseconds(s.MadeAt)
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO summaries (summary_uid, version, amended, tenant_uid, period, period_from, period_to, made_at, made_by, made_for,
		replaces, content, content_hash, chain_entry, chain_head, file_names, file_hashes)`)
	if err != nil {
		return fmt.Errorf("save summary: %w", err)
	}
	if err := batch.Append(s.UID.String(), s.Version, s.Amended, s.Tenant, s.Period, milliseconds(s.From), milliseconds(s.To), s.MadeAt, s.MadeBy, s.MadeFor,
		s.Replaces, s.Content, s.ContentHash, s.ChainEntry, s.ChainHead, names, hashes); err != nil {
		_ = batch.Abort()
		return fmt.Errorf("save summary %s: %w", s.UID, err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save summary %s: %w", s.UID, err)
	}
	return nil
}

// SummaryFilter chooses summaries; what is left zero does not restrict.
type SummaryFilter struct {
	// UID is a summary's uid or the beginning of one.
	UID string
	// Unchained leaves out those that the chain has.
	Unchained bool
}

// Summaries reads summaries with their contents, the oldest first.
func Summaries(ctx context.Context, store schema.Store, filter SummaryFilter) ([]Summary, error) {
	var list []Summary
	err := eachSummary(ctx, store, filter, func(s Summary) error { list = append(list, s); return nil })
	return list, err
}

func eachSummary(ctx context.Context, store schema.Store, filter SummaryFilter, take func(Summary) error) error {
	rows, err := store.Query(ctx, `SELECT toString(summary_uid), version, amended, tenant_uid, period, period_from, period_to, made_at, made_by, made_for, replaces,
		content, content_hash, chain_entry, chain_head, file_names, file_hashes FROM summaries FINAL
		WHERE startsWith(toString(summary_uid), {uid:String}) AND (NOT {unchained:Bool}
			OR (summary_uid, version) NOT IN (SELECT subject_uid, subject_version FROM evidence_chain FINAL WHERE kind = 'summary'
				AND entry_hash NOT IN (SELECT arrayJoin(JSONExtract(content, 'strays', 'Array(String)')) FROM evidence_chain FINAL WHERE kind = 'stray')))
		ORDER BY made_at, summary_uid, version`, schema.Named("uid", filter.UID), schema.Named("unchained", filter.Unchained))
	if err != nil {
		return fmt.Errorf("read summaries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Summary
		var uid string
		var names, hashes []string
		if err := rows.Scan(&uid, &s.Version, &s.Amended, &s.Tenant, &s.Period, &s.From, &s.To, &s.MadeAt, &s.MadeBy, &s.MadeFor, &s.Replaces,
			&s.Content, &s.ContentHash, &s.ChainEntry, &s.ChainHead, &names, &hashes); err != nil {
			return fmt.Errorf("read summaries: %w", err)
		}
		if s.UID, err = schema.ParseUID(uid); err != nil {
			return fmt.Errorf("read summaries: %w", err)
		}
		s.From, s.To, s.MadeAt = s.From.UTC(), s.To.UTC(), s.MadeAt.UTC()
		for i, name := range names {
			var h Hash
			if i < len(hashes) {
				h, _ = ParseHash(hashes[i])
			}
			s.Files = append(s.Files, FileHash{name, h})
		}
		// Hashes without names are not lost on the row's hash.
		for _, extra := range hashes[min(len(names), len(hashes)):] {
			s.Files = append(s.Files, FileHash{"", HashOf([]byte(extra))})
		}
		if err := take(s); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read summaries: %w", err)
	}
	return nil
}

// Summaries gives every stored summary that has none its entry, the oldest first, and
// returns them.
func (l *Ledger) Summaries(ctx context.Context) ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting, err := Summaries(ctx, l.store, SummaryFilter{Unchained: true})
	if err != nil {
		return nil, err
	}
	var made []Entry
	for _, s := range waiting {
		e, err := l.append(ctx, KindSummary, s.UID, s.Version, s.entry())
		if err != nil {
			return made, err
		}
		if e.Sequence > 0 {
			made = append(made, e)
		}
	}
	return slices.Clip(made), nil
}

// Find reads one version of a summary and its entry; the entry is zero as long as it has none.
func Find(ctx context.Context, store schema.Store, uid schema.UID, version uint64) (Summary, Entry, error) {
	all, err := Summaries(ctx, store, SummaryFilter{UID: uid.String()})
	if err != nil {
		return Summary{}, Entry{}, err
	}
	i := slices.IndexFunc(all, func(s Summary) bool { return s.Version == version })
	if i < 0 {
		return Summary{}, Entry{}, fmt.Errorf("there is no summary %s version %d", uid, version)
	}
	var sequence uint64
	err = store.QueryRow(ctx, `SELECT max(sequence) FROM evidence_chain FINAL WHERE kind = 'summary' AND subject_uid = {uid:UUID} AND subject_version = {version:UInt64}
			AND entry_hash NOT IN (SELECT arrayJoin(JSONExtract(content, 'strays', 'Array(String)')) FROM evidence_chain FINAL WHERE kind = 'stray')`,
		schema.Named("uid", uid.String()), schema.Named("version", version)).Scan(&sequence)
	if err != nil {
		return Summary{}, Entry{}, fmt.Errorf("read evidence chain: %w", err)
	}
	if sequence == 0 {
		return all[i], Entry{}, nil
	}
	entries, err := readSpan(ctx, store, sequence, sequence)
	if err != nil {
		return Summary{}, Entry{}, err
	}
	for _, e := range entries {
		if e.Kind == KindSummary && e.Subject == uid && e.SubjectVersion == version {
			return all[i], e, nil
		}
	}
	return all[i], Entry{}, nil
}
