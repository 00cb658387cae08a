package sigma_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/detectors/sigma"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func readRules(t testing.TB) []sigma.File {
	t.Helper()
	paths, err := filepath.Glob("testdata/rules/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	var files []sigma.File
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, sigma.File{Name: path, Text: text})
	}
	return files
}

// Every rule of testdata/rules compiles into a file that validates on the engine and
// passes the tests that were made for it.
func TestCompiledRulesPassTheirTests(t *testing.T) {
	compiled, err := sigma.Compile(readRules(t), sigma.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rules []detectors.Rule
	for _, c := range compiled {
		if len(c.Missing) > 0 {
			if !strings.HasPrefix(c.ID, "incomplete-") {
				t.Errorf("%s lacks tests: %v", c.ID, c.Missing)
			}
			continue
		}
		rule, err := detectors.Parse(c.ID+".yaml", c.Text)
		if err != nil {
			t.Errorf("%s: %v\n%s", c.ID, err, c.Text)
			continue
		}
		rules = append(rules, rule)
	}
	if len(rules) < 30 {
		t.Errorf("%d rules were compiled, want 30 or more", len(rules))
	}
	store := enginetest.Open(t)
	if _, err := schema.Migrate(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if err := detectors.Validate(t.Context(), store, rules); err != nil {
		t.Error(err)
	}
	results, err := detectors.TestRules(t.Context(), []schema.Store{store}, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Passed() {
			t.Errorf("rule %s, test %q: %s", r.Rule, r.Test, r.Problem)
		}
		for _, f := range r.Findings {
			t.Logf("%s / %s: %s", r.Rule, r.Test, f.Message)
		}
	}
}

// wanted are parts of the SQL that rules become.
var wanted = map[string][]string{
	"modifier-contains":    {"multiSearchAnyCaseInsensitive(http_request_user_agent, ['sqlmap', 'nikto'])"},
	"modifier-startswith":  {"startsWith(lower(http_request_url_path), '/admin')"},
	"modifier-endswith":    {"endsWith(lower(http_request_url_path), '.bak')"},
	"modifier-all":         {"positionCaseInsensitive(query_info_query_string, 'from contact') > 0", "positionCaseInsensitive(query_info_query_string, 'password') > 0"},
	"modifier-re":          {`match(http_request_url_path, '(?-s)^/api/v\\d+/.+/export$')`},
	"modifier-cidr":        {"BETWEEN toIPv4('203.0.113.0') AND toIPv4('203.0.113.127')", "toIPv6('2001:db8::')"},
	"modifier-base64":      {"position(http_request_url_query_string, 'cGFzc3dvcmQ=') > 0"},
	"modifier-cased":       {"actor_user_name = 'Administrator'"},
	"modifier-gte":         {"x_rows_processed >= 50000", "duration < 1000"},
	"modifier-fieldref":    {"lower(actor_user_name) = lower(user_name)"},
	"modifier-exists":      {"NOT (actor_session_uid = '')"},
	"value-null":           {"actor_app_uid = ''"},
	"value-wildcards":      {`http_request_url_path ILIKE '/files/%/v_.zip'`, `= '50*off?'`},
	"field-unmapped":       {"unmapped['DeviceTrust']"},
	"condition-two-of":     {"arrayCount(x -> x, [", "]) >= 2"},
	"condition-precedence": {"(lower(api_operation) = 'a' OR (lower(resources_name) = 'b' AND NOT (lower(actor_user_name) = 'c')))"},
	"value-quotes":         {`it\'s \\\\ {from:uint8} \n; drop`, `= 'x\' or 1=1 --'`},
}

func TestSQL(t *testing.T) {
	compiled, err := sigma.Compile(readRules(t), sigma.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range compiled {
		seen[c.ID] = true
		for _, want := range wanted[c.ID] {
			if !strings.Contains(string(c.Text), want) {
				t.Errorf("%s does not hold %s:\n%s", c.ID, want, c.Text)
			}
		}
	}
	for id := range wanted {
		if !seen[id] {
			t.Errorf("there is no rule %s", id)
		}
	}
}

// oneRule is a rule with a detection.
func oneRule(detection string) string {
	return "title: Odd\nlogsource: {product: salesforce}\nlevel: low\ndetection:\n  " + strings.ReplaceAll(detection, "\n", "\n  ") + "\n"
}

func TestMistakesHaveAPlaceAndAMend(t *testing.T) {
	correlation := func(body string) string {
		return oneRule("sel: {USER_NAME: a}\ncondition: sel") + "name: base\n---\ntitle: Many\nlevel: low\nname: many\ncorrelation:\n  " + strings.ReplaceAll(body, "\n", "\n  ") + "\n"
	}
	cases := map[string]struct{ text, want, mend string }{
		"unknown modifier":     {oneRule("sel:\n  USER_NAME|containz: a\ncondition: sel"), `odd.yml:6:5: the modifier "containz" is not known`, "modifiers are contains"},
		"lookahead":            {oneRule("sel:\n  USER_NAME|re: 'a(?!b)'\ncondition: sel"), "odd.yml:6:20: the regular expression is not RE2's", "no lookaround"},
		"no network":           {oneRule("sel:\n  SOURCE_IP|cidr: 10.0.0\ncondition: sel"), `odd.yml:6:21: "10.0.0" is not a network`, "203.0.113.0/24"},
		"no number":            {oneRule("sel:\n  ROW_COUNT|gt: many\ncondition: sel"), `odd.yml:6:19: "many" is not a number`, "compares numbers"},
		"no selection":         {oneRule("sel: {USER_NAME: a}\ncondition: sel and other"), "odd.yml:6:22: no selection is named other", "selections are sel"},
		"open parenthesis":     {oneRule("sel: {USER_NAME: a}\ncondition: (sel"), "odd.yml:6:18: a parenthesis is not closed", "write )"},
		"aggregation":          {oneRule("sel: {USER_NAME: a}\ncondition: sel | count() > 5"), "odd.yml:6:18: aggregations", "correlation rule"},
		"too many of":          {oneRule("sel: {USER_NAME: a}\ncondition: 3 of sel*"), "odd.yml:6:14: 3 of 1 selections", "fewer"},
		"none like it":         {oneRule("sel: {USER_NAME: a}\ncondition: all of filter_*"), "odd.yml:6:21: no selection is named like filter_*", "selections are sel"},
		"no condition":         {oneRule("sel: {USER_NAME: a}"), "odd.yml:5:3: condition is missing", "selection"},
		"placeholder":          {oneRule("sel:\n  USER_NAME|expand: '%admins%'\ncondition: sel"), "odd.yml:6:5: the modifier expand", "write the values"},
		"no logsource":         {"title: Odd\ndetection:\n  sel: {a: b}\n  condition: sel\n", "odd.yml:1:1: logsource is missing", "product:"},
		"broken YAML":          {"title: [Odd\ndetection:\n", "odd.yml:", "mend the YAML"},
		"not a mapping":        {"- a\n- b\n", "odd.yml:1:", "title:"},
		"empty":                {"", "odd.yml:1: the file holds no rule", "title:"},
		"key twice":            {"title: Odd\ntitle: Odd\n", "odd.yml:2:", "mend the YAML"},
		"alias":                {"title: &a Odd\nname: *a\n", "anchors", "write the value out"},
		"missing reference":    {correlation("type: event_count\nrules: [nobody]\ntimespan: 1h\ncondition: {gte: 2}"), "odd.yml:14:11: no rule has the name or id nobody", "same file"},
		"cycle":                {correlation("type: temporal\nrules: [base, many]\ntimespan: 1h"), "odd.yml:14:17: the correlation refers to itself", "take one"},
		"timespan":             {correlation("type: event_count\nrules: [base]\ntimespan: soon\ncondition: {gte: 2}"), `odd.yml:15:13: timespan "soon"`, "10m"},
		"comparison":           {correlation("type: event_count\nrules: [base]\ntimespan: 1h\ncondition: {over: 2}"), `odd.yml:16:15: the comparison "over"`, "gte"},
		"nothing counted":      {correlation("type: value_count\nrules: [base]\ntimespan: 1h\ncondition: {gte: 2}"), "value_count counts no field", "field: NAME"},
		"correlation type":     {correlation("type: sometimes\nrules: [base]\ntimespan: 1h"), `odd.yml:13:9: the correlation type "sometimes"`, "event_count"},
		"temporal with counts": {correlation("type: temporal\nrules: [base]\ntimespan: 1h\ncondition: {gte: 2}"), "odd.yml:16:15: a temporal correlation has no condition", "delete it"},
	}
	for name, c := range cases {
		_, err := sigma.Compile([]sigma.File{{Name: "odd.yml", Text: []byte(c.text)}}, sigma.Options{})
		var problems detectors.Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v is no list of problems", name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.mend) {
			t.Errorf("%s: want %q and %q, got\n%v", name, c.want, c.mend, err)
		}
	}
}

// A chain of correlations that leads back to its beginning is found, too.
func TestALongCycleIsFound(t *testing.T) {
	text := "title: A\nname: a\nlevel: low\ncorrelation: {type: temporal, rules: [b], timespan: 1h}\n---\ntitle: B\nname: b\nlevel: low\ncorrelation: {type: temporal, rules: [a], timespan: 1h}\n"
	_, err := sigma.Compile([]sigma.File{{Name: "cycle.yml", Text: []byte(text)}}, sigma.Options{})
	if err == nil || !strings.Contains(err.Error(), "refers to itself, by way of B") {
		t.Errorf("the cycle is not named: %v", err)
	}
}

func TestLogsourceMap(t *testing.T) {
	text := "- product: okta\n  where: {metadata_product_name: Okta, class_uid: [3002, 3004]}\n  fields: {displayMessage: message}\n"
	sources, err := sigma.ParseLogsources("map.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	rule := "title: A\nlevel: low\nlogsource: {product: okta, service: okta}\ndetection: {sel: {displayMessage: x}, condition: sel}\n"
	compiled, err := sigma.Compile([]sigma.File{{Name: "a.yml", Text: []byte(rule)}}, sigma.Options{Logsources: sources})
	if err != nil || len(compiled) != 1 {
		t.Fatal(compiled, err)
	}
	for _, want := range []string{"class_uid IN (3002, 3004)", "metadata_product_name = 'Okta'", "lower(message) = 'x'"} {
		if !strings.Contains(string(compiled[0].Text), want) {
			t.Errorf("%s is missing in\n%s", want, compiled[0].Text)
		}
	}
	if len(compiled[0].Notes) > 0 {
		t.Errorf("notes: %v", compiled[0].Notes)
	}
	_, err = sigma.ParseLogsources("map.yml", []byte("- product: okta\n  where: {product_name: Okta}\n"))
	if err == nil || !strings.Contains(err.Error(), `map.yml:2:11: the events table has no column "product_name"`) {
		t.Errorf("the unknown column is not named: %v", err)
	}
}

// What is compiled can be read, whatever the Sigma rule says.
func FuzzCompile(f *testing.F) {
	for _, file := range readRules(f) {
		for part := range strings.SplitSeq(string(file.Text), "---\n") {
			f.Add([]byte(part))
		}
		f.Add(file.Text)
	}
	f.Add([]byte(oneRule("sel:\n  - USER_NAME|re|i: '[a-z]{2,}'\n  - 'a*b?c\\*'\ncondition: not (1 of them or sel)")))
	f.Fuzz(func(t *testing.T, text []byte) {
		compiled, err := sigma.Compile([]sigma.File{{Name: "fuzz.yml", Text: text}}, sigma.Options{})
		if err != nil && strings.Contains(err.Error(), "cannot be read") {
			t.Error(err)
		}
		for _, c := range compiled {
			if _, err := detectors.Parse(c.ID, c.Text); err != nil && len(c.Missing) == 0 {
				t.Errorf("%v\n%s", err, c.Text)
			}
		}
	})
}
