package redact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Names of what has no column in the events table, in the settings of privacy.
const (
	// unmappedPrefix stands before the name of a field without a column; a * at the end
	// stands for any rest.
	unmappedPrefix = "unmapped."
	// QuarantineContent is the text of records that could not be understood.
	QuarantineContent = "quarantine.content"
)

// wordy are the columns that an allow-list of free text empties, with unmapped fields
// and the content of quarantine.
var wordy = [...]schema.Text{
	schema.HTTPRequestURLQuery, schema.HTTPRequestReferrer, schema.QueryString, schema.StatusDetail, schema.Message, schema.RawData,
}

// neededText and neededNumbers say what a row is and where it is from: they cannot be
// left out.
var (
	neededText = [...]schema.Text{
		schema.MetadataTenantUID, schema.MetadataProductName, schema.MetadataLogName, schema.MetadataLogFormat, schema.SourceName, schema.SourceFile,
	}
	neededNumbers = [...]schema.Number{
		schema.ClassUID, schema.ActivityID, schema.SeverityID, schema.StatusID, schema.FieldCount, schema.SourceOffset, schema.Ordinal,
	}
)

// CheckFreeText says what is wrong with an entry of PrivacyOptions.FreeText.
func CheckFreeText(name string) error {
	if name == QuarantineContent || isUnmapped(name) {
		return nil
	}
	var known []string
	for _, column := range wordy {
		if known = append(known, column.Column()); column.Column() == name {
			return nil
		}
	}
	return fmt.Errorf("%q is no column of free text: use %s, %s, %sNAME or %s*", name, strings.Join(known, ", "), QuarantineContent, unmappedPrefix, unmappedPrefix)
}

// CheckDrop says what is wrong with an entry of PrivacyOptions.Drop.
func CheckDrop(name string) error {
	if name == QuarantineContent || isUnmapped(name) {
		return nil
	}
	if column, ok := textNamed(name); ok {
		if slices.Contains(neededText[:], column) {
			return fmt.Errorf("%q says what an event is and where it is from, and cannot be dropped", name)
		}
		return nil
	}
	if number, ok := numberNamed(name); ok {
		if slices.Contains(neededNumbers[:], number) {
			return fmt.Errorf("%q says what an event is and where it is from, and cannot be dropped", name)
		}
		return nil
	}
	return fmt.Errorf("there is no column %q: use the columns that `crmwatch explain` shows for the log, %sNAME, %s* or %s", name, unmappedPrefix, unmappedPrefix, QuarantineContent)
}

func isUnmapped(name string) bool {
	return strings.HasPrefix(name, unmappedPrefix) && len(name) > len(unmappedPrefix)
}

func textNamed(name string) (schema.Text, bool) {
	for i := range schema.TextCount {
		if schema.Text(i).Column() == name {
			return schema.Text(i), true
		}
	}
	return 0, false
}

func numberNamed(name string) (schema.Number, bool) {
	for i := range schema.NumberCount {
		if schema.Number(i).Column() == name {
			return schema.Number(i), true
		}
	}
	return 0, false
}

// What is not stored of an event.
const (
	stored  = ""
	Dropped = "dropped"
	Emptied = "emptied"
)

// minimum is what is left out of every event.
type minimum struct {
	text    []schema.Text
	numbers []schema.Number
	// why says of a text column why it is left out.
	why [schema.TextCount]string
	// dropped and kept are names and beginnings of unmapped fields; limited says that
	// only the kept ones stay.
	dropped, kept []string
	limited       bool
	content       string
	// known are the names of unmapped fields that were looked at.
	known map[string]string
}

func newMinimum(o *PrivacyOptions) minimum {
	m := minimum{limited: o.LimitFreeText, known: map[string]string{}}
	for _, column := range wordy {
		if o.LimitFreeText && !slices.Contains(o.FreeText, column.Column()) {
			m.why[column] = Emptied
		}
	}
	if o.LimitFreeText && !slices.Contains(o.FreeText, QuarantineContent) {
		m.content = Emptied
	}
	for _, name := range o.FreeText {
		if isUnmapped(name) {
			m.kept = append(m.kept, name[len(unmappedPrefix):])
		}
	}
	for _, name := range o.Drop {
		if column, ok := textNamed(name); ok {
			m.why[column] = Dropped
		} else if number, ok := numberNamed(name); ok {
			m.numbers = append(m.numbers, number)
		} else if name == QuarantineContent {
			m.content = Dropped
		} else if isUnmapped(name) {
			m.dropped = append(m.dropped, name[len(unmappedPrefix):])
		}
	}
	for column, why := range m.why {
		if why != stored {
			m.text = append(m.text, schema.Text(column))
		}
	}
	return m
}

// maxFields is how many names of unmapped fields are remembered before all are
// forgotten.
const maxFields = 1 << 12

// field says why an unmapped field is left out.
func (m *minimum) field(name string) (why string) {
	why, known := m.known[name]
	if known {
		return why
	}
	switch {
	case isAnyOf(m.dropped, name):
		why = Dropped
	case m.limited && !isAnyOf(m.kept, name):
		why = Emptied
	}
	if len(m.known) >= maxFields {
		clear(m.known)
	}
	m.known[strings.Clone(name)] = why
	return why
}

// reason says why a column, or unmapped.NAME, is left out.
func (m *minimum) reason(column string) string {
	if name, ok := strings.CutPrefix(column, unmappedPrefix); ok {
		return m.field(name)
	}
	if text, ok := textNamed(column); ok {
		return m.why[text]
	}
	if number, ok := numberNamed(column); ok && slices.Contains(m.numbers, number) {
		return Dropped
	}
	return stored
}

func isAnyOf(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		beginning, any := strings.CutSuffix(pattern, "*")
		return pattern == name || any && strings.HasPrefix(name, beginning)
	})
}

// reduce leaves out what is not to be stored.
func (m *minimum) reduce(e *schema.Event) {
	for _, column := range m.text {
		e.Text[column] = ""
	}
	for _, number := range m.numbers {
		e.Number[number] = 0
	}
	if len(m.dropped) == 0 && !m.limited {
		return
	}
	left := e.Unmapped[:0]
	for _, a := range e.Unmapped {
		if m.field(a.Name) == stored {
			left = append(left, a)
		}
	}
	e.Unmapped = left
}
