package detectors

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/crmwatch/crmwatch/schema"
)

// ruleFile is a rule as its YAML file spells it.
type ruleFile struct {
	ID             string                    `yaml:"id"`
	Title          string                    `yaml:"title"`
	Description    string                    `yaml:"description"`
	Kind           string                    `yaml:"kind"`
	Severity       string                    `yaml:"severity"`
	EntityType     string                    `yaml:"entity_type"`
	Attack         []string                  `yaml:"attack"`
	Controls       []string                  `yaml:"controls"`
	Needs          needsFile                 `yaml:"needs"`
	Window         string                    `yaml:"window"`
	Lookback       string                    `yaml:"lookback"`
	Lookahead      string                    `yaml:"lookahead"`
	Schedule       string                    `yaml:"schedule"`
	Metric         string                    `yaml:"metric"`
	Bucket         string                    `yaml:"bucket"`
	Guards         *guardsFile               `yaml:"guards"`
	WarmUp         string                    `yaml:"warm_up"`
	KnownAtMost    int                       `yaml:"known_at_most"`
	Forget         string                    `yaml:"forget"`
	Steps          []stepFile                `yaml:"steps"`
	Within         string                    `yaml:"within"`
	Gap            string                    `yaml:"gap"`
	QuietFor       string                    `yaml:"quiet_for"`
	Times          float64                   `yaml:"times"`
	LeastHistory   string                    `yaml:"least_history"`
	Params         map[string]paramFile      `yaml:"params"`
	Reads          string                    `yaml:"reads"`
	Screen         string                    `yaml:"screen"`
	Query          string                    `yaml:"query"`
	Message        string                    `yaml:"message"`
	FalsePositives []string                  `yaml:"false_positives"`
	Runbook        []string                  `yaml:"runbook"`
	References     []string                  `yaml:"references"`
	TestDefaults   map[string]any            `yaml:"test_defaults"`
	TestRows       map[string]map[string]any `yaml:"test_rows"`
	Tests          []testFile                `yaml:"tests"`
}

type needsFile struct {
	Classes  []uint16   `yaml:"classes"`
	Columns  []string   `yaml:"columns"`
	OneOf    [][]string `yaml:"one_of"`
	LogTypes []string   `yaml:"log_types"`
	// Parameters must not be empty.
	Parameters []string `yaml:"parameters"`
	// Products are values of metadata_product_name.
	Products []string `yaml:"products"`
}

type guardsFile struct {
	Least    float64 `yaml:"least"`
	Ratio    float64 `yaml:"ratio"`
	OverPeak float64 `yaml:"over_peak"`
}

type stepFile struct {
	Name     string `yaml:"name"`
	Count    int    `yaml:"count"`
	Distinct int    `yaml:"distinct"`
}

type paramFile struct {
	Type        string   `yaml:"type"`
	Value       any      `yaml:"value"`
	Description string   `yaml:"description"`
	Advisories  string   `yaml:"advisories"`
	Inventory   []string `yaml:"inventory"`
}

type testFile struct {
	Name     string           `yaml:"name"`
	Kind     string           `yaml:"kind"`
	At       string           `yaml:"at"`
	Params   map[string]any   `yaml:"params"`
	Defaults map[string]any   `yaml:"defaults"`
	Events   []map[string]any `yaml:"events"`
	Expect   []Expectation    `yaml:"expect"`
}

// Parse reads one rule file and checks everything that needs no engine. The error
// is Problems.
func Parse(file string, text []byte) (Rule, error) {
	src := newSource(file, text)
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Rule{}, Problems{yamlProblem(src, err)}
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return Rule{}, Problems{src.at(1, 0, "the file holds no rule", "start with id:, title: and kind:, or see `crmwatch rules show brute-force`")}
	}
	if len(tree.Docs) > 1 {
		return Rule{}, Problems{src.atToken(tree.Docs[1].Body.GetToken(), "the file holds more than one document", "put each rule into a file of its own")}
	}
	src.root = tree.Docs[0].Body
	var read ruleFile
	if err := yaml.UnmarshalWithOptions(text, &read, yaml.Strict()); err != nil {
		return Rule{}, Problems{yamlProblem(src, err)}
	}
	c := &check{source: src, file: read}
	rule := c.rule()
	if err := c.problems.inOrder().err(); err != nil {
		return Rule{}, err
	}
	return rule, nil
}

var fieldNames = regexp.MustCompile(`yaml:"([a-z_]+)"`)

// yamlProblem turns the YAML package's error into ours.
func yamlProblem(src *source, err error) Problem {
	var positioned yaml.Error
	if !errors.As(err, &positioned) {
		return src.at(0, 0, err.Error(), "")
	}
	detail, mend := positioned.GetMessage(), "mend the YAML: keys and lists are indented with spaces, and text with ': ' or '#' inside is quoted"
	var unknown *yaml.UnknownFieldError
	var mismatch *yaml.TypeError
	var unexpected *yaml.UnexpectedNodeTypeError
	var duplicate *yaml.DuplicateKeyError
	switch {
	case errors.As(err, &unknown):
		detail = strings.Replace(detail, "field", "key", 1)
		mend = "`crmwatch rules show brute-force` shows a rule with its keys"
		if near := closest(positioned.GetToken().Value, ruleKeys); len(near) > 0 {
			mend = "did you mean " + strings.Join(near, " or ") + "?"
		}
	case errors.As(err, &duplicate):
		mend = "keep one of the two"
	case errors.As(err, &mismatch):
		detail = fmt.Sprintf("a %s stands where a %s belongs", sayType(mismatch.SrcType), sayType(mismatch.DstType))
		mend = "write a " + sayType(mismatch.DstType)
	case errors.As(err, &unexpected):
		want := strings.ToLower(strings.Replace(unexpected.Expected.YAMLName(), "sequence", "list", 1))
		detail = fmt.Sprintf("a %s stands where a %s belongs", strings.ToLower(unexpected.Actual.YAMLName()), want)
		mend = "write a " + want
		if want == "list" {
			mend += ", for example [a, b]"
		}
	}
	return src.atToken(positioned.GetToken(), detail, mend)
}

// ruleKeys are all keys of a rule file, at whatever depth.
var ruleKeys = slices.Concat(keysOf(ruleFile{}), keysOf(needsFile{}), keysOf(guardsFile{}), keysOf(stepFile{}), keysOf(paramFile{}), keysOf(testFile{}), keysOf(Expectation{}))

func keysOf(v any) []string {
	var keys []string
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		if m := fieldNames.FindStringSubmatch(string(t.Field(i).Tag)); m != nil {
			keys = append(keys, m[1])
		}
	}
	return keys
}

func sayType(t reflect.Type) string {
	if t == nil {
		return "value"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map, reflect.Struct:
		return "mapping"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64, reflect.Uint:
		return "number"
	}
	return "value"
}

// params reads the parameters in the order of their names.
func (c *check) params() []Param {
	params := make([]Param, 0, len(c.file.Params))
	for name, p := range c.file.Params {
		value, err := paramValue(p.Type, p.Value)
		if err != nil {
			c.add(err.Error(), "give a value of the declared type; types are String, Bool, Int64, UInt8 to UInt64, Float64, Array(String)", "params", name)
		}
		if p.Description == "" {
			c.add(fmt.Sprintf("parameter %s has no description", name), "say what it does, in which unit", "params", name)
		}
		if p.Advisories != "" && (p.Type != "Array(String)" || !slices.Contains(advisoryKinds, p.Advisories)) {
			c.add(fmt.Sprintf("parameter %s cannot take %q from advisories", name, p.Advisories), "an Array(String) takes "+strings.Join(advisoryKinds, ", "), "params", name)
			p.Advisories = ""
		}
		for _, kind := range p.Inventory {
			if p.Type != "Array(String)" || !slices.Contains(inventoryKinds, kind) {
				c.add(fmt.Sprintf("parameter %s cannot take %q from the inventory", name, kind), "an Array(String) takes "+strings.Join(inventoryKinds, ", "), "params", name)
			}
		}
		params = append(params, Param{Name: name, Type: p.Type, Value: value, Description: p.Description, Advisories: p.Advisories, Inventory: p.Inventory})
	}
	sort.Slice(params, func(i, j int) bool { return params[i].Name < params[j].Name })
	return params
}

// paramValue checks a value against its ClickHouse type.
func paramValue(kind string, value any) (any, error) {
	mismatch := fmt.Errorf("value %v is not a %s", value, kind)
	switch {
	case kind == "String":
		if s, ok := value.(string); ok {
			return s, nil
		}
		return nil, mismatch
	case kind == "Bool":
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, mismatch
	case kind == "Array(String)":
		list, ok := value.([]any)
		if !ok {
			return nil, mismatch
		}
		texts := make([]string, len(list))
		for i, entry := range list {
			if texts[i], ok = entry.(string); !ok {
				return nil, mismatch
			}
		}
		return texts, nil
	case strings.HasPrefix(kind, "Float"):
		switch n := value.(type) {
		case float64:
			return n, nil
		case uint64:
			return float64(n), nil
		case int64:
			return float64(n), nil
		}
		return nil, mismatch
	case strings.HasPrefix(kind, "UInt"):
		if n, ok := value.(uint64); ok {
			return n, nil
		}
		return nil, mismatch
	case strings.HasPrefix(kind, "Int"):
		switch n := value.(type) {
		case uint64:
			return int64(n), nil
		case int64:
			return n, nil
		}
		return nil, mismatch
	}
	return nil, fmt.Errorf("parameter type %q is not known", kind)
}

// eventColumns are the columns that a test's event may set, with their places in
// schema.Event: a schema.Text or a schema.Number.
var eventColumns = func() map[string]any {
	columns := map[string]any{}
	for t := range schema.TextCount {
		columns[schema.Text(t).Column()] = schema.Text(t)
	}
	for n := range schema.NumberCount {
		columns[schema.Number(n).Column()] = schema.Number(n)
	}
	return columns
}()

// tableColumns are the columns that no event sets as text or number.
var tableColumns = []string{"time", "event_uid", "ingested_at", "unmapped", "metadata_version", "metadata_uid", "category_uid", "type_uid"}

// ContentHash is the SHA-256 of the rule's file in hexadecimal digits, however its lines
// end; "" for a rule that was not read from one.
func (r Rule) ContentHash() string {
	if r.source == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(r.source.lines, "\n")))
	return hex.EncodeToString(sum[:])
}
