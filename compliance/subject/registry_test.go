package subject

import (
	"context"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
)

// TestRegistryKnowsEveryColumn fails when a migration adds a table, or a column that can
// hold text or the identity of a row: say in registry.go what it can hold of a person.
func TestRegistryKnowsEveryColumn(t *testing.T) {
	store := enginetest.OpenStore(t)
	rows, err := store.Query(context.Background(), `SELECT c.table, c.name, c.type FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase() AND c.default_kind != 'ALIAS' AND t.engine NOT LIKE '%View'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	known := map[string]table{}
	for _, x := range tables {
		known[x.name] = x
	}
	seen := 0
	for rows.Next() {
		var name, column, kind string
		if err := rows.Scan(&name, &column, &kind); err != nil {
			t.Fatal(err)
		}
		seen++
		x, ok := known[name]
		if !ok {
			t.Errorf("registry.go does not know table %s", name)
			known[name] = table{name: name}
			continue
		}
		if _, ok := x.columns[column]; !ok && holdsText(kind) {
			t.Errorf("registry.go does not say what column %s.%s (%s) can hold of a person", name, column, kind)
		}
	}
	if seen < 200 {
		t.Errorf("only %d columns were looked at", seen)
	}
}

func TestAWordIsFoundInAnyWriting(t *testing.T) {
	s, err := New(Request{Addresses: []string{"alice@acme.example"}, Names: []string{"Änne Groß"}, UIDs: []string{"0057x000001AbCdAAK"}})
	if err != nil {
		t.Fatal(err)
	}
	re, err := s.find()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"alice@acme.example":              true,
		"by ALICE@acme.Example.":          true,
		"/x?u=alice%40acme.example&y":     true,
		"/x?u=%2Falice%2540acme.example":  true,
		`{"u":"alice\u0040acme.example"}`: true,
		`"\nalice@acme.example"`:          true,
		"“alice@acme.example”":            true,
		"malice@acme.example":             false,
		"alice@acme.examples":             false,
		"éalice@acme.example":             false,
		"Ã„NNE":                           false,
		"dear änne groß,":                 true,
		"x=%C3%A4nne+gro%C3%9F":           true,
		"änne großmann":                   false,
		"id 0057x000001AbCdAAK":           true,
		"id 0057x000001AbCd/":             true,
		"id 0057x000001abcdaak":           false,
	} {
		if got := re.MatchString(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
		if sought, _ := s.Searcher(); sought([]byte(text)) != want {
			t.Errorf("%q in a file: %v", text, !want)
		}
	}
	for _, request := range []Request{{}, {Names: []string{"api"}}, {Names: []string{"bob"}}, {Names: []string{"12345"}}, {Addresses: []string{"alice"}}, {Names: []string{"a\nb"}}} {
		if _, err := New(request); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%+v: %v", request, err)
		}
	}
	if s, err := New(Request{Names: []string{"api"}, NoTexts: true}); err != nil || strings.Contains(s.words().all, "api") {
		t.Errorf("a name that is not looked for in texts: %v", err)
	}
}
