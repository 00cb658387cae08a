package audit

import (
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

func TestOnlyWhatIsMissingIsWritten(t *testing.T) {
	conn := database(t)
	record := func(name string, after time.Duration) Record {
		return Record{UID: schema.HashUID("silence", name), At: at.Add(after), Action: "silence.add", Object: name}
	}
	all := []Record{record("a", 0), record("b", 40*24*time.Hour), record("c", -time.Hour)}
	write := func(want int, records ...Record) {
		t.Helper()
		if n, err := WriteMissing(t.Context(), conn, records...); err != nil || n != want {
			t.Errorf("%d are written, want %d (%v)", n, want, err)
		}
	}
	write(0)
	write(1, all[0])
	write(2, all...)
	write(0, all...)
	if n := len(rows(t, conn, "SELECT message FROM events")); n != 3 {
		t.Errorf("%d rows are stored, want 3", n)
	}
}
