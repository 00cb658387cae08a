package alerting

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/alerting/route"
	"github.com/crmwatch/crmwatch/schema"
)

// Hold is why the notifiers are not told of an alert for itself.
type Hold struct {
	// Mute is why; Until is zero where only its cause's end ends it.
	route.Mute
	// Digest says that digests tell of the alert instead.
	Digest bool
	// Notifiers are those that are not told.
	Notifiers []string
}

// Holds says which of the alerts are muted at a time, by a silence or by what the
// outbox names, or told by a digest.
func Holds(ctx context.Context, store schema.Store, alerts []schema.Alert, silences []route.Silence, now time.Time) (map[schema.UID]Hold, error) {
	rows, err := deliveriesOf(ctx, store, uidsOf(alerts))
	if err != nil {
		return nil, err
	}
	holds := map[schema.UID]Hold{}
	for key, row := range rows {
		if row.state != stateHeld && !isMute(row.reason) || strings.HasPrefix(row.reason, "silence ") {
			// Silences are asked themselves: what was told before they began is muted too.
			continue
		}
		h := holds[key.alert]
		h.Mute = route.Mute{Reason: row.reason, Until: row.notBefore}
		h.Digest = row.digest != (schema.UID{})
		h.Notifiers = append(h.Notifiers, key.notifier)
		slices.Sort(h.Notifiers)
		holds[key.alert] = h
	}
	for _, a := range alerts {
		if a.Status.Closed() {
			delete(holds, a.UID)
			continue
		}
		if m := (*route.Quiet)(nil).Muted(a, now, silences, nil); m.Muted() {
			h := holds[a.UID]
			h.Mute, h.Digest = m, false
			holds[a.UID] = h
		}
	}
	return holds, nil
}

// MutedNow says whether people would be told of an alert at a time, by the silences and
// the open alerts in the database.
func MutedNow(ctx context.Context, store schema.Store, policy Policy, a schema.Alert, now time.Time) (route.Mute, error) {
	d := NewDesk(store, nil, Options{Policy: policy})
	if err := d.readCauses(ctx); err != nil {
		return route.Mute{}, err
	}
	if err := d.readMutes(ctx, now, true); err != nil {
		return route.Mute{}, err
	}
	return d.muted(a, now), nil
}

// SayMute says what mutes an alert, and until when, with the reason that the silence's
// author gave.
func SayMute(m route.Mute, silences []route.Silence) string {
	text := m.Reason
	if uid, is := strings.CutPrefix(m.Reason, "silence "); is {
		text = "silence " + uid[:min(len(uid), shortUID)]
		for _, s := range silences {
			if s.UID.String() == uid {
				text += " (" + shown(s.Reason, maxName) + ", by " + shown(s.Author, maxName) + ")"
			}
		}
	} else if uid, is := strings.CutPrefix(m.Reason, "inhibited by "); is {
		text = "the open alert " + uid[:min(len(uid), shortUID)]
		return text + ", until that is closed"
	}
	text = shown(text, maxMessage)
	if !m.Until.IsZero() {
		text += " until " + m.Until.UTC().Format(listTime) + " UTC"
	}
	return text
}

// heldNames is how many alerts a line of WriteHolds names.
const heldNames = 8

// WriteHolds writes which of the alerts nobody is told of, one line a reason. It writes
// nothing where there are none.
func WriteHolds(w io.Writer, alerts []schema.Alert, holds map[schema.UID]Hold, silences []route.Silence) error {
	type group struct {
		say  string
		uids []string
	}
	var groups []*group
	for _, a := range alerts {
		h, held := holds[a.UID]
		if !held {
			continue
		}
		say := "muted by " + SayMute(h.Mute, silences)
		if h.Digest {
			say = "told by a digest of " + strings.Join(h.Notifiers, ", ")
		}
		at := slices.IndexFunc(groups, func(g *group) bool { return g.say == say })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{say: say})
		}
		groups[at].uids = append(groups[at].uids, a.UID.String()[:shortUID])
	}
	for _, g := range groups {
		names := strings.Join(g.uids[:min(len(g.uids), heldNames)], " ")
		if more := len(g.uids) - heldNames; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", sentence(g.say), names); err != nil {
			return fmt.Errorf("write what is muted: %w", err)
		}
	}
	return nil
}
