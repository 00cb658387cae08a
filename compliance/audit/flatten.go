package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/crmwatch/crmwatch/agent/redact"
)

// Flatten reads YAML as values by their paths, such as rules.settle. The entries of a
// list are known by their names, as in sources[kong].paths, or by their reasons, or by
// their place; a list of plain values is one value. The value of a key that is called
// like a secret is replaced by a keyed hash, so that it can be told that it has changed;
// what else looks like a secret is cut out. Files are named, and never opened.
func Flatten(text []byte, r *redact.Redactor) (map[string]string, error) {
	var root any
	if err := yaml.UnmarshalWithOptions(text, &root, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	f := flattening{redactor: r, values: map[string]string{}}
	f.add("", "", root, false)
	return f.values, nil
}

type flattening struct {
	redactor *redact.Redactor
	values   map[string]string
}

// add adds a node; name is the last key on its path, and secret says that a key above
// it is called like one.
func (f *flattening) add(path, name string, node any, secret bool) {
	secret = secret || isSecret(name)
	switch node := node.(type) {
	case yaml.MapSlice:
		for _, item := range node {
			key := fmt.Sprint(item.Key)
			if named[path] {
				f.add(joined(path, key), "", item.Value, secret)
				continue
			}
			f.add(joined(path, key), key, item.Value, secret)
		}
		if len(node) == 0 && path != "" {
			f.values[path] = "{}"
		}
	case []any:
		f.list(path, name, node, secret)
	case nil:
		f.values[path] = ""
	default:
		f.values[path] = f.shown(name, fmt.Sprint(node), secret)
	}
}

func (f *flattening) list(path, name string, list []any, secret bool) {
	if !slices.ContainsFunc(list, func(one any) bool {
		switch one.(type) {
		case yaml.MapSlice, []any:
			return true
		}
		return false
	}) {
		texts := make([]string, len(list))
		for i, one := range list {
			texts[i] = fmt.Sprint(one)
		}
		f.values[path] = f.shown(name, "["+strings.Join(texts, ", ")+"]", secret)
		return
	}
	seen := map[string]bool{}
	for i, one := range list {
		label := labelOf(one)
		if label == "" || seen[label] {
			label = fmt.Sprint(i)
		}
		seen[label] = true
		f.add(path+"["+f.redactor.Text(label)+"]", name, one, secret)
	}
}

// labelOf is what people call an entry of a list.
func labelOf(node any) string {
	entry, _ := node.(yaml.MapSlice)
	for _, by := range []string{"name", "id", "reason"} {
		for _, item := range entry {
			if item.Key == by && item.Value != nil {
				return strings.Join(strings.Fields(fmt.Sprint(item.Value)), " ")
			}
		}
	}
	return ""
}

func joined(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// named are the paths under which keys are names that people gave to rules, groups and
// notifiers, such as credential-several-places: they say nothing of their values.
var named = map[string]bool{
	"rules.parameters": true, "alerts.notifiers": true, "inventory.networks": true, "inventory.users": true, "inventory.apps": true,
}

// maxValue is how much of a value is kept, in bytes.
const maxValue = 2000

func (f *flattening) shown(name, value string, secret bool) string {
	named := name + ": " + value
	switch {
	case value == "":
		return ""
	case secret, f.redactor.Text(named) != named:
		return "(not shown, " + f.redactor.Hash(value)[:12] + ")"
	case len(value) > maxValue:
		return strings.ToValidUTF8(value[:maxValue], "") + "..."
	}
	return value
}

// secretWords are in the names of keys whose values are secrets.
var secretWords = []string{"token", "secret", "passw", "passphrase", "credential", "apikey", "privatekey", "dsn", "cookie", "authorization", "header", "signature"}

// isSecret says whether a key is called like a secret. A key for a file's name is none.
func isSecret(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
	if strings.HasSuffix(plain, "file") || strings.HasSuffix(plain, "files") {
		return false
	}
	return plain == "key" || plain == "url" || strings.HasSuffix(strings.ToLower(name), "_key") ||
		slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(plain, word) })
}
