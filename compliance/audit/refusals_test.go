package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// knocks is a Refusals with a clock and a store of its own.
type knocks struct {
	*Refusals
	now    time.Time
	stored []Record
	away   bool
}

func newKnocks() *knocks {
	k := &knocks{now: at}
	k.Refusals = &Refusals{Clock: func() time.Time { return k.now }, Write: func(_ context.Context, records ...Record) error {
		if k.away {
			return errors.New("the database is away")
		}
		k.stored = append(k.stored, records...)
		return nil
	}}
	return k
}

// refuse knocks perSecond times a second for so long, and writes every second.
func (k *knocks) refuse(t *testing.T, perSecond int, long time.Duration, each func(n int) Refusal) {
	t.Helper()
	n := 0
	for end := k.now.Add(long); k.now.Before(end); k.now = k.now.Add(time.Second) {
		for range perSecond {
			r := each(n)
			r.At = k.now
			k.Refused(r)
			n++
		}
		if err := k.Flush(t.Context(), false); err != nil && !k.away {
			t.Fatal(err)
		}
	}
}

// attempts sums what the records tell.
func attempts(t *testing.T, records []Record) (sum int) {
	t.Helper()
	for _, r := range records {
		n, err := strconv.Atoi(r.Attributes["attempts"])
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		sum += n
	}
	return sum
}

func login(address, name string) Refusal {
	return Refusal{Action: "login.refuse", Service: "engine", Address: address, Name: name, Reason: "wrong password"}
}

func TestAThousandKnocksASecondAreOneEventAMinute(t *testing.T) {
	k := newKnocks()
	k.refuse(t, 1000, 10*time.Minute, func(int) Refusal { return login("203.0.113.7", "admin") })
	k.Flush(t.Context(), true)
	if n := len(k.stored); n != tellFirst+10 {
		t.Errorf("%d events are written, want %d and one a minute", n, tellFirst)
	}
	if n := attempts(t, k.stored); n != 600_000 {
		t.Errorf("they tell of %d attempts, want 600,000", n)
	}
	last := k.stored[len(k.stored)-1]
	if last.Actor != "admin" || last.Attributes["names"] != "1" || last.Attributes["src_endpoint_ip"] != "203.0.113.7" || !last.Failed {
		t.Errorf("the last is %+v", last)
	}
	uids := map[string]bool{}
	for _, r := range k.stored {
		uids[r.UID.String()] = true
	}
	if len(uids) != len(k.stored) {
		t.Errorf("%d events have %d identities", len(k.stored), len(uids))
	}
}

func TestSourcesAndNamesAreBounded(t *testing.T) {
	k := newKnocks()
	k.refuse(t, 500, time.Minute, func(n int) Refusal {
		return login(fmt.Sprintf("2001:db8::%x", n), fmt.Sprintf("user%d", n))
	})
	if n := len(k.sources); n > maxSources+1 {
		t.Errorf("%d sources are kept", n)
	}
	k.Flush(t.Context(), true)
	if n := attempts(t, k.stored); n != 30_000 {
		t.Errorf("%d attempts are told, want 30,000", n)
	}
	if n := len(k.stored); n > maxSources+maxSingly+1 {
		t.Errorf("%d events are written in a minute", n)
	}
	last := Record{}
	for _, r := range k.stored {
		if r.Attributes["sources"] == others {
			last = r
		}
	}
	if last.Attributes["names"] != "more than 100" || last.Actor != "" {
		t.Errorf("the rest is told as %+v", last)
	}
	// Once all are calm, nothing is kept of them.
	k.now = k.now.Add(calm)
	k.Flush(t.Context(), false)
	if len(k.sources) != 0 || len(k.waiting) != 0 {
		t.Errorf("%d sources and %d records are kept", len(k.sources), len(k.waiting))
	}
}

func TestRefusalsWaitForTheDatabase(t *testing.T) {
	k := newKnocks()
	k.away = true
	k.refuse(t, 1, 30*time.Second, func(n int) Refusal { return login("203.0.113.7", fmt.Sprint("user", n)) })
	k.away = false
	k.refuse(t, 0, time.Minute, nil)
	if n := attempts(t, k.stored); n != 30 {
		t.Errorf("%d attempts are told after the database came back, want 30", n)
	}
	for i, r := range k.stored[:tellFirst] {
		if !r.At.Equal(at.Add(time.Duration(i) * time.Second)) {
			t.Fatalf("record %d is of %s", i, r.At)
		}
	}
}

func TestWhatDoesNotFitIsCounted(t *testing.T) {
	k := newKnocks()
	k.away = true
	k.refuse(t, 100, time.Hour, func(n int) Refusal { return login(fmt.Sprintf("203.0.113.%d", n%100), "admin") })
	if n := len(k.waiting); n > maxWaiting {
		t.Errorf("%d records wait", n)
	}
	k.away = false
	k.Flush(t.Context(), true)
	k.Flush(t.Context(), true)
	var lost, told int
	for _, r := range k.stored {
		if r.Action == "audit.lose" {
			lost, _ = strconv.Atoi(r.Attributes["records"])
		} else {
			told++
		}
	}
	if lost == 0 || told != maxWaiting {
		t.Errorf("%d records are told and %d counted as lost", told, lost)
	}
}

func TestACalmSourceIsToldOneByOneAgain(t *testing.T) {
	k := newKnocks()
	k.refuse(t, 1, 30*time.Second, func(int) Refusal { return login("203.0.113.7", "admin") })
	k.refuse(t, 0, calm+time.Minute, nil)
	before := len(k.stored)
	k.refuse(t, 1, 5*time.Second, func(int) Refusal { return login("203.0.113.7", "admin") })
	if n := len(k.stored) - before; n != 5 {
		t.Errorf("%d events, want 5", n)
	}
}

func TestWhatTheChildSkippedIsTold(t *testing.T) {
	k := newKnocks()
	k.refuse(t, 1, 2*time.Second, func(int) Refusal { r := login("203.0.113.7", "admin"); r.Others = 40; return r })
	k.Flush(t.Context(), true)
	if n := attempts(t, k.stored); n != 82 {
		t.Errorf("%d attempts are told, want 82", n)
	}
}
