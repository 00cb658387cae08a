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

// builtSQL are the places where a statement is put together from parts: how many in a
// file, and why none of the parts can come from a log, a network or a user.
var builtSQL = map[string]struct {
	places int
	reason string
}{
	"alerting/alert_rows.go":          {1, "conditions written in that package; their values are parameters"},
	"alerting/evidence.go":            {1, "names of columns, constants of that file"},
	"alerting/outbox.go":              {1, "conditions written in that package; their values are parameters"},
	"alerting/silence_rows.go":        {1, "conditions written in that package; their values are parameters"},
	"cmd/crmwatch/bench.go":           {3, "a measurement on files that it wrote itself"},
	"collector/insert/inserter.go":    {1, "the name of one of two tables of the project"},
	"compliance/build.go":             {1, "a statement's own SQL, which the engine runs read-only"},
	"compliance/hold/store.go":        {1, "a table of that package's list, a condition of checked literals, and the caller's own condition with parameters"},
	"compliance/posture/run.go":       {1, "a check's own SQL, which the engine runs read-only"},
	"compliance/retention/show.go":    {1, "columns of that package's tables, conditions of checked literals, and the table's own TTL as the server has it"},
	"compliance/subject/export.go":    {1, "names of tables and columns, as the database lists them, and of the registry; the person is in parameters"},
	"compliance/subject/prepare.go":   {3, "names of tables and columns, as the database lists them, and of the registry; the person is in parameters"},
	"compliance/subject/propose.go":   {2, "names of tables and columns, as the database lists them, and of the registry; the person is in parameters"},
	"compliance/subject/clean.go":     {2, "names of tables, as the registry lists them"},
	"compliance/subject/replace.go":   {3, "names of tables and columns, as the database lists them, and of the registry; the person is in parameters, or in erasure_rows"},
	"detectors/coverage.go":           {1, "names of columns of the events table, checked when the rule was read"},
	"detectors/digest_facets.go":      {3, "constants of that file"},
	"detectors/digest_hours.go":       {1, "constants of that file and its neighbour"},
	"detectors/digest_series.go":      {1, "names of columns in that file"},
	"detectors/query.go":              {1, "a rule's own SQL, which the engine runs read-only"},
	"detectors/screen.go":             {2, "a rule's own SQL, which the engine runs read-only"},
	"detectors/ruletest.go":           {2, "a constant of another package"},
	"detectors/validate.go":           {1, "a rule's own SQL, which the engine runs read-only"},
	"engine/enginetest/enginetest.go": {2, "the names of the tests' own databases"},
	"engine/enginetest/store.go":      {3, "the names of the tests' own databases and of the tables in them"},
	"schema/cluster.go":               {5, "the project's own migrations, and changes of retention; the names of database and cluster are checked, literals too"},
	"schema/roles.go":                 {1, "names of roles, tables and limits of that file; names of database and cluster are checked, the tenant is quoted"},
	"schema/script.go":                {3, "the name of a file of the project; the names of database and cluster are checked"},
}

// TestNoSQLIsBuiltFromValues looks at every string of the program that begins as a
// statement does and is joined to something that is no constant.
func TestNoSQLIsBuiltFromValues(t *testing.T) {
	places := map[string][]string{}
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
		if strings.HasPrefix(name, "simulate/") {
			return nil // the SOQL of invented logs, which nothing runs
		}
		ast.Inspect(file, func(n ast.Node) bool {
			at, built := buildsSQL(n)
			if built {
				places[name] = append(places[name], files.Position(at).String())
			}
			return !built
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range places {
		if known := builtSQL[name].places; len(found) != known {
			t.Errorf("statements are put together from parts in %d places, where %d are known: use parameters, {name:Type} and schema.Named\n%s",
				len(found), known, strings.Join(found, "\n"))
		}
	}
	for name := range builtSQL {
		if len(places[name]) == 0 {
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
