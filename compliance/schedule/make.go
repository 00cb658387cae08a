package schedule

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/compliance"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/schema"
)

// BuildFunc makes the summary of a tenant and period of what is stored now.
type BuildFunc func(ctx context.Context, tenant string, p compliance.Period) (compliance.Summary, error)

// Order is what is to be made.
type Order struct {
	Tenant string
	Period compliance.Period
	// Formats are written into Directory; without a directory no file is. Sent are formats
	// of files that go elsewhere: the chain has their hashes as well.
	Formats   []string
	Sent      []string
	Directory string
	// By is who asks, For chain.MadeForSchedule or chain.MadeForRequest.
	By, For string
	// PublicKey is shown in what is written.
	PublicKey string
	// Version is the version that is made; 0 is the one after the last.
	Version uint64
	// Prepare is called with what is about to be kept, before it is: whoever has to be
	// told of it is noted first, so that nothing that is kept is never told.
	Prepare func(context.Context, chain.Summary) error
}

// Made is a summary that is kept.
type Made struct {
	Kept    chain.Summary
	Summary compliance.Summary
	Seal    compliance.Seal
}

// Make builds a summary, writes its files and keeps it: in this order, so that what is
// kept has its files. After a crash the same order does no harm.
func Make(ctx context.Context, store schema.Store, build BuildFunc, now func() time.Time, o Order) (Made, error) {
	summary, err := build(ctx, o.Tenant, o.Period)
	if err != nil {
		return Made{}, err
	}
	content, err := summary.JSON()
	if err != nil {
		return Made{}, err
	}
	head, err := chain.Head(ctx, store)
	if err != nil {
		return Made{}, err
	}
	m := Made{Summary: summary}
	m.Kept = chain.Summary{
		UID: chain.SummaryUID(o.Tenant, string(o.Period.Kind), o.Period.From, o.Period.To), Version: o.Version, Tenant: o.Tenant, Period: string(o.Period.Kind),
		From: o.Period.From, To: o.Period.To, MadeAt: now(), MadeBy: o.By, MadeFor: o.For, Content: string(content), ChainEntry: head.Sequence, ChainHead: head.Hash.String(),
	}
	m.Seal = sealOf(m.Kept, o.PublicKey)
	last, err := lastVersion(ctx, store, m.Kept.UID)
	if err != nil {
		return Made{}, err
	}
	if m.Kept.Replaces = last; m.Kept.Version == 0 {
		m.Kept.Version = last + 1
	}
	for _, format := range Formats {
		write := o.Directory != "" && slices.Contains(o.Formats, format)
		if !write && !slices.Contains(o.Sent, format) {
			continue
		}
		text, err := m.Write(format)
		if err != nil {
			return Made{}, err
		}
		name := FileName(m.Kept, format)
		if write {
			if err := chain.WriteFile(filepath.Join(o.Directory, name), text); err != nil {
				return Made{}, err
			}
		}
		m.Kept.Files = append(m.Kept.Files, chain.FileHash{Name: name, Hash: chain.HashOf(text)})
	}
	if o.Prepare != nil {
		if err := o.Prepare(ctx, m.Kept); err != nil {
			return Made{}, err
		}
	}
	return m, chain.SaveSummary(ctx, store, &m.Kept)
}

// sealOf is what the files of a summary show of the chain.
func sealOf(s chain.Summary, publicKey string) compliance.Seal {
	return compliance.Seal{PublicKey: publicKey, Entry: s.ChainEntry, Head: s.ChainHead}
}

// Reopen is a kept summary, to be written again.
func Reopen(s chain.Summary, publicKey string) (Made, error) {
	summary, err := compliance.Parse([]byte(s.Content))
	if err != nil {
		return Made{}, err
	}
	return Made{s, summary, sealOf(s, publicKey)}, nil
}

// Write is the summary in a format.
func (m Made) Write(format string) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch format {
	case "html":
		err = compliance.WriteHTML(&out, m.Summary, m.Seal)
	case "md":
		err = compliance.WriteMarkdown(&out, m.Summary, m.Seal)
	case "json":
		err = compliance.WriteJSON(&out, m.Summary)
	case "csv":
		err = compliance.WriteCSV(&out, m.Summary)
	default:
		err = fmt.Errorf("there is no format %s: use %s", format, strings.Join(Formats, ", "))
	}
	return out.Bytes(), err
}

// FileName is the name of a summary's file: tenant, period and version, nothing that a
// folder could be left with.
func FileName(s chain.Summary, format string) string {
	if format == "csv" {
		format = "csv.zip"
	}
	version := ""
	if s.Version > 1 {
		version = fmt.Sprintf("-v%d", s.Version)
	}
	p := compliance.Period{Kind: compliance.PeriodKind(s.Period), From: s.From, To: s.To}
	return fmt.Sprintf("crmwatch-%s-%s-%s%s.%s", tenantName(s.Tenant), s.Period, Label(p), version, format)
}

// tenantName is a tenant in a file's name. Two tenants never have the same.
func tenantName(tenant string) string {
	if tenant == "" {
		return "all"
	}
	var plain strings.Builder
	for _, r := range strings.ToLower(tenant) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			plain.WriteRune(r)
		} else {
			plain.WriteByte('_')
		}
	}
	name := strings.TrimLeft(plain.String(), ".")
	name = name[:min(len(name), 64)]
	if name != tenant || name == "all" {
		name += "-" + schema.HashUID(tenant).String()[:8]
	}
	return name
}

func lastVersion(ctx context.Context, store schema.Store, uid schema.UID) (version uint64, err error) {
	if err := store.QueryRow(ctx, "SELECT max(version) FROM summaries WHERE summary_uid = {uid:UUID}", schema.Named("uid", uid.String())).Scan(&version); err != nil {
		return 0, fmt.Errorf("read summaries: %w", err)
	}
	return version, nil
}

// Lateness says how late the events of a period came.
type Lateness struct {
	// Events are all of the period, Late those that came after its end, Last when the last came.
	Events, Late uint64
	Last         time.Time
	// SinceMade are those that came after a summary of the period was made.
	SinceMade uint64
}

// LatenessOf asks how late the events of a period came; madeAt is when its summary was made.
func LatenessOf(ctx context.Context, store schema.Store, tenant string, from, to, madeAt time.Time) (l Lateness, err error) {
	const form = "2006-01-02 15:04:05.000"
	err = store.QueryRow(ctx, `SELECT count(), countIf(ingested_at >= {to:DateTime64(3, 'UTC')}), max(ingested_at), countIf(ingested_at > {made:DateTime64(3, 'UTC')}) FROM events
		WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')} AND ({tenant:String} = '' OR metadata_tenant_uid = {tenant:String}) AND metadata_product_name != 'crmwatch'`,
		schema.Named("from", from.UTC().Format(form)), schema.Named("to", to.UTC().Format(form)), schema.Named("made", madeAt.UTC().Format(form)), schema.Named("tenant", tenant)).
		Scan(&l.Events, &l.Late, &l.Last, &l.SinceMade)
	if err != nil {
		return l, fmt.Errorf("ask how late events came: %w", err)
	}
	return l, nil
}
