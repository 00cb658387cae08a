package schema_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var sqlStart = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|ALTER|CREATE|DROP|DELETE|OPTIMIZE|SYSTEM|TRUNCATE|RENAME|WITH|GRANT|EXPLAIN)\s`)

// builtSQL are the places where a statement is put together from parts, and why none
// of the parts can come from a log, a network or a user.
var builtSQL = map[string]string{
	"schema/cluster.go":               "the project's own migrations; the cluster's name is checked",
	"engine/enginetest/enginetest.go": "the names of the tests' own databases",
	"simulate/misuse.go":              "invented log text (SOQL), never run",
	"simulate/services.go":            "invented log text (SOQL), never run",
	"collector/insert/inserter.go":    "the name of one of two tables of the project",
	"detectors/ruletest.go":           "the project's own table names",
	"detectors/validate.go":           "a rule's own SQL, which the engine runs read-only",
	"alerting/alert_rows.go":          "conditions written in this package; their values are parameters",
	"alerting/outbox.go":              "conditions written in this package; their values are parameters",
	"cmd/crmwatch/bench.go":           "a measurement on files that it wrote itself",
	"detectors/query.go":              "a rule's own SQL, which the engine runs read-only",
}

// TestNoSQLIsBuiltFromValues looks at every string of the program that begins as a
// statement does and is joined to something that is no constant.
func TestNoSQLIsBuiltFromValues(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, "../"))
		ast.Inspect(file, func(n ast.Node) bool {
			if at, built := buildsSQL(n); built {
				used[name] = true
				if builtSQL[name] == "" {
					t.Errorf("%s: a statement is put together from parts: use parameters, {name:Type} and schema.Named", files.Position(at))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range builtSQL {
		if !used[name] {
			t.Errorf("%s builds no statement any more: take it off the list", name)
		}
	}
}

// buildsSQL finds a concatenation or a format that begins as a statement.
func buildsSQL(n ast.Node) (at token.Pos, built bool) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			return 0, false
		}
		first := ast.Expr(n)
		constant := true
		for {
			sum, is := first.(*ast.BinaryExpr)
			if !is {
				break
			}
			if _, is := sum.Y.(*ast.BasicLit); !is {
				constant = false
			}
			first = sum.X
		}
		return n.Pos(), !constant && isSQL(first)
	case *ast.CallExpr:
		call, is := n.Fun.(*ast.SelectorExpr)
		if is && strings.Contains(call.Sel.Name, "rintf") && len(n.Args) > 1 {
			for _, arg := range n.Args[:2] {
				if isSQL(arg) {
					return n.Pos(), true
				}
			}
		}
	}
	return 0, false
}

func isSQL(e ast.Expr) bool {
	literal, is := e.(*ast.BasicLit)
	return is && literal.Kind == token.STRING && sqlStart.MatchString(strings.Trim(literal.Value, "`\""))
}

func TestTheSQLLintFindsWhatItShould(t *testing.T) {
	for source, want := range map[string]bool{
		`"SELECT a FROM t WHERE b = '" + b + "'"`:        true,
		`fmt.Sprintf("DELETE FROM t WHERE a = %s", a)`:   true,
		`fmt.Fprintf(w, "insert into t values (%d)", a)`: true,
		`"SELECT a " + "FROM t"`:                         false,
		`"the SELECT " + b`:                              false,
		`fmt.Sprintf("%d rows", n)`:                      false,
	} {
		e, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := buildsSQL(e); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}
