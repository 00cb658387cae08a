package agent

import (
	"bytes"
	"fmt"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// Event times outside this range are a defect of the log, not history: each would
// also open a partition of its own in the database.
var (
	earliestTime = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	latestTime   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// implausible says why an event's time cannot be right.
func implausible(e *schema.Event) (formats.Rejection, bool) {
	if e.Time >= earliestTime && e.Time < latestTime {
		return formats.Rejection{}, false
	}
	return formats.Rejection{
		Position: formats.Position{Offset: int64(e.Number[schema.SourceOffset])},
		Reason:   formats.ReasonTime,
		Detail:   fmt.Sprintf("the event is dated %d: only 1990 to 2099 is believed; check the clock or the unit of the time", e.When().Year()),
	}, true
}

// lineAt returns the line that starts at position i of data, at most a quarantined
// record's length of it.
func lineAt(data []byte, i int64) []byte {
	if i < 0 || i >= int64(len(data)) {
		return nil
	}
	line := data[i:min(int64(len(data)), i+schema.MaxQuarantineContent)]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	return line
}

// timeRange is the first and last of some event times, in milliseconds.
type timeRange struct {
	min, max int64
	any      bool
}

func (t *timeRange) add(ms int64) {
	if !t.any || ms < t.min {
		t.min = ms
	}
	if !t.any || ms > t.max {
		t.max = ms
	}
	t.any = true
}

func (t *timeRange) first() time.Time {
	if !t.any {
		return time.Time{}
	}
	return time.UnixMilli(t.min).UTC()
}

func (t *timeRange) last() time.Time {
	if !t.any {
		return time.Time{}
	}
	return time.UnixMilli(t.max).UTC()
}

// fileSink takes what the decoder reads from one block of a whole file.
type fileSink struct {
	*fileReading
	data []byte
}

// Event takes secrets and people out of the event and batches it.
func (s *fileSink) Event(e *schema.Event) {
	if s.err != nil {
		return
	}
	if detail, is := s.residency.elsewhere(e.Text[schema.MetadataTenantUID]); is {
		s.outside.note(e.Number[schema.SourceOffset], detail)
		s.report.Filtered++
		s.report.Records++
		return
	}
	if r, bad := implausible(e); bad {
		r.Content = lineAt(s.data, r.Offset-s.offset)
		s.Reject(r)
		return
	}
	e.Text[schema.SourceName] = s.source
	e.Text[schema.SourceFile] = s.input.Name
	if e.Text[schema.MetadataLogFormat] == "" {
		e.Text[schema.MetadataLogFormat] = s.name
	}
	if s.report.Events == 0 && s.firstEvent < 0 {
		s.firstEvent = int64(e.Number[schema.SourceOffset])
	}
	s.times.add(e.Time)
	s.redactor.Row(e)
	if s.privacy != nil {
		s.privacy.Event(s.redactor, e)
	}
	s.sealer.add(s.source, e)
	s.report.Events++
	s.report.Records++
	s.sealFull()
}

// Reject keeps a record that could not be understood, with its secrets taken out.
func (s *fileSink) Reject(r formats.Rejection) {
	if s.chunked {
		r.Content = bytes.Clone(r.Content)
		s.held = append(s.held, r)
		return
	}
	s.quarantine(r)
}

func (s *fileSink) quarantine(r formats.Rejection) {
	if s.err != nil {
		return
	}
	q := quarantined(s.source, s.input.Name, s.name, r, s.clean)
	s.sealer.reject(s.source, &q)
	s.report.Quarantined++
	s.report.Records++
	if s.report.Reasons == nil {
		s.report.Reasons = map[string]int64{}
	}
	s.report.Reasons[r.Reason]++
	if s.report.FirstRejection == "" {
		s.report.FirstRejection = describe(r)
	}
	s.sealFull()
}

// clean takes secrets and people out of a record that could not be understood.
func (r *reader) clean(content string) string {
	return r.privacy.Content(r.redactor.Text(r.residency.content(content)))
}

func (s *fileSink) sealFull() {
	if !s.chunked && s.sealer.full() {
		s.resolve()
		s.err = s.seal()
		s.unresolved = 0
	}
}

// resolve gives the file's events that repeat others an identity of their own.
func (f *fileReading) resolve() {
	if f.identified {
		return
	}
	f.ordinals.Resolve(f.sealer.batch, f.unresolved)
	f.unresolved = f.sealer.batch.Rows()
}

// repeated is the identity of the n-th repetition of an identical record.
func repeated(uid schema.UID, n uint64) schema.UID {
	var id schema.UIDHasher
	id.Part(string(uid[:]))
	id.Number(n)
	return id.Sum()
}

// describe puts a rejection in words, without any of the record's content.
func describe(r formats.Rejection) string {
	place := fmt.Sprintf("byte %d", r.Offset)
	if r.Line > 0 {
		place = fmt.Sprintf("line %d", r.Line)
		if r.Column > 0 {
			place += fmt.Sprintf(", column %d", r.Column)
		}
	}
	text := place + ": " + r.Reason
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}
