package agent

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// followSink takes what a decoder reads from one stretch of a followed log.
type followSink struct {
	s      *sourceState
	g      *generation
	sealer *sealer
	data   []byte
	base   int64
	// last is where the last record begins; -1 before the first.
	last                int64
	events, quarantined int64
	filtered            int64
	latest              int64
}

// Event batches an event.
func (k *followSink) Event(e *schema.Event) {
	if detail, is := k.g.residency.elsewhere(e.Text[schema.MetadataTenantUID]); is {
		offset := e.Number[schema.SourceOffset]
		if !k.g.outside.any {
			k.g.outside.note(offset, detail)
			q := k.g.outside.row(k.s.Name, k.g.position.Path, k.g.format.Name)
			k.sealer.note(&q)
		}
		k.last = int64(offset)
		k.filtered++
		return
	}
	if r, bad := implausible(e); bad {
		r.Content = lineAt(k.data, r.Offset-k.base)
		k.Reject(r)
		return
	}
	offset := e.Number[schema.SourceOffset]
	if !k.g.format.Identified {
		k.place(e, offset)
	}
	e.Text[schema.SourceName] = k.s.Name
	e.Text[schema.SourceFile] = k.g.position.Path
	if e.Text[schema.MetadataLogFormat] == "" {
		e.Text[schema.MetadataLogFormat] = k.g.format.Name
	}
	k.latest = max(k.latest, e.Time)
	k.last = int64(offset)
	k.g.redactor.Row(e)
	if k.g.privacy != nil {
		k.g.privacy.Event(k.g.redactor, e)
	}
	k.sealer.add(k.s.Name, e)
	k.events++
}

// place replaces the content's identity by the place of the record: its generation
// and offset. The content goes in too, so that no two different records can ever
// have one identity, whatever becomes of a file.
func (k *followSink) place(e *schema.Event, offset uint64) {
	last := &k.g.last
	if last.any && last.offset == offset {
		last.n++
	} else {
		*last = recordIdentity{offset: offset, any: true}
	}
	var id schema.UIDHasher
	id.Part(k.g.position.ID)
	id.Number(offset)
	id.Number(last.n)
	id.Part(string(e.UID[:]))
	e.UID = id.Sum()
}

// Reject keeps a record that could not be understood.
func (k *followSink) Reject(r formats.Rejection) {
	k.last = r.Offset
	q := quarantined(k.s.Name, k.g.position.Path, k.g.format.Name, r, k.g.clean)
	k.sealer.reject(k.s.Name, &q)
	k.quarantined++
}

// decode decodes data, which stands at the generation's offset, and moves it on. A
// line at which the decoder fails goes to quarantine, and the next is read.
func (s *sourceState) decode(g *generation, data []byte, atEOF bool, to *sealer, now time.Time) {
	k := &followSink{s: s, g: g, sealer: to, data: data, base: g.position.Offset, last: -1}
	if dated, ok := g.decoder.(formats.Dated); ok {
		dated.Refer(g.writtenBy(now))
	}
	used, err := contained(g.decoder, data, atEOF, k)
	if err != nil {
		used = s.skipFailing(g, k, err)
	}
	if atEOF && used < len(data) {
		k.Reject(formats.Rejection{
			Position: formats.Position{Offset: g.position.Offset + int64(used)},
			Reason:   formats.ReasonCut,
			Detail:   "the log ends within a record",
			Content:  data[used:],
		})
		used = len(data)
	}
	if used == 0 && len(data) > formats.MaxRecord {
		used = s.skipFailing(g, k, fmt.Errorf("it does not get past byte %d", k.base))
	}
	g.moveOn(data[:used])
	if used > 0 {
		if to.since.IsZero() {
			to.since = now
		}
		to.cover(g.position)
	}
	s.w.ledger.read(s.Name, k.events, k.quarantined, k.latest)
	s.w.ledger.filtered(s.Name, schema.ReasonResidency, k.filtered)
}

// contained calls a decoder and turns a defect in it into an error. The text of a
// panic may quote the log, so only the runtime's own is passed on.
func contained(d formats.Decoder, data []byte, atEOF bool, sink formats.Sink) (used int, err error) {
	defer func() {
		if p := recover(); p != nil {
			what := "internal error"
			if r, ok := p.(runtime.Error); ok {
				what = r.Error()
			}
			used, err = 0, fmt.Errorf("it failed (%s)", what)
		}
	}()
	used = d.Decode(data, atEOF, sink)
	if used < 0 || used > len(data) {
		return 0, fmt.Errorf("it lost its place")
	}
	return used, nil
}

// skipFailing puts the line after the last decoded record into quarantine, starts
// a new decoder behind it, and returns how far that is.
func (s *sourceState) skipFailing(g *generation, k *followSink, cause error) (used int) {
	from := 0
	if k.last >= k.base {
		from = int(k.last - k.base)
		from += lineEnd(k.data[from:])
	}
	used = from + lineEnd(k.data[from:])
	s.w.Log.Error("a decoder has a defect; the record is in quarantine", "source", s.Name, "format", g.format.Name, "defect", cause.Error())
	if used > from {
		k.Reject(formats.Rejection{
			Position: formats.Position{Offset: k.base + int64(from)},
			Reason:   formats.ReasonUnreadableBytes,
			Detail:   "the decoder has a defect here: please report it",
			Content:  k.data[from:used],
		})
	}
	g.decoder = s.newDecoder(g.format, k.base+int64(used), linesAfter(g.position.Line, k.data[:used]))
	return used
}

// lineEnd is the length of the first line with its end.
func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}

// cover puts a position that comes with no record of its own into the open batch.
func (w *Watcher) cover(p SourcePosition, now time.Time) {
	if w.sealer.since.IsZero() {
		w.sealer.since = now
	}
	w.sealer.cover(p)
}
