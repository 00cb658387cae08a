package compliance

import (
	"context"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func knownControls(t testing.TB) []detectors.Control {
	t.Helper()
	controls, err := detectors.Controls()
	if err != nil {
		t.Fatal(err)
	}
	return controls
}

func storeEvents(t testing.TB, store schema.Store, insert string) {
	t.Helper()
	if err := store.Exec(context.Background(), insert); err != nil {
		t.Fatal(err)
	}
}

func march(t testing.TB) Period {
	t.Helper()
	p, err := PeriodAt(Monthly, time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func clock() time.Time { return time.Date(2026, 4, 1, 6, 0, 0, 0, time.UTC) }
