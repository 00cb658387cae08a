package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/schema"
)

// viaSignal is how a configuration is loaded by SIGHUP: nobody can tell who sent it.
const viaSignal = "signal"

// configFile is a configuration as it was read.
type configFile struct {
	path string
	text []byte
	// via is how it came to be loaded.
	via string
	at  time.Time
	// owner and modified are what the file system says of the file.
	owner    string
	modified time.Time
}

func readConfigFile(path, via string) (f configFile, err error) {
	f = configFile{path: absolute(path), via: via, at: time.Now()}
	if f.text, err = os.ReadFile(path); err != nil {
		return f, fmt.Errorf("read configuration: %w", err)
	}
	if info, err := os.Stat(path); err == nil {
		f.modified = info.ModTime()
		if of, known := info.Sys().(*syscall.Stat_t); known {
			f.owner = fmt.Sprint(of.Uid)
			if u, err := user.LookupId(f.owner); err == nil {
				f.owner = u.Username
			}
		}
	}
	return f, nil
}

func (f configFile) hash() string {
	sum := sha256.Sum256(f.text)
	return hex.EncodeToString(sum[:])
}

// recordLoad records that the configuration is loaded, and what is other than in the one
// before, under a name: configuration, or collector.
func (f configFile) recordLoad(ctx context.Context, store schema.Store, name string, key []byte, attributes map[string]string) error {
	values, err := audit.Flatten(f.text, redact.New(key))
	if err != nil {
		return err
	}
	loaded := audit.Loaded{Settings: audit.Settings{SHA256: f.hash(), Values: values}, At: f.at, Actor: whoami()}
	return audit.Load(ctx, store, name, loaded, func(l audit.Loaded) []audit.Record { return f.tell(l, name, attributes) })
}

// tell makes the records of a load: one of the whole, and one of each thing in it that
// came, went or changed.
func (f configFile) tell(l audit.Loaded, name string, attributes map[string]string) []audit.Record {
	changes := audit.Changes(l.Before.Values, l.Values)
	whole := audit.Record{
		UID: loadUID(l, name, f.path), At: l.At, Actor: l.Actor, Via: f.via, Action: "configuration.load", ObjectType: name, Object: f.path,
		Attributes: map[string]string{"sha256": l.SHA256, "file_owner": f.owner, "file_modified": f.modified.UTC().Format(time.RFC3339), "version": version},
	}
	for key, value := range attributes {
		whole.Attributes[key] = value
	}
	switch {
	case l.First:
		whole.Detail = fmt.Sprintf("The configuration %s is loaded, the first that this database knows of.", filepath.Base(f.path))
		return []audit.Record{whole}
	case l.Before.SHA256 == l.SHA256:
		whole.Detail = fmt.Sprintf("The configuration %s is loaded; it is as before.", filepath.Base(f.path))
		return []audit.Record{whole}
	}
	whole.Action = "configuration.change"
	whole.Attributes["before_sha256"] = l.Before.SHA256
	addChanges(whole.Attributes, changes)
	whole.Detail = fmt.Sprintf("The configuration %s is another than before: %s.", filepath.Base(f.path), sayChanges(changes))
	return append([]audit.Record{whole}, f.things(l, changes)...)
}

// configThings are the parts of a configuration that are told for themselves: how their
// paths begin, with the name as the only group.
var configThings = []struct {
	noun string
	path *regexp.Regexp
}{
	{"source", regexp.MustCompile(`^sources\[(.*?)\]\.`)},
	{"receiver", regexp.MustCompile(`^receivers\[(.*?)\]\.`)},
	{"notifier", regexp.MustCompile(`^alerts\.notifiers\.([a-z0-9._-]*?)\.(?:slack|webhook|incoming_webhook|file|console|rate)\b`)},
	{"notifier", regexp.MustCompile(`^(slack)\.`)},
	{"exception", regexp.MustCompile(`^rules\.exceptions\[(.*?)\]\.(?:rules|networks|users|apps|action|reason|from|until)$`)},
	{"maintenance", regexp.MustCompile(`^alerts\.maintenance\[(.*?)\]\.`)},
}

// thing is a part of a configuration, such as the source kong.
type thing struct{ noun, name string }

// thingOf is the thing that a path belongs to, and the rest of the path in it.
func thingOf(path string) (t thing, rest string, is bool) {
	for _, kind := range configThings {
		if at := kind.path.FindStringSubmatchIndex(path); at != nil {
			_, rest, _ = strings.Cut(path[at[3]:], ".")
			return thing{kind.noun, path[at[2]:at[3]]}, rest, true
		}
	}
	return t, "", false
}

func hasThing(values map[string]string, wanted thing) bool {
	for path := range values {
		if found, _, is := thingOf(path); is && found == wanted {
			return true
		}
	}
	return false
}

// things makes a record of each thing that came, went or changed.
func (f configFile) things(l audit.Loaded, changes []audit.Change) (records []audit.Record) {
	var order []thing
	parts := map[thing][]audit.Change{}
	for _, c := range changes {
		if t, rest, is := thingOf(c.Path); is {
			if parts[t] == nil {
				order = append(order, t)
			}
			parts[t] = append(parts[t], audit.Change{Path: rest, Was: c.Was, Now: c.Now})
		}
	}
	for _, t := range order {
		verb := "change"
		said := "is changed: " + sayChanges(parts[t])
		switch {
		case !hasThing(l.Before.Values, t):
			verb, said = "add", "is new: "+sayChanges(parts[t])
		case !hasThing(l.Values, t):
			verb, said = "remove", "is taken out"
		}
		r := audit.Record{
			UID: loadUID(l, t.noun, t.name), At: l.At, Actor: l.Actor, Via: f.via, Action: t.noun + "." + verb, ObjectType: t.noun, Object: t.name,
			Detail:     fmt.Sprintf("The %s %s %s.", t.noun, t.name, said),
			Attributes: map[string]string{"sha256": l.SHA256},
		}
		addChanges(r.Attributes, parts[t])
		records = append(records, r)
	}
	return records
}

// loadUID is the identity of what a load has changed: the same where it is told again
// after a crash.
func loadUID(l audit.Loaded, noun, name string) schema.UID {
	return schema.HashUID("load", l.At.UTC().Format(time.RFC3339Nano), l.SHA256, noun, name)
}

// maxChanges is how many changes an event has, and maxSaid how many its message names.
const (
	maxChanges = 200
	maxSaid    = 5
)

// addChanges adds was.PATH and now.PATH for each change.
func addChanges(attributes map[string]string, changes []audit.Change) {
	for _, c := range changes[:min(len(changes), maxChanges)] {
		if c.Was != "" {
			attributes["was."+c.Path] = c.Was
		}
		if c.Now != "" {
			attributes["now."+c.Path] = c.Now
		}
	}
	if more := len(changes) - maxChanges; more > 0 {
		attributes["more_changes"] = fmt.Sprint(more)
	}
}

// sayChanges says changes in words.
func sayChanges(changes []audit.Change) string {
	if len(changes) == 0 {
		return "no value is another, only how it is written"
	}
	var said []string
	for _, c := range changes[:min(len(changes), maxSaid)] {
		switch {
		case c.Was == "":
			said = append(said, fmt.Sprintf("%s is %s", c.Path, shorten(c.Now, 80)))
		case c.Now == "":
			said = append(said, fmt.Sprintf("%s is not %s any more", c.Path, shorten(c.Was, 80)))
		default:
			said = append(said, fmt.Sprintf("%s is %s and was %s", c.Path, shorten(c.Now, 80), shorten(c.Was, 80)))
		}
	}
	if more := len(changes) - maxSaid; more > 0 {
		said = append(said, fmt.Sprintf("and %s more", plural(more, "change")))
	}
	return strings.Join(said, "; ")
}
