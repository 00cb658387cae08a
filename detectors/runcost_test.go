package detectors

import "testing"

// What a run is recorded to have read is what the engine has counted meanwhile.
func TestRunRecordsWhatItReads(t *testing.T) {
	store := openStore(t)
	counted := func() (rows uint64) {
		if err := store.QueryRow(t.Context(), "SELECT value FROM system.events WHERE event = 'SelectedRows'").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, id := range []string{"payload-spike", "source-silent"} {
		rule := oneRule(t, id)
		empty(t, store, "")
		insertEvents(t, store, firing(t, []Rule{rule}))
		runner := NewRunner(store, []Rule{rule}, Options{Clock: later, OwnEngine: true})
		idle := counted()
		before := counted()
		idle = before - idle
		if err := runner.Wake(t.Context(), rule); err != nil {
			t.Fatal(err)
		}
		read := counted() - before - idle
		var recorded uint64
		if err := store.QueryRow(t.Context(), "SELECT sum(read_rows) FROM rule_runs").Scan(&recorded); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d rows recorded, %d counted", id, recorded, read)
		// The questions for the counters read a few rows as well.
		if recorded > read || float64(recorded) < 0.95*float64(read) || read < 5000 {
			t.Errorf("a run of %s recorded %d rows, and the engine counted %d", id, recorded, read)
		}
	}
}
