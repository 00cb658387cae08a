package receive

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cutAll cuts a stream that comes in pieces of size bytes, and says what it was cut into.
func cutAll(f frames, stream string, size int) (all []string) {
	var buffer []byte
	rest := []byte(stream)
	skipped := 0
	for {
		n := min(size, len(rest))
		buffer = append(buffer, rest[:n]...)
		rest = rest[n:]
		for {
			cut := f.next(buffer, len(rest) == 0)
			if cut.size == 0 {
				break
			}
			switch {
			case cut.skipped:
				skipped += cut.size
			case cut.tooLong:
				all = append(all, "too long: "+string(cut.message))
			case cut.cut:
				all = append(all, "cut: "+string(cut.message))
			case cut.message != nil:
				all = append(all, string(cut.message))
			}
			buffer = buffer[cut.size:]
		}
		if len(rest) == 0 {
			break
		}
	}
	if len(buffer) > 0 {
		all = append(all, "left: "+string(buffer))
	}
	if skipped > 0 {
		all = append(all, fmt.Sprintf("skipped: %d", skipped))
	}
	return all
}

func TestFramesOfSyslog(t *testing.T) {
	for stream, want := range map[string][]string{
		"<1>a\n<1>b\n":                        {"<1>a", "<1>b"},
		"4 <1>a5 <1>bc<1>d\n4 <1>e":           {"<1>a", "<1>bc", "<1>d", "<1>e"},
		"6 <1>a\nb<1>c\n":                     {"<1>a\nb", "<1>c"},
		"5 <1>a\n5 <1>b\n":                    {"<1>a\n", "<1>b\n"},
		"12 monkeys\n2026-03-02 <1>\n":        {"12 monkeys", "2026-03-02 <1>"},
		"0 <1>a\n":                            {"0 <1>a"},
		"1234567890 <1>a\n":                   {"1234567890 <1>a"},
		"\n\n<1>a\n\n":                        {"<1>a"},
		"9 <1>ab":                             {"cut: <1>ab"},
		"<1>ab":                               {"cut: <1>ab"},
		"12":                                  {"cut: 12"},
		"12 ":                                 {"cut: 12 "},
		"<1>aaaaaaaaaaaaaaaaaaaaaaaa\n<1>b\n": {"too long: <1>aaaaaaaaaaaaaaaaa", "<1>b", "skipped: 8"},
		"24 <1>aaaaaaaaaaaaaaaaaaaaa4 <1>b":   {"too long: <1>aaaaaaaaaaaaaaaaa", "<1>b", "skipped: 4"},
		"<1>aaaaaaaaaaaaaaaaa\n<1>b\n":        {"<1>aaaaaaaaaaaaaaaaa", "<1>b"},
		"20 <1>aaaaaaaaaaaaaaaaa<1>b\n":       {"<1>aaaaaaaaaaaaaaaaa", "<1>b"},
		"999999999 <1>a":                      {"too long: <1>a"},
	} {
		for size := 1; size <= len(stream); size++ {
			got := cutAll(frames{max: 20, delimiter: '\n', counted: true}, stream, size)
			if !slices.Equal(got, want) {
				t.Errorf("%q in pieces of %d: %q, want %q", stream, size, got, want)
				break
			}
		}
	}
}

func TestFramesOfGELF(t *testing.T) {
	stream := "{\"a\":\n1}\x00\x00{}\x00{\"long\":\"aaaaaaaaaaaaaaaaaaaaa\"}\x00{}"
	want := []string{"{\"a\":\n1}", "{}", `too long: {"long":"aaaaaaaaaaa`, "cut: {}", "skipped: 13"}
	for size := 1; size <= len(stream); size++ {
		if got := cutAll(frames{max: 20}, stream, size); !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add("4 <1>a<1>b\n9 <1>c", 3, true)
	f.Add("{}\x00{\"a\":1}\x00", 1, false)
	f.Add(strings.Repeat("9 <", 30)+"\n", 7, true)
	f.Fuzz(func(t *testing.T, stream string, size int, counted bool) {
		if size < 1 || size > 1<<16 || len(stream) > 1<<16 {
			return
		}
		frames := frames{max: 20, counted: counted}
		if counted {
			frames.delimiter = '\n'
		}
		whole := cutAll(frames, stream, len(stream)+1)
		if pieces := cutAll(frames, stream, size); !slices.Equal(pieces, whole) {
			t.Errorf("in pieces of %d: %q, whole: %q", size, pieces, whole)
		}
		for _, one := range whole {
			if strings.HasPrefix(one, "left: ") {
				t.Errorf("not all is used: %q", whole)
			}
		}
	})
}

func TestInner(t *testing.T) {
	for message, want := range map[string]string{
		"<190>Mar  2 09:00:00 web1 nginx: a b":                      "a b",
		"<190>Mar  2 09:00:00 nginx: a b":                           "a b",
		"<190>nginx: a b":                                           "a b",
		"<190>2026-03-02T09:00:00+00:00 web1 nginx[7]: a b":         "a b",
		"<134>1 2026-03-02T09:12:00.118Z gw1 crmgw 2211 AUTH - a b": "a b",
		"<134>1 - - - - - -":                                        "",
		"<134>1 - - - - - - \xEF\xBB\xBFa":                          "a",
		`<134>1 - h a 1 - [x@1 k="a]\"b"][y@1 k="v"] a [b] c`:       "a [b] c",
		`<134>1 - h a 1 - [x@1 k="never ends`:                       `1 - h a 1 - [x@1 k="never ends`,
		"a b":                                                       "a b",
		"<1":                                                        "<1",
		`<13>{"a": 1}`:                                              `{"a": 1}`,
		`<13>203.0.113.7 - - [02/Mar/2026:09:00:00 +0000] "GET / ..."`: `203.0.113.7 - - [02/Mar/2026:09:00:00 +0000] "GET / ..."`,
	} {
		if got := string(inner([]byte(message))); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

func FuzzInner(f *testing.F) {
	f.Add(`<134>1 - h a 1 - [x@1 k="a]\"b"] a`)
	f.Add("<190>Mar  2 09:00:00 web1 nginx: a b")
	f.Fuzz(func(t *testing.T, message string) {
		if !strings.HasSuffix(message, string(inner([]byte(message)))) {
			t.Errorf("%q", message)
		}
	})
}
