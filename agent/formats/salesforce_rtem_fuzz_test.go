package formats

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// Whatever the bytes, nothing panics, all of them are used, no text is invalid, no
// byte of a rejection is invented, and the cut into calls changes nothing.
func FuzzRTEM(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", rtemName, "*.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4000)], byte(50))
	}
	f.Fuzz(func(t *testing.T, data []byte, size byte) {
		if len(data) == 0 || size == 0 || looksUTF16(data) { // UTF-16 is refused with as much as is at hand
			return
		}
		data = data[:min(len(data), 4<<10)]
		c := &rtemChecker{checker{t: t, data: data}}
		if used := salesforceRTEM.New(Options{}).Decode(data, true, c); used != len(data) {
			t.Fatalf("used %d of %d bytes", used, len(data))
		}
		if diff := cmp.Diff(readWhole(salesforceRTEM, data, len(data)), readWhole(salesforceRTEM, data, int(size))); diff != "" {
			t.Fatalf("-whole +pieces of %d:\n%s", size, diff)
		}
		salesforceRTEM.Detect(data)
	})
}

// rtemChecker allows for events of types that are not known, which have no class, and
// for those of the first of January 1970.
type rtemChecker struct{ checker }

func (c *rtemChecker) Event(e *schema.Event) {
	e.Time, e.Number[schema.ClassUID] = max(e.Time, 1), max(e.Number[schema.ClassUID], 1)
	c.checker.Event(e)
}
