package compliance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// formatVersion is that of the JSON form; a reader refuses a later one.
const formatVersion = 1

// Summary is what was asked of a period and what was answered. Its JSON is canonical:
// keys in a fixed order, no white space, so that equal summaries are equal bytes.
type Summary struct {
	Content Content `json:"content"`
	Making  Making  `json:"making"`
}

// Content is what a summary says. The same data, statements and settings make the same
// content, whenever it is made; only a statement whose query asks for now() differs.
type Content struct {
	Format int `json:"format"`
	// Tenant is the organisation whose events are summed up; empty is all of them.
	Tenant   string   `json:"tenant"`
	Period   Period   `json:"period"`
	Versions Versions `json:"versions"`
	// Settings is the SHA-256 of the configuration, in hex; empty where there is none.
	Settings string `json:"settings_sha256"`
	// Collected are the days, or hours of a short period, from which events are stored.
	Collected Collected `json:"collected"`
	// CollectedBefore is that of the period before, with which figures are compared.
	CollectedBefore Collected       `json:"collected_before"`
	Sections        []SectionAnswer `json:"sections"`
	// Controls lists the controls that auditors look up, and all that statements name.
	Controls []ControlAnswer `json:"controls"`
}

// Making is how and when a summary was made; no content depends on it.
type Making struct {
	At time.Time `json:"at"`
	// Milliseconds is how long it took.
	Milliseconds int64 `json:"ms"`
	// Costs are those of the statements, in their order.
	Costs []Cost `json:"costs"`
}

// Versions are those of what made the summary.
type Versions struct {
	Crmwatch string `json:"crmwatch"`
	// Schema is the last migration that the database has.
	Schema string `json:"schema"`
	// Engine is ClickHouse's.
	Engine string `json:"engine"`
}

// Cost is what a statement's queries cost.
type Cost struct {
	Statement    string `json:"statement"`
	RowsRead     uint64 `json:"rows_read"`
	Milliseconds int64  `json:"ms"`
}

// SectionAnswer is a section with the answers to its statements.
type SectionAnswer struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	About   string   `json:"about"`
	Answers []Answer `json:"statements"`
}

// Answer is a statement and what the database answered.
type Answer struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Controls []string `json:"controls"`
	Show     Show     `json:"show"`
	Front    Front    `json:"front,omitempty"`
	Limit    int      `json:"limit"`
	// Sentence says the answer in words; empty where no sentence is asked for or there
	// is nothing to say.
	Sentence string `json:"sentence,omitempty"`
	// Empty is why there is nothing, where there is nothing.
	Empty string `json:"empty,omitempty"`
	// Problem is why the question could not be answered.
	Problem string   `json:"problem,omitempty"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	// Before is the row of the period before, of figures.
	Before Row `json:"before,omitempty"`
	// Query has the parameters from, to and tenant.
	Query string `json:"query"`
}

// Column is a column of an answer.
type Column struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Kind  Kind   `json:"kind"`
	Unit  Unit   `json:"unit,omitempty"`
	Front bool   `json:"front,omitempty"`
}

// Row is a row of cells; see Kind.
type Row []any

// UnmarshalJSON keeps numbers exact.
func (r *Row) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode((*[]any)(r))
}

// ControlAnswer says which statements are evidence for a control.
type ControlAnswer struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Statements have something to say in this period, Silent have not.
	Statements []string `json:"statements"`
	Silent     []string `json:"silent"`
}

// JSON is the summary's canonical form, on one line, with a line feed at its end.
func (s Summary) JSON() ([]byte, error) { return canonical(s) }

// ContentHash is the SHA-256 of the content's canonical form, in hex.
func (s Summary) ContentHash() (string, error) { return hash(s.Content) }

// Hash is the SHA-256 of the summary's canonical form, in hex: what sha256sum says of
// its JSON file.
func (s Summary) Hash() (string, error) { return hash(s) }

func hash(v any) (string, error) {
	text, err := canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func canonical(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("write summary as JSON: %w", err)
	}
	return out.Bytes(), nil
}

// WriteJSON writes the canonical form.
func WriteJSON(w io.Writer, s Summary) error {
	text, err := s.JSON()
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// Parse reads what JSON gave. A summary whose canonical form is not the text itself is
// refused, because its hash would be another.
func Parse(text []byte) (Summary, error) {
	var s Summary
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Summary{}, fmt.Errorf("read summary: %w", err)
	}
	if s.Content.Format != formatVersion {
		return Summary{}, fmt.Errorf("read summary: its form is version %d, and this crmwatch reads %d", s.Content.Format, formatVersion)
	}
	again, err := s.JSON()
	if err != nil {
		return Summary{}, err
	}
	if !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), bytes.TrimSuffix(text, []byte("\n"))) {
		return Summary{}, fmt.Errorf("read summary: it is not in its canonical form, so it was changed or written by something else")
	}
	return s, nil
}

// answers goes through all answers in their order.
func (c Content) answers(yield func(SectionAnswer, Answer) bool) {
	for _, section := range c.Sections {
		for _, answer := range section.Answers {
			if !yield(section, answer) {
				return
			}
		}
	}
}
