package formats

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever the bytes, nothing panics, all of them are used, no text is invalid, no
// byte of a rejection is invented, and the cut into calls changes nothing.
func fuzzIPaaS(f *testing.F, formats ...Format) {
	for i, format := range formats {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if filepath.Ext(file) != ".golden" {
				f.Add(data[:min(len(data), 4000)], byte(i), byte(50))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, which, size byte) {
		if len(data) == 0 || size == 0 || looksUTF16(data) { // UTF-16 is refused with as much as is at hand
			return
		}
		format := formats[int(which)%len(formats)]
		c := &checker{t: t, data: data}
		if used := format.New(Options{}).Decode(data, true, c); used != len(data) {
			t.Fatalf("used %d of %d bytes", used, len(data))
		}
		if diff := cmp.Diff(readWhole(format, data, len(data)), readWhole(format, data, int(size))); diff != "" {
			t.Fatalf("%s: -whole +pieces of %d:\n%s", format.Name, size, diff)
		}
		format.Detect(data)
	})
}

func FuzzMulesoftLog(f *testing.F)       { fuzzIPaaS(f, mulesoftLog) }
func FuzzMulesoftJSON(f *testing.F)      { fuzzIPaaS(f, mulesoftJSON) }
func FuzzMulesoftAnalytics(f *testing.F) { fuzzIPaaS(f, mulesoftAnalytics) }
func FuzzMulesoftAudit(f *testing.F)     { fuzzIPaaS(f, mulesoftAudit) }
func FuzzBoomiAudit(f *testing.F)        { fuzzIPaaS(f, boomiAudit) }
func FuzzBoomiExecution(f *testing.F)    { fuzzIPaaS(f, boomiExecution) }
func FuzzBoomiLog(f *testing.F)          { fuzzIPaaS(f, boomiLog) }
func FuzzWorkatoJob(f *testing.F)        { fuzzIPaaS(f, workatoJob) }
func FuzzWorkatoActivity(f *testing.F)   { fuzzIPaaS(f, workatoActivity) }
func FuzzBPALog(f *testing.F)            { fuzzIPaaS(f, bpaLog) }
func FuzzWindowsEvents(f *testing.F)     { fuzzIPaaS(f, windowsEvents) }
