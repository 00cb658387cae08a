package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// Whatever the bytes, nothing panics, all of them are used, no text is invalid, no
// byte of a rejection is invented, and the cut into calls changes nothing.
func FuzzAccessLogs(f *testing.F) {
	for i, format := range accessLogs {
		files, _ := filepath.Glob(filepath.Join("testdata", format.Name, "*.log"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, line := range bytes.SplitAfter(data, []byte{'\n'}) {
				f.Add(line, byte(i), byte(7))
			}
			f.Add(data, byte(i), byte(50))
		}
	}
	f.Add([]byte("h\xc8st:0 198.51.100.23 - - [02/Mar/2026:09:12:00 +0000] \"GET /\" 200 0"), byte(0), byte(7)) // a crasher: a host that is not UTF-8
	f.Fuzz(func(t *testing.T, data []byte, which, size byte) {
		if len(data) == 0 || size == 0 || looksUTF16(data) { // UTF-16 is refused with as much as is at hand
			return
		}
		format := accessLogs[int(which)%len(accessLogs)]
		c := &checker{t: t, data: data}
		if used := format.New(Options{}).Decode(data, true, c); used != len(data) {
			t.Fatalf("used %d of %d bytes", used, len(data))
		}
		if diff := cmp.Diff(readWhole(format, data, len(data)), readWhole(format, data, int(size))); diff != "" {
			t.Fatalf("-whole +pieces of %d:\n%s", size, diff)
		}
		format.Detect(data)
	})
}

type checker struct {
	t    *testing.T
	data []byte
}

func (c *checker) Event(e *schema.Event) {
	if e.Time == 0 || e.UID == (schema.UID{}) || e.Number[schema.ClassUID] == 0 {
		c.t.Errorf("an event without time, identity or class: %+v", e)
	}
	for i, text := range e.Text {
		if !utf8.ValidString(text) {
			c.t.Errorf("%s is not UTF-8: %q", schema.Text(i).Column(), text)
		}
	}
	for _, a := range e.Unmapped {
		if !utf8.ValidString(a.Name) || !utf8.ValidString(a.Value) {
			c.t.Errorf("unmapped %q is not UTF-8: %q", a.Name, a.Value)
		}
	}
}

func (c *checker) Reject(r Rejection) {
	if !bytes.HasPrefix(c.data[r.Offset:], r.Content) || r.Reason == "" || r.Detail == "" {
		c.t.Errorf("offset %d holds something else than %q (%s: %s)", r.Offset, r.Content, r.Reason, r.Detail)
	}
}
