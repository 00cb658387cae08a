package formats

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Mapping describes a log that no built-in format reads: how it is cut into fields,
// and what they mean. It stands in the configuration.
type Mapping struct {
	// Name is the format's name in the configuration and in metadata_log_format.
	Name string `yaml:"name"`
	// Shape is json (one object a record), csv (with a header), logfmt (key=value
	// pairs), or regex.
	Shape string `yaml:"shape"`
	// Pattern belongs to regex: a line's form, with groups such as (?P<user>\S+). A
	// line that it does not match goes to quarantine.
	Pattern string `yaml:"pattern"`
	// Product, Vendor and Log say whose log it is; Log is Name unless it is given.
	Product string `yaml:"product"`
	Vendor  string `yaml:"vendor"`
	Log     string `yaml:"log"`
	// Class is the OCSF class by a name of MappingClasses; empty means api.
	Class string      `yaml:"class"`
	Time  MappingTime `yaml:"time"`
	// Fields gives the log's own field names a column of the events table, or one of
	// the words of mappingWords. Fields that are not named stay in unmapped.
	Fields map[string]string `yaml:"fields"`
	Status MappingStatus     `yaml:"status"`
	// Constants are columns that have the same value in every event.
	Constants map[string]string `yaml:"constants"`
}

// MappingTime says where a record's time is.
type MappingTime struct {
	Field string `yaml:"field"`
	// Layout is Go's reference time (2006-01-02 15:04:05.000), or epoch_s, epoch_ms;
	// empty means that ISO 8601 and epoch numbers are told apart.
	Layout string `yaml:"layout"`
	// Zone is for times that name none; empty means the source's.
	Zone string `yaml:"zone"`
}

// MappingStatus says which values of a field mean success and failure. Values are
// compared without regard to case. A challenge (a second factor asked for) is neither.
type MappingStatus struct {
	Field     string   `yaml:"field"`
	Success   []string `yaml:"success"`
	Failure   []string `yaml:"failure"`
	Challenge []string `yaml:"challenge"`
}

// MappingClasses are the names of OCSF classes that a mapping may have.
var MappingClasses = map[string]uint64{
	"api": schema.ClassAPIActivity, "authentication": schema.ClassAuthentication, "http": schema.ClassHTTPActivity,
	"account_change": schema.ClassAccountChange, "entity_management": schema.ClassEntityManagement, "user_access": schema.ClassUserAccess,
	"web_resources": schema.ClassWebResources, "datastore": schema.ClassDatastoreActivity, "file_hosting": schema.ClassFileHosting,
	"application_error": schema.ClassApplicationError,
}

// mappingWords are targets of fields that need more than copying.
var mappingWords = map[string]func(*mappedRecord, string){
	"source":       func(m *mappedRecord, v string) { setSource(m.event, &m.addresses, v) },
	"url":          func(m *mappedRecord, v string) { setURL(m.event, v) },
	"request_line": func(m *mappedRecord, v string) { setRequestLine(m.event, v) },
	"duration_s":   func(m *mappedRecord, v string) { setDuration(m.event, v, 1000) },
	"duration_us":  func(m *mappedRecord, v string) { setDuration(m.event, v, 0.001) },
	"credential":   func(m *mappedRecord, v string) { m.event.Text[schema.SessionCredentialUID] = v },
	"drop":         func(*mappedRecord, string) {},
}

// mappingTarget is what becomes of a field's value.
type mappingTarget func(*mappedRecord, string)

// targetOf finds a column or word; ok is false when there is none.
func targetOf(name string) (target mappingTarget, ok bool) {
	if word, known := mappingWords[name]; known {
		return word, true
	}
	switch name {
	case schema.SrcEndpointIP.Column():
		return mappingWords["source"], true
	case schema.HTTPResponseCode.Column():
		return func(m *mappedRecord, v string) { setStatus(m.event, v) }, true
	case schema.Duration.Column():
		return func(m *mappedRecord, v string) { setDuration(m.event, v, 1) }, true
	}
	for i := range schema.TextCount {
		if column := schema.Text(i); column.Column() == name {
			return func(m *mappedRecord, v string) { m.event.Text[column] = v }, true
		}
	}
	for i := range schema.NumberCount {
		if column := schema.Number(i); column.Column() == name {
			return func(m *mappedRecord, v string) { setCount(m.event, column, v) }, true
		}
	}
	return nil, false
}

// MappingProblem is a mistake in a mapping. Key is where it stands, such as
// fields.user.
type MappingProblem struct{ Key, Message string }

// Check says everything that is wrong with the mapping.
func (m *Mapping) Check() (problems []MappingProblem) {
	wrong := func(key, format string, args ...any) {
		problems = append(problems, MappingProblem{key, fmt.Sprintf(format, args...)})
	}
	if m.Name == "" || strings.Trim(m.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(m.Name) > 64 {
		wrong("name", "the mapping's name is %q: use 1 to 64 of a-z, 0-9 and dash", m.Name)
	} else if slices.ContainsFunc(all, func(f Format) bool { return f.Name == m.Name }) {
		wrong("name", "%s is a built-in format: choose another name", m.Name)
	}
	switch m.Shape {
	case "json", "csv", "logfmt":
		if m.Pattern != "" {
			wrong("pattern", "pattern belongs to shape: regex")
		}
	case "regex":
		if pattern, err := regexp.Compile(m.Pattern); err != nil || m.Pattern == "" {
			wrong("pattern", "the pattern cannot be used: write a regular expression with named groups, such as ^(?P<time>\\S+) (?P<user>\\S+)$")
		} else if m.Time.Field != "" && pattern.SubexpIndex(m.Time.Field) < 0 {
			wrong("pattern", "the pattern has no group (?P<%s>...), which time.field names", m.Time.Field)
		}
	default:
		wrong("shape", "shape is %q: use json, csv, logfmt or regex", m.Shape)
	}
	if _, known := MappingClasses[m.Class]; m.Class != "" && !known {
		wrong("class", "class is %q: use one of %s", m.Class, strings.Join(slices.Sorted(maps.Keys(MappingClasses)), ", "))
	}
	if m.Time.Field == "" {
		wrong("time", "time.field is missing: name the field that holds the time of a record")
	}
	if l := m.Time.Layout; l != "" && l != "epoch_s" && l != "epoch_ms" && !strings.ContainsAny(l, "0123456789") {
		wrong("time.layout", "the layout %q holds no part of a time: write how 2 January 2006, 15:04:05 would stand in the log, or epoch_s, epoch_ms", l)
	}
	if m.Time.Zone != "" {
		if _, err := time.LoadLocation(m.Time.Zone); err != nil {
			wrong("time.zone", "the zone %q is not known: use an IANA name such as Europe/Berlin", m.Time.Zone)
		}
	}
	for field, target := range m.Fields {
		if _, ok := targetOf(target); !ok {
			wrong("fields."+field, "there is no column %q: use a column of the events table, or one of %s", target, strings.Join(slices.Sorted(maps.Keys(mappingWords)), ", "))
		}
	}
	for column, value := range m.Constants {
		if _, ok := targetOf(column); !ok || mappingWords[column] != nil {
			wrong("constants."+column, "there is no column %q in the events table", column)
		} else if value == "" {
			wrong("constants."+column, "the constant %s is empty", column)
		}
	}
	if s := m.Status; s.Field == "" && len(s.Success)+len(s.Failure)+len(s.Challenge) > 0 {
		wrong("status", "status.field is missing: name the field that says whether it worked")
	}
	slices.SortFunc(problems, func(a, b MappingProblem) int { return strings.Compare(a.Key, b.Key) })
	return problems
}

var mapped struct {
	sync.RWMutex
	formats []Format
}

// SetMappings makes the formats of the user's mappings known to ByName and Detect, in
// place of those set before. The mappings have passed Check.
func SetMappings(mappings []Mapping) {
	made := make([]Format, 0, len(mappings))
	for i := range mappings {
		made = append(made, mappings[i].format())
	}
	mapped.Lock()
	defer mapped.Unlock()
	mapped.formats = made
}

func mappings() []Format {
	mapped.RLock()
	defer mapped.RUnlock()
	return slices.Clip(mapped.formats)
}

// format is the mapping as a format. Files are recognised by the mapping's own fields.
func (m *Mapping) format() Format {
	f := Format{Name: m.Name, Title: strings.TrimSpace(m.Vendor + " " + m.Product + " (mapping)"), Line: m.Shape != "csv"}
	f.New = func(o Options) Decoder { return m.decoder(o) }
	f.Detect = func(head []byte) string {
		if m.Shape == "csv" && !m.covers(firstRecord(head)) || m.Shape == "json" && !m.covers(firstPaths(head)) {
			return ""
		}
		var seen countingSink
		f.New(Options{}).Decode(head, len(head) < HeadSize, &seen)
		if seen.events == 0 || seen.rejections > seen.events {
			return ""
		}
		return "the fields of the mapping " + m.Name
	}
	return f
}

// covers says whether the time and every mapped field are among names.
func (m *Mapping) covers(names []string) bool {
	if !slices.Contains(names, m.Time.Field) {
		return false
	}
	for field := range m.Fields {
		if slices.Contains(names, field) {
			return true
		}
	}
	return len(m.Fields) == 0
}

type countingSink struct{ events, rejections int }

func (s *countingSink) Event(*schema.Event) { s.events++ }
func (s *countingSink) Reject(Rejection)    { s.rejections++ }

// mappingNumber reads an epoch number of seconds or milliseconds.
func mappingNumber(text string, unit float64) (ms int64, ok bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n*unit > 1e15 {
		return 0, false
	}
	return int64(n * unit), true
}
