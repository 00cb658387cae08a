package posture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const goodCheck = `id: own-check
title: Own
why: Because.
question: What?
things: [caller, callers]
controls: [GDPR 32]
params:
  most: {type: UInt32, value: 3, description: calls that are allowed}
needs: {any: calls}
query: |
  SELECT tenant, product, who AS thing, if(count() > {most:UInt32}, 'fail', 'pass') AS verdict, '' AS says, count() AS events, min(time) AS first_seen, max(time) AS last_seen
  FROM calls
  GROUP BY tenant, product, who
mend: {any: Stop it.}
tests:
  - name: three
    events: [{time: +1h, class_uid: 6003, actor_user_name: x, repeat: {count: 3, every: 1m}}]
    expect: {verdict: pass}
  - name: four
    events: [{time: +1h, class_uid: 6003, actor_user_name: x, repeat: {count: 4, every: 1m}}]
    expect: {verdict: fail}
  - name: none
    events: [{time: +1h, class_uid: 3002, actor_user_name: x}]
    expect: {verdict: cannot judge}
`

func TestMistakesInChecks(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"good":                 {},
		"unknown key":          {from: "why: Because.", to: "because: Why.", want: `:3:1: unknown key "because"`},
		"no title":             {from: "title: Own\n", want: "title is missing"},
		"one name for things":  {from: "[caller, callers]", to: "[caller]", want: ":5:1: things does not name one and several"},
		"control of no list":   {from: "[GDPR 32]", to: "[GDPR 320]", want: `:6:12: "GDPR 320" is on no list of controls`},
		"parameter of no file": {from: "{most:UInt32}, 'fail'", to: "{least:UInt32}, 'fail'", want: "the query uses parameter least, which is not declared"},
		"parameter's type":     {from: "value: 3", to: "value: three", want: "value three is not a UInt32"},
		"no description":       {from: "description: calls that are allowed", to: `description: ""`, want: "parameter most has no description"},
		"unknown verdict":      {from: "{verdict: fail}", to: "{verdict: bad}", want: `verdict "bad" is not known`},
		"unknown column":       {from: "class_uid: 3002", to: "clas_uid: 3002", want: `the events table has no column "clas_uid"`},
		"never passes":         {from: "expect: {verdict: pass}", to: "expect: {verdict: fail}", want: "no test in which it passes"},
		"always passes":        {from: "expect: {verdict: fail}", to: "expect: {verdict: pass}", want: "no test in which it does not pass"},
		"always judges":        {from: "expect: {verdict: cannot judge}", to: "expect: {verdict: pass}", want: "no test in which it cannot be judged"},
		"no mend":              {from: "mend: {any: Stop it.}\n", want: "mend is missing"},
		"a built-in's id":      {from: "id: own-check", to: "id: oauth-used", want: "id oauth-used is also that of checks/oauth-used.yaml"},
		"not YAML":             {from: "title: Own", to: "title: [Own", want: "own.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(strings.Replace(goodCheck, c.from, c.to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			checks, err := Load(dir)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case c.want == "" && !slices.ContainsFunc(checks, func(c Check) bool { return c.ID == "own-check" }):
				t.Errorf("it is not among the %d checks", len(checks))
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("it says %v, want %q", err, c.want)
			}
		})
	}
}

func TestMistakesInParameters(t *testing.T) {
	shared, checks := builtin(t)
	for _, c := range checks {
		if _, err := c.WithParameters(map[string]any{"no_such": uint64(1)}); err == nil || !strings.Contains(err.Error(), c.ID) {
			t.Errorf("%s takes a parameter that it does not have (%v)", c.ID, err)
		}
	}
	if _, err := shared.WithParameters(map[string]any{"service_names": uint64(1)}); err == nil || !strings.Contains(err.Error(), "service_names") {
		t.Errorf("a number is taken for a text (%v)", err)
	}
}
