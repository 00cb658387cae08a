package alerting

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestPlainLine(t *testing.T) {
	cases := map[string]string{
		"":                       "",
		"plain text":             "plain text",
		"línea 語 😀":              "línea 語 😀",
		"a\nb\tc":                "a b c",
		"\x1b[2J":                `\x1b[2J`,
		"\u009b31m":              `\u009b31m`,
		"a\u202eb":               `a\u202eb`,
		"\u200bzero\ufeff":       `\u200bzero\ufeff`,
		"\u2028":                 `\u2028`,
		"\U000e0041":             `\U000e0041`,
		"\xff\xfe":               `\xff\xfe`,
		"\u3164":                 `\u3164`,
		"x\u0000y\u007f":         `x\x00y\x7f`,
		"back\\slash and \ue000": `back\slash and \ue000`,
	}
	for in, want := range cases {
		if got := plainLine(in); got != want {
			t.Errorf("plainLine(%q) = %q, want %q", in, got, want)
		}
	}
	if got := plainText("a\r\n\tb\r"); got != "a\n\tb\\x0d" {
		t.Errorf("plainText: %q", got)
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc": "abc", "abcd": "ab…", "語語語": "語語語", "語語語語": "語語…"} {
		if got := cut(in, 3); got != want {
			t.Errorf("cut(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEscape(t *testing.T) {
	cases := []struct {
		in    string
		limit int
		want  string
	}{
		{"<a&b>", 100, "&lt;a&amp;b&gt;"},
		{"abcde", 5, "abcde"}, {"abcdef", 5, "abcd…"},
		{"ab<", 6, "ab&lt;"}, {"ab<c", 6, "ab…"}, {"ab&", 6, "ab…"},
		{"😀😀", 4, "😀😀"}, {"😀😀😀", 4, "😀…"},
	}
	for _, c := range cases {
		if got := escape(c.in, c.limit); got != c.want {
			t.Errorf("escape(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a<b&c>", "\x1b[2J\xff", "\u202e語😀", strings.Repeat("&", 50)} {
		f.Add(seed, 10)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit%200, 10)
		line := plainLine(s)
		for _, r := range line {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Fatalf("plainLine(%q) holds %U", s, r)
			}
		}
		escaped := escape(line, limit)
		if units(escaped) > limit || !utf8.ValidString(escaped) || strings.ContainsAny(escaped, "<>") {
			t.Fatalf("escape(%q, %d) = %q", line, limit, escaped)
		}
		if strings.Contains(strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(escaped), "&") {
			t.Fatalf("escape(%q, %d) cut an escape: %q", line, limit, escaped)
		}
		if got := shown(s, limit); utf8.RuneCountInString(got) > limit {
			t.Fatalf("shown(%q, %d) = %q", s, limit, got)
		}
		lines := wrap(line, 30)
		for _, l := range lines {
			if utf8.RuneCountInString(l) > 30 {
				t.Fatalf("wrap left a line of %d: %q", utf8.RuneCountInString(l), l)
			}
		}
		if strings.Join(strings.Fields(strings.Join(lines, "")), "") != strings.Join(strings.Fields(line), "") {
			t.Fatalf("wrap lost text of %q: %q", line, lines)
		}
	})
}

func TestSay(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than 1 s", 59 * time.Second: "59 s", 90 * time.Minute: "1 h 30 m", 191 * time.Hour: "7 d 23 h", 4*time.Hour + 30*time.Second: "4 h",
	} {
		if got := sayLong(d); got != want {
			t.Errorf("sayLong(%s) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 events", 1: "1 event", 999: "999 events", 1000: "1,000 events", 12345678: "12,345,678 events"} {
		if got := sayCount(n, "event"); got != want {
			t.Errorf("sayCount(%d) = %q, want %q", n, got, want)
		}
	}
	from := time.Date(2025, 8, 12, 22, 14, 8, 5e8, time.UTC)
	for to, want := range map[time.Time]string{
		from: "2025-08-12 22:14:08", from.Add(time.Hour): "2025-08-12 22:14:08 to 23:14:08", from.Add(2 * time.Hour): "2025-08-12 22:14:08 to 2025-08-13 00:14:08",
		from.Add(-time.Hour): "2025-08-12 22:14:08",
	} {
		if got := saySpan(from, to); got != want {
			t.Errorf("saySpan = %q, want %q", got, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	var got []time.Duration
	for _, failures := range []int{1, 2, 3, 9, 10, 1000} {
		got = append(got, backoff(failures))
	}
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 256 * time.Second, 5 * time.Minute, 5 * time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
