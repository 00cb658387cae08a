package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// eventTimeLayout is ISO 8601 in UTC with milliseconds, as ClickHouse's JSON
// output has it with date_time_output_format=iso.
const eventTimeLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON writes the event as one flat object: time, event_uid, then every
// column that is not empty or zero, in the order of the events table, and the
// unmapped fields as an object under "unmapped". It serves people and tests; what
// is stored is the Native block of a Batch.
func (e *Event) MarshalJSON() ([]byte, error) {
	var w jsonObject
	w.begin()
	w.text("time", e.When().Format(eventTimeLayout))
	w.text("event_uid", e.UID.String())
	for i, value := range e.Text {
		if value != "" {
			w.text(Text(i).Column(), value)
		}
	}
	for i, value := range e.Number {
		if value != 0 {
			w.name(Number(i).Column())
			w.WriteString(strconv.FormatUint(value, 10))
		}
	}
	if len(e.Unmapped) > 0 {
		w.name("unmapped")
		w.begin()
		for _, a := range e.Unmapped {
			w.text(a.Name, a.Value)
		}
		w.WriteByte('}')
	}
	w.WriteByte('}')
	return w.Bytes(), nil
}

// jsonObject writes JSON objects, member by member.
type jsonObject struct {
	bytes.Buffer
	filled bool
}

func (w *jsonObject) begin() {
	w.WriteByte('{')
	w.filled = false
}

func (w *jsonObject) name(name string) {
	if w.filled {
		w.WriteByte(',')
	}
	w.filled = true
	w.value(name)
	w.WriteByte(':')
}

func (w *jsonObject) text(name, value string) {
	w.name(name)
	w.value(value)
}

func (w *jsonObject) value(s string) {
	encoder := json.NewEncoder(&w.Buffer)
	encoder.SetEscapeHTML(false)
	// Writing a string to a buffer cannot fail; the encoder ends it with a newline.
	_ = encoder.Encode(s)
	w.Truncate(w.Len() - 1)
}
