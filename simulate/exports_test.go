package simulate

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// export reads one file: its header and its records, and proves that they are
// in Salesforce's dialect by writing them again.
func readExport(t *testing.T, dir string, f File) (header []string, records [][]string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, f.Path))
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(content)).ReadAll() // refuses a changed column count
	if err != nil {
		t.Fatalf("%s: %v", f.Path, err)
	}
	var again []byte
	for _, r := range all {
		again = appendRecord(again, r)
	}
	if !bytes.Equal(again, content) {
		t.Fatalf("%s is not fully quoted", f.Path)
	}
	if int64(len(all)-1) != f.Records {
		t.Errorf("%s has %d records, the manifest says %d", f.Path, len(all)-1, f.Records)
	}
	return all[0], all[1:]
}

func TestExports(t *testing.T) {
	dir, m := eventfulOnce().read(t)
	hourly, daily := map[string][]string{}, map[string][]string{} // by type and day
	seen := map[string]bool{}
	traits := map[string]int{}
	for _, f := range m.Files {
		if f.Product != Salesforce {
			continue
		}
		header, records := readExport(t, dir, f)
		at := func(name string) int { return slices.Index(header, name) }
		for _, r := range records {
			line := strings.Join(r, "\x00")
			when, err := time.Parse("2006-01-02T15:04:05.000Z", r[at("TIMESTAMP_DERIVED")])
			if err != nil || when.Before(f.From) || !when.Before(f.To) {
				t.Fatalf("%s holds an event of %s (%v)", f.Path, r[at("TIMESTAMP_DERIVED")], err)
			}
			if when.Format("20060102150405.000") != r[at("TIMESTAMP")] || r[0] != f.Log {
				t.Fatalf("%s: times or type disagree: %v", f.Path, r)
			}
			if i := at("USER_ID_DERIVED"); i >= 0 && r[i] != longID(r[at("USER_ID")]) {
				t.Fatalf("%s: user %s is derived as %s", f.Path, r[at("USER_ID")], r[i])
			}
			key := f.Log + " " + f.From.Format(time.DateOnly)
			if f.Sequence == 0 {
				daily[key] = append(daily[key], line)
				continue
			}
			hourly[key] = append(hourly[key], line)
			if seen[line] {
				t.Errorf("%s repeats a record: %v", f.Path, r)
			}
			seen[line] = true
			traits[f.Log]++
			for name, has := range map[string]bool{
				"late":     f.Sequence == 2,
				"newline":  strings.Contains(line, "\n"),
				"quote":    strings.Contains(line, `"`),
				"platform": strings.Contains(line, platformAddress),
				"IPv6":     strings.Contains(line, "2001:db8:"),
				"no user":  r[at("USER_ID")] == "",
				"lockout":  strings.Contains(line, loginLockout),
				"asked":    strings.Contains(line, loginTwoFactor),
				"escaped":  strings.Contains(line, "%28Windows NT"),
			} {
				if has {
					traits[name]++
				}
			}
		}
	}
	for key := range hourly {
		slices.Sort(hourly[key])
		slices.Sort(daily[key])
		if !slices.Equal(hourly[key], daily[key]) {
			t.Errorf("%s: the daily file has %d records, the hourly ones %d others", key, len(daily[key]), len(hourly[key]))
		}
	}
	for key := range daily {
		if hourly[key] == nil {
			t.Errorf("%s is only in a daily file", key)
		}
	}
	for _, want := range []string{"late", "newline", "quote", "platform", "IPv6", "no user", "lockout", "asked", "escaped"} {
		if traits[want] == 0 {
			t.Errorf("no record has the trait %q", want)
		}
	}
	for _, table := range tables {
		if traits[table.name] == 0 {
			t.Errorf("no record of type %s", table.name)
		}
	}
}

// Every RestApi, API, bulk and metadata request is counted once more in
// ApiTotalUsage, under the same request id.
func TestTotalUsageRepeatsEveryRequest(t *testing.T) {
	dir, m := eventfulOnce().read(t)
	requests, usage := map[string]int{}, map[string]int{}
	for _, f := range m.Files {
		if f.Sequence == 0 {
			continue
		}
		header, records := readExport(t, dir, f)
		for _, r := range records {
			id := r[slices.Index(header, "REQUEST_ID")]
			switch f.Log {
			case "ApiTotalUsage":
				usage[id]++
			case "RestApi", "API", "BulkApiRequest", "MetadataApiOperation":
				requests[id]++
			}
		}
	}
	if len(requests) < 5000 || len(requests) != len(usage) {
		t.Errorf("%d requests and %d counted", len(requests), len(usage))
	}
	for id, n := range requests {
		if n != 1 || usage[id] != 1 {
			t.Fatalf("request %s is logged %d times and counted %d times", id, n, usage[id])
		}
	}
}

func TestLongID(t *testing.T) {
	for short, want := range map[string]string{
		"0057x000001QwEr": "0057x000001QwErAAK",
		"00D000000000062": "00D000000000062EAA",
		"aaaaaBBBBBcCcCc": "aaaaaBBBBBcCcCcA5K",
		"":                "",
	} {
		if got := longID(short); got != want {
			t.Errorf("longID(%q) = %q, want %q", short, got, want)
		}
	}
}
