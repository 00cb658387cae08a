package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStatement(t *testing.T) {
	tests := []struct {
		source string
		want   statement
		data   string
	}{
		{"SELECT 1", statement{}, ""},
		{"SELECT 1;", statement{}, ""},
		{"SELECT 1; -- end", statement{}, ""},
		{"SELECT 1; SELECT 2", statement{second: true}, ""},
		{"SELECT ';' /* ; */ -- ;\n, `;`, \";\", $x$;$x$", statement{}, ""},
		{"SELECT 1 FORMAT JSON", statement{format: "JSON"}, ""},
		{"select 1 format `CSV` settings max_threads = 1", statement{format: "CSV"}, ""},
		{"SELECT format('{}', x) FROM t FORMAT TSV;", statement{format: "TSV"}, ""},
		{"SELECT (SELECT 1 FORMAT JSON)", statement{}, ""},
		{"SELECT 'FORMAT JSON'", statement{}, ""},
		{"-- FORMAT CSV\nSELECT 1", statement{}, ""},
		{"/* /* FORMAT CSV */ ; */ SELECT 1", statement{}, ""},
		{"WITH x AS (SELECT 1) SELECT * FROM x FORMAT Native", statement{format: "Native"}, ""},
		{"EXPLAIN INSERT INTO t SELECT 1", statement{}, ""},
		{"INSERT INTO t VALUES (1)", statement{insert: insertData, text: "INSERT INTO t ", format: "Values"}, " (1)"},
		{"insert into t (a, b) format CSV\n1,2\n", statement{insert: insertData, text: "insert into t (a, b) ", format: "CSV"}, "1,2\n"},
		{"INSERT INTO t FORMAT CSV  \r\n1\n", statement{insert: insertData, text: "INSERT INTO t ", format: "CSV"}, "1\n"},
		{"INSERT INTO t FORMAT CSV 1;2", statement{insert: insertData, text: "INSERT INTO t ", format: "CSV"}, "1;2"},
		{"INSERT INTO t FORMAT Native\n\n\x01'", statement{insert: insertData, text: "INSERT INTO t ", format: "Native"}, "\n\x01'"},
		{"INSERT INTO TABLE values FORMAT CSV\n1", statement{insert: insertData, text: "INSERT INTO TABLE values ", format: "CSV"}, "1"},
		{"INSERT INTO format.`select` (values) VALUES (1)", statement{insert: insertData, text: "INSERT INTO format.`select` (values) ", format: "Values"}, " (1)"},
		{"INSERT INTO FUNCTION file('x', 'CSV') VALUES (1)", statement{insert: insertData, text: "INSERT INTO FUNCTION file('x', 'CSV') ", format: "Values"}, " (1)"},
		{"INSERT INTO t SETTINGS a = 1, b = 'FORMAT x' FORMAT CSV\n1", statement{insert: insertData, text: "INSERT INTO t SETTINGS a = 1, b = 'FORMAT x' ", format: "CSV"}, "1"},
		{"INSERT INTO t FORMAT CSV SETTINGS a = -1, b = 'x'\n1", statement{insert: insertData, text: "INSERT INTO t  SETTINGS a = -1, b = 'x'", format: "CSV"}, "1"},
		{"INSERT /* FORMAT x */ INTO t -- VALUES\n FORMAT CSV\n1", statement{insert: insertData, text: "INSERT /* FORMAT x */ INTO t -- VALUES\n ", format: "CSV"}, "1"},
		{"INSERT INTO t SELECT 1", statement{insert: insertOther}, ""},
		{"INSERT INTO t (SELECT 1)", statement{insert: insertOther}, ""},
		{"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", statement{insert: insertOther}, ""},
		{"INSERT INTO t SELECT * FROM values('a UInt8', 1)", statement{insert: insertOther}, ""},
		{"INSERT INTO t SELECT a FROM input('a UInt8') FORMAT CSV\n1", statement{insert: insertInput, format: "CSV"}, "1"},
		{"INSERT INTO t FROM INFILE 'x' FORMAT CSV", statement{insert: insertOther, format: "CSV"}, ""},
		{"INSERT INTO t", statement{insert: insertOpen}, ""},
		{"INSERT INTO t (a", statement{insert: insertOpen}, ""},
		{"INSERT INTO t FORMAT", statement{insert: insertOpen}, ""},
		{"", statement{}, ""},
	}
	for _, test := range tests {
		got := parseStatement(test.source)
		if test.want.text == "" {
			test.want.text = test.source
		}
		data := ""
		if got.insert == insertData || got.insert == insertInput {
			data = test.source[got.data:]
		}
		got.data = 0
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(statement{})); diff != "" || data != test.data {
			t.Errorf("%q: data %q, want %q\n%s", test.source, data, test.data, diff)
		}
	}
}

func TestUnquote(t *testing.T) {
	for name, want := range map[string]string{
		"file": "file", "`file`": "file", `"file"`: "file", "“file”": "file", "`f\\x69le`": "file", "`a``b`": "a`b", "`a\\`b`": "a`b",
		"`a\\\\b`": `a\b`, "`\\n\\t\\0`": "\n\t\x00", "`": "`", "``": "",
	} {
		if got := unquote(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// FuzzParseStatement checks what every text must keep: tokens that come in order, and data inside the text.
func FuzzParseStatement(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1", "INSERT INTO t VALUES (1)", "INSERT INTO t FORMAT CSV SETTINGS a=1\n1", "/* /* */", "$a$ $a$", "x'ff'", "“a", "1e-5.x",
		"SELECT `\\x6", "INSERT INTO t FORMAT CSV SETTINGS a", "# x\n#!y",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		lex := &lexer{text: source}
		for end := 0; ; {
			tok := lex.next()
			if tok.start < end || tok.end < tok.start || tok.end > len(source) {
				t.Fatalf("token %+v after %d", tok, end)
			}
			if tok.kind == tokenEnd || tok.kind == tokenBroken {
				break
			}
			if tok.end == tok.start {
				t.Fatalf("empty token %+v", tok)
			}
			unquote(source[tok.start:tok.end])
			end = tok.end
		}
		s := parseStatement(source)
		if s.data < 0 || s.data > len(source) {
			t.Fatalf("data at %d of %d", s.data, len(source))
		}
		if s.insert == insertData && !strings.HasPrefix(strings.ToLower(strings.TrimLeft(source, " \t\r\n\v\f")), "insert") && !strings.ContainsAny(source, "/-#\u00a0\ufeff") {
			t.Fatalf("%q is taken for an INSERT", source)
		}
	})
}
