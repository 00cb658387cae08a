package lease

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// callers is a rule that finds whoever called, and how often.
var callers = detectors.Rule{
	ID: "callers", Kind: detectors.KindQuery, Title: "Somebody called", Severity: schema.SeverityLow, EntityType: "user", Window: 24 * time.Hour,
	Query: `SELECT metadata_tenant_uid AS tenant, metadata_product_name AS product, actor_user_uid AS entity_uid,
    min(time) AS first_seen, max(time) AS last_seen, count() AS count, arrayMap(x -> x.2, groupArraySorted(50)((time, event_uid))) AS evidence
FROM events
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}
GROUP BY tenant, product, entity_uid`,
	Message: "{{entity}} called {{count}} times.",
}

func (w *world) insertCalls(user string, calls int) {
	w.t.Helper()
	batch := schema.NewBatch()
	for i := range calls {
		var e schema.Event
		e.SetTime(time.Date(2026, 3, 2, 9, i, 0, 0, time.UTC))
		e.Text[schema.MetadataTenantUID], e.Text[schema.ActorUserUID] = "acme", user
		e.UID = schema.HashUID(user, fmt.Sprint(i))
		batch.Append(&e)
	}
	block, err := batch.AppendBlock(nil)
	if err == nil {
		err = w.InsertFormat(w.t.Context(), "Native", "INSERT INTO "+schema.EventsTable, bytes.NewReader(block))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) counts() string {
	w.t.Helper()
	found, err := detectors.LoadFindings(w.t.Context(), w.Store, detectors.FindingFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	var counts []string
	for _, f := range found {
		counts = append(counts, fmt.Sprintf("%s %d", f.EntityUID, f.Count))
	}
	slices.Sort(counts)
	return strings.Join(counts, ", ")
}

// Two instances evaluate rules on one store. The leader is frozen after it has looked
// and before it has written; when it wakes, the other has found more, and keeps it.
func TestFrozenLeaderWritesNothing(t *testing.T) {
	w := newWorld(t)
	a, b := w.instance(), w.instance()
	runner := func(l *Lease) *detectors.Runner {
		return detectors.NewRunner(w, []detectors.Rule{callers}, detectors.Options{
			Lease: l.Held, Clock: func() time.Time { return time.Now().Add(time.Hour) },
		})
	}
	if _, leader := w.run(time.Minute, a); leader != a {
		t.Fatal("nobody leads")
	}
	w.insertCalls("u1", 3)
	if err := runner(b).Wake(t.Context(), callers); !errors.Is(err, ErrLost) || w.counts() != "" {
		t.Fatalf("the one that does not lead: %v, findings %q", err, w.counts())
	}
	if err := runner(a).Wake(t.Context(), callers); err != nil || w.counts() != "u1 3" {
		t.Fatalf("the leader: %v, findings %q", err, w.counts())
	}
	w.insertCalls("u2", 2)
	frozen := false
	w.after = func(ctx context.Context) error {
		if frozen || a.Held() != nil {
			return nil
		}
		frozen = true
		// The first statement of the run has ended; now a minute passes for this process.
		w.now = w.now.Add(time.Minute)
		w.after = nil
		if _, leader := w.run(time.Minute, b); leader != b {
			t.Error("the other does not take over")
		}
		w.insertCalls("u2", 5)
		return runner(b).Wake(ctx, callers)
	}
	if err := runner(a).Wake(t.Context(), callers); !errors.Is(err, ErrLost) {
		t.Errorf("the frozen leader's run ends with %v", err)
	}
	if got := w.counts(); !frozen || got != "u1 3, u2 5" {
		t.Errorf("findings are %q", got)
	}
	if _, leader := w.run(2*time.Minute, a, b); leader != nil {
		t.Errorf("%s leads beside the other", leader.holder)
	}
}
