package formats

import (
	"os"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

func TestRecordCount(t *testing.T) {
	for _, c := range []struct {
		text string
		bare bool
		want uint64
		ok   bool
	}{
		{"2,000 records", false, 2000, true},
		{"1 lead record(s) deleted", false, 1, true},
		{"2,000", true, 2000, true},
		{"2,000", false, 0, false},
		{"12 Main Street", false, 0, false},
		{"records", false, 0, false},
		{"", true, 0, false},
		{"99999999999999999999 records", false, 0, false},
		{",1 records", false, 0, false},
	} {
		if got, ok := recordCount(c.text, c.bare); got != c.want || ok != c.ok {
			t.Errorf("%q: got %d, %v", c.text, got, ok)
		}
	}
}

// Two exports whose times overlap hold the same rows: each has one identity, in
// whatever order its columns stand and however they are quoted.
func TestZohoIdentitySurvivesReexport(t *testing.T) {
	data, err := os.ReadFile("testdata/zoho-audit/good.csv")
	if err != nil {
		t.Fatal(err)
	}
	var first, second transcript
	decodeInSteps(t, zoho.New(Options{}), data, len(data), &first)
	again := "Details,Record Name,Module,Action,Done By,Audited Time\n\"2,000 records\",,Contacts,\"Exported\",Priya N,2026-03-02T09:12:00+05:30\n"
	decodeInSteps(t, zoho.New(Options{}), []byte(again), len(again), &second)
	if len(second.uids) != 1 || len(first.uids) == 0 || second.uids[0] != first.uids[0] {
		t.Errorf("the same row has the identities %v and %v", first.uids[:1], second.uids)
	}
	seen := map[schema.UID]bool{}
	for _, uid := range first.uids {
		if seen[uid] {
			t.Errorf("two rows have the identity %s", uid)
		}
		seen[uid] = true
	}
}

// A file named to be Zoho's needs no more than time, user and action.
func TestZohoNamedInTheConfiguration(t *testing.T) {
	file := "Date,User,Activity\n\"Mar 2, 2026 09:12 AM\",Priya N,Deleted\n"
	if f, _, _ := Detect([]byte(file)); f.Name != genericCSVName {
		t.Errorf("such a header may be anybody's, but it is taken for %q", f.Name)
	}
	var got transcript
	decodeInSteps(t, zoho.New(Options{}), []byte(file), len(file), &got)
	if got.events != 1 {
		t.Errorf("not read: %s", got.String())
	}
}
