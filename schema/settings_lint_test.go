package schema_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// urlParameters are given as settings and read by the HTTP interface itself.
var urlParameters = map[string]bool{"decompress": true}

// A server refuses a statement for one setting that it does not know. So every setting
// that the program sends must be as old as the oldest server that it works with.
func TestSettingsAreAsOldAsTheOldestServer(t *testing.T) {
	conn := enginetest.Open(t)
	found := sentSettings(t)
	for _, must := range []string{"insert_deduplication_token", "max_result_rows", "async_insert_busy_timeout_max_ms", "distributed_product_mode"} {
		if found[must] == "" {
			t.Errorf("%s is sent, and was not found in the code", must)
		}
	}
	const history = `SELECT (SELECT count() FROM system.settings WHERE name = {name:String}) > 0 AS known,
    arraySort(groupArray((toUInt64(splitByChar('.', version)[1]) * 100 + toUInt64(splitByChar('.', version)[2]), change.reason)))[1] AS first,
    first.1 AS since, multiSearchAny(lower(first.2), ['new', 'add', 'introduc']) AS is_new
FROM system.settings_changes ARRAY JOIN changes AS change WHERE change.name = {name:String}`
	for name, at := range found {
		var known, isNew bool
		var since uint64
		var first []any
		if err := conn.QueryRow(context.Background(), history, schema.Named("name", name)).Scan(&known, &first, &since, &isNew); err != nil {
			t.Fatal(err)
		}
		if !known {
			t.Errorf("%s: ClickHouse has no setting %s", at, name)
		}
		if oldest := uint64(schema.OldestServer[0]*100 + schema.OldestServer[1]); isNew && since > oldest {
			t.Errorf("%s: the setting %s came with ClickHouse %d.%d", at, name, since/100, since%100)
		}
	}
}

// sentSettings finds the settings that the code names in a clickhouse.Settings, or adds
// to one, and where.
func sentSettings(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		add := func(e ast.Expr) {
			if literal, is := e.(*ast.BasicLit); is && literal.Kind == token.STRING {
				if name, err := strconv.Unquote(literal.Value); err == nil && !urlParameters[name] {
					found[name] = files.Position(e.Pos()).String()
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if kind, is := n.Type.(*ast.SelectorExpr); is && kind.Sel.Name == "Settings" {
					for _, element := range n.Elts {
						if pair, is := element.(*ast.KeyValueExpr); is {
							add(pair.Key)
						}
					}
				}
			case *ast.AssignStmt:
				if index, is := n.Lhs[0].(*ast.IndexExpr); is && isSettings(index.X) {
					add(index.Index)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isSettings(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "settings"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Settings"
	}
	return false
}
