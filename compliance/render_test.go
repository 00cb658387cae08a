package compliance

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the expected output")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "nasty", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-update rewrites it):\n%s", path, diff)
	}
}

func TestRenderedSummaries(t *testing.T) {
	s := nasty()
	for name, write := range map[string]func(*bytes.Buffer) error{
		"summary.html": func(w *bytes.Buffer) error { return WriteHTML(w, s) },
		"summary.md":   func(w *bytes.Buffer) error { return WriteMarkdown(w, s) },
		"summary.json": func(w *bytes.Buffer) error { return WriteJSON(w, s) },
	} {
		var first, second bytes.Buffer
		if err := write(&first); err != nil {
			t.Fatal(err)
		}
		if err := write(&second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s differs when it is written twice", name)
		}
		golden(t, name, first.Bytes())
	}
}

func TestRenderedAnnex(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "annex")
	if err := WriteCSVFolder(folder, nasty()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 7 {
		t.Fatalf("the annex of 7 statements has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("annex", file.Name()), text)
		records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", file.Name(), err)
		}
		for _, record := range records {
			for i, c := range record {
				// A number may begin with a minus; it is no formula.
				if strings.Trim(c, "-0123456789.eE") != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
					t.Errorf("%s, column %d: %q would run in a spreadsheet", file.Name(), i, c)
				}
			}
		}
	}
}

// No value of a log may become a tag, an attribute or a link, in any of the forms.
func TestNoValueBecomesMarkup(t *testing.T) {
	var html, md bytes.Buffer
	if err := WriteHTML(&html, nasty()); err != nil {
		t.Fatal(err)
	}
	if err := WriteMarkdown(&md, nasty()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img", "<b>", "<i>", "<u>", "<x>", "\u202e", "\x1b"} {
		if strings.Contains(html.String(), bad) {
			t.Errorf("the page holds %q", bad)
		}
		if strings.Contains(md.String(), bad) {
			t.Errorf("the Markdown holds %q", bad)
		}
	}
	if strings.Contains(html.String(), `href="javascript:`) {
		t.Error("the page links to a script")
	}
	for _, bad := range []string{"[link](", "![p]", "**bold**", " `code`", "\n# heading", "https://attacker"} {
		if strings.Contains(md.String(), bad) {
			t.Errorf("the Markdown holds %q", bad)
		}
	}
}

func TestParseKeepsEveryByte(t *testing.T) {
	text, err := nasty().JSON()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var before, after bytes.Buffer
	if err := WriteHTML(&before, nasty()); err != nil {
		t.Fatal(err)
	}
	if err := WriteHTML(&after, s); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Error("a summary that was read from its JSON is shown otherwise")
	}
	for what, broken := range map[string]string{
		"another number": strings.Replace(string(text), `"ms":1234`, `"ms":01234`, 1),
		"white space":    strings.Replace(string(text), `"ms":1234`, `"ms": 1234`, 1),
		"another key":    strings.Replace(string(text), `"ms":1234`, `"ms":1234,"more":1`, 1),
		"a later form":   strings.Replace(string(text), `"format":1`, `"format":2`, 1),
		"half of it":     string(text[:len(text)/2]),
		"more behind it": string(text) + "{}",
	} {
		if _, err := Parse([]byte(broken)); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// The content's hash does not depend on when and how fast a summary was made.
func TestContentHash(t *testing.T) {
	a, b := nasty(), nasty()
	b.Making.At, b.Making.Milliseconds = b.Making.At.AddDate(0, 1, 0), 1
	changed := nasty()
	changed.Content.Sections[0].Answers[0].Rows[0][0] = changed.Content.Sections[0].Answers[0].Rows[0][1]
	hashes := map[string][2]string{}
	for name, s := range map[string]Summary{"a": a, "b": b, "changed": changed} {
		content, err := s.ContentHash()
		if err != nil {
			t.Fatal(err)
		}
		whole, err := s.Hash()
		if err != nil {
			t.Fatal(err)
		}
		hashes[name] = [2]string{content, whole}
	}
	if hashes["a"][0] != hashes["b"][0] || hashes["a"][1] == hashes["b"][1] || hashes["a"][0] == hashes["changed"][0] {
		t.Errorf("hashes of content and of the whole: %v", hashes)
	}
}

// More than in a period of which little is stored is not more.
func TestChangeSaysWhatItComparesWith(t *testing.T) {
	week := nasty().Content.Period
	all := func(p Period) Collected {
		c := Collected{Unit: "day"}
		for at := p.From; at.Before(p.To); at = at.AddDate(0, 0, 1) {
			c.From = append(c.From, at)
		}
		return c
	}
	whole, wholeBefore := all(week), all(week.Before())
	part, nothing := Collected{Unit: "day", From: whole.From[:3]}, Collected{Unit: "day"}
	for name, c := range map[string]struct {
		now, before          Collected
		figure, figureBefore any
		want                 string
	}{
		"more":              {whole, wholeBefore, json.Number("1200"), json.Number("1000"), "▲ up from 1,000 in the week before"},
		"fewer":             {whole, wholeBefore, json.Number("0"), json.Number("1"), "▼ down from 1 in the week before"},
		"as many":           {whole, wholeBefore, json.Number("5"), json.Number("5.0"), "as in the week before"},
		"part before":       {whole, Collected{Unit: "day", From: wholeBefore.From[1:]}, json.Number("2"), json.Number("1"), "▲ up from 1 in the week before, which is not stored whole"},
		"part now":          {part, wholeBefore, json.Number("1"), json.Number("2"), "▼ down from 2 in the week before; this period is not stored whole"},
		"nothing before":    {whole, nothing, json.Number("1"), json.Number("0"), "nothing is stored from the week before"},
		"not known now":     {whole, wholeBefore, nil, json.Number("0"), "nothing to compare with"},
		"a text":            {whole, wholeBefore, "x", "y", "nothing to compare with"},
		"first of its kind": {whole, wholeBefore, json.Number("1"), nil, "nothing to compare with"},
	} {
		content := Content{Period: week, Collected: c.now, CollectedBefore: c.before}
		if got := change(content, Column{Kind: KindNumber}, c.figure, c.figureBefore); got != c.want {
			t.Errorf("%s: says %q, want %q", name, got, c.want)
		}
	}
}
