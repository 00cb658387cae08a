package alerting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
)

// previewSpan is how far back the preview of a silence looks.
const previewSpan = 7 * 24 * time.Hour

// PreviewSilence lists the alerts that a silence would have muted, had it been there:
// those that are open, and all of the last seven days; the most severe first.
func PreviewSilence(ctx context.Context, store schema.Store, s route.Silence, now time.Time) ([]schema.Alert, error) {
	saved, err := readAlerts(ctx, store, `status != 'merged' AND (status IN ('open', 'acknowledged', 'snoozed') OR toUnixTimestamp64Milli(last_seen) >= {since:Int64})
		ORDER BY severity_id DESC, last_seen DESC, alert_uid`, schema.Named("since", now.Add(-previewSpan).UnixMilli()))
	if err != nil {
		return nil, err
	}
	alerts, err := withFindings(ctx, store, saved)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(alerts, func(a schema.Alert) bool { return !s.Mutes(a) }), nil
}

// AddSilence saves a silence. Where it does not say up to which severity it mutes, that
// follows from the open alerts among those that it would mute.
func AddSilence(ctx context.Context, store schema.Store, s *route.Silence, now time.Time) (muted []schema.Alert, err error) {
	if err := s.Check(now); err != nil {
		return nil, err
	}
	if muted, err = PreviewSilence(ctx, store, *s, now); err != nil {
		return nil, err
	}
	s.Settle(slices.DeleteFunc(slices.Clone(muted), func(a schema.Alert) bool { return a.Status.Closed() }))
	s.Version = 1
	return muted, saveSilence(ctx, store, *s)
}

// ExpireSilence ends a silence now; what it kept back is told. The uid may be the
// beginning of one. A silence that is over is left as it is.
func ExpireSilence(ctx context.Context, store schema.Store, uid, by string, now time.Time) (route.Silence, error) {
	found, err := readSilences(ctx, store, "startsWith(toString(silence_uid), {uid:String})", schema.Named("uid", uid))
	if err != nil {
		return route.Silence{}, err
	}
	if uid == "" || len(found) == 0 {
		return route.Silence{}, fmt.Errorf("there is no silence %q: list them with crmwatch silences list", uid)
	}
	if len(found) > 1 {
		return route.Silence{}, fmt.Errorf("%d silences begin with %s: give more of the uid", len(found), uid)
	}
	s := found[0]
	if !s.EndsAt.After(now) {
		return s, fmt.Errorf("silence %s is over since %s UTC", s.UID, sayWhen(s.EndsAt))
	}
	if s.StartsAt.After(now) {
		s.StartsAt = now
	}
	s.EndsAt, s.EndedBy, s.Version = now, by, s.Version+1
	return s, saveSilence(ctx, store, s)
}

// Silences reads the silences, those that end last first; without all, only those
// that are not over.
func Silences(ctx context.Context, store schema.Store, now time.Time, all bool) ([]route.Silence, error) {
	return readSilences(ctx, store, "{all:Bool} OR toUnixTimestamp64Milli(ends_at) > {now:Int64}", schema.Named("all", all), schema.Named("now", now.UnixMilli()))
}

// readSilences reads silences; condition is a constant.
func readSilences(ctx context.Context, store schema.Store, condition string, parameters ...any) ([]route.Silence, error) {
	rows, err := store.Query(ctx, `SELECT toString(silence_uid), version, created_at, author, reason, matchers, starts_at, ends_at, up_to_severity_id, ended_by
		FROM silences FINAL WHERE `+condition+" ORDER BY ends_at DESC, silence_uid", parameters...)
	if err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	defer rows.Close()
	var all []route.Silence
	for rows.Next() {
		var (
			s        route.Silence
			uid      string
			matchers []string
			upTo     uint8
		)
		if err := rows.Scan(&uid, &s.Version, &s.CreatedAt, &s.Author, &s.Reason, &matchers, &s.StartsAt, &s.EndsAt, &upTo, &s.EndedBy); err != nil {
			return nil, fmt.Errorf("read silences: %w", err)
		}
		if s.UID, err = schema.ParseUID(uid); err != nil {
			return nil, fmt.Errorf("read silences: %w", err)
		}
		s.UpTo, s.CreatedAt, s.StartsAt, s.EndsAt = schema.Severity(upTo), loadedTime(s.CreatedAt), loadedTime(s.StartsAt), loadedTime(s.EndsAt)
		if s.Match, err = route.ParseMatch(matchers); err != nil {
			// A newer version's silence must not keep this one from telling anybody.
			s.Match = route.Match{Rule: route.Patterns{"!*"}}
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read silences: %w", err)
	}
	return all, nil
}

func saveSilence(ctx context.Context, store schema.Store, s route.Silence) error {
	batch, err := store.PrepareBatch(durable(ctx), `INSERT INTO silences (silence_uid, version, created_at, author, reason, matchers, starts_at, ends_at,
		up_to_severity_id, ended_by)`)
	if err != nil {
		return fmt.Errorf("save silence: %w", err)
	}
	if err := batch.Append(s.UID.String(), s.Version, storedTime(s.CreatedAt), s.Author, s.Reason, s.Match.Strings(), storedTime(s.StartsAt), storedTime(s.EndsAt),
		uint8(s.UpTo), s.EndedBy); err != nil {
		_ = batch.Abort()
		return fmt.Errorf("save silence %s: %w", s.UID, err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save silence %s: %w", s.UID, err)
	}
	return nil
}

// SilenceCommand makes a silence of a line of text, as somebody writes it in Slack, and
// says which. An error names what to write instead.
func SilenceCommand(ctx context.Context, store schema.Store, author, text string, now time.Time) (string, error) {
	words, err := route.SplitWords(unescape.Replace(text))
	if err != nil {
		return "", err
	}
	s, err := route.ParseSilence(words, author, now)
	if err != nil {
		return "", err
	}
	muted, err := AddSilence(ctx, store, &s, now)
	if err != nil {
		return "", err
	}
	open := 0
	for _, a := range muted {
		if !a.Status.Closed() {
			open++
		}
	}
	return fmt.Sprintf("Silence %s mutes %s, up to %s, until %s UTC: %s now, and it would have muted %s of the last 7 days.", s.UID.String()[:shortUID], s.Match, s.UpTo,
		s.EndsAt.UTC().Format(listTime), sayCount(uint64(open), "open alert"), sayCount(uint64(len(muted)-open), "closed one")), nil
}
