package simulate

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The theft of the example happens as it did: this is its timetable.
func TestTheftTimetable(t *testing.T) {
	dir, m := exampleOnce().read(t)
	theft := m.Incidents[0]
	vendor := map[string]bool{}
	var got []string
	var completed time.Time
	for _, e := range events(t, dir, m) {
		if e.fields["USER_ID_DERIVED"] != theft.EntityUID {
			continue
		}
		attackers := strings.HasPrefix(e.address(), "203.0.113.")
		if e.when.Before(theft.From) {
			vendor[networkOf(e.address())] = true
		}
		if e.log == "Login" && e.fields["LOGIN_STATUS"] != loginSuccess {
			t.Errorf("a login failed at %s", e.when)
		}
		stolen := strings.Contains(e.fields["URI"], "/v58.0/") || e.log == "Login" && !strings.HasPrefix(e.fields["BROWSER_TYPE"], "support-chat")
		if !stolen || e.log == "BulkApiRequest" && e.fields["REQUEST_PATH"] != "/services/data/v58.0/jobs/query" || e.fields["JOB_STATUS"] == "InProgress" {
			continue
		}
		if !attackers && !vendor[networkOf(e.address())] {
			t.Errorf("probing from %s, which is not the vendor's", e.address())
		}
		if e.fields["JOB_STATUS"] == "JobComplete" {
			completed = e.when
			if n, _ := strconv.Atoi(e.fields["RECORDS_PROCESSED"]); n < 1_000_000 {
				t.Errorf("the export has %d records", n)
			}
		}
		if e.fields["METHOD"] == "DELETE" && e.when.Sub(completed) != 24*time.Second {
			t.Errorf("deleted %s after completion", e.when.Sub(completed))
		}
		what := strings.TrimPrefix(e.fields["METHOD"]+" "+strings.TrimPrefix(e.fields["URI"], "/services/data/v58.0/"), " ")
		if e.fields["QUERY"] != "" {
			_, what, _ = strings.Cut(e.fields["QUERY"], "FROM ")
		}
		if at := strings.Index(what, "jobs/query/"); at >= 0 {
			what = what[:at+len("jobs/query/")] + "<id>"
		}
		got = append(got, e.when.Format("01-02 15:04:05 ")+e.log+" "+strings.TrimSpace(what))
	}
	golden := "testdata/theft.txt"
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("timetable:\n%s\nwant:\n%s", text, want)
	}
}

func networkOf(address string) string { return address[:strings.LastIndexAny(address, ".:")+1] }
