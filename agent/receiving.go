package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// answerAge is how long a message whose sender waits for an answer waits for others
// that share its batch. It bounds the batches that such senders cause to ten a second.
const answerAge = 100 * time.Millisecond

// receiving decodes what the intake holds into batches. Nothing of it is on the disk
// before it is redacted.
type receiving struct {
	w        *Watcher
	sealer   *sealer
	redactor *redact.Redactor
	inlets   map[string]*inletState
	ordinals *ordinals
	hasher   schema.UIDHasher
	// incarnation and counter make an identity for a message that is never repeated.
	incarnation string
	counter     uint64
	timer       *time.Timer
	due         time.Time
}

type inletState struct {
	Inlet
	format  formats.Format
	decoder formats.Decoder
	privacy *redact.Privacy
	// outside is the first record that was kept out.
	outside outside
}

// fresh makes a decoder with no memory of what it has read. It does not stand at the
// start of a file: what is special there (a byte order mark, UTF-16) is not here.
func (s *inletState) fresh() {
	s.decoder = s.format.New(formats.Options{Tenant: s.Tenant, Zone: s.Zone, Start: formats.Position{Offset: 1, Line: 1}})
}

// takeIn decodes messages until no more come. ctx ends shipping: what comes after that
// is not kept, and its senders are told.
func (w *Watcher) takeIn(ctx context.Context) {
	r := &receiving{
		w: w, sealer: newSealer(w.Redactor.Clone(), w.free, w.out), redactor: w.Redactor.Clone(),
		inlets: map[string]*inletState{}, ordinals: newOrdinals(), incarnation: rand.Text(),
		timer: time.NewTimer(time.Hour),
	}
	for _, in := range w.Inlets {
		// The format was found when the watcher was made.
		format, _ := formats.ByName(in.Format)
		r.inlets[in.Name] = &inletState{Inlet: in, format: format, privacy: newPrivacy(in.Privacy, w.Redactor)}
		r.inlets[in.Name].fresh()
	}
	for {
		select {
		case m, more := <-w.intake.messages:
			if !more {
				r.seal(ctx)
				return
			}
			r.take(ctx, &m)
			w.intake.room.Release(m.cost())
		case <-r.timer.C:
			r.sealDue(ctx)
		}
	}
}

// take decodes one message.
func (r *receiving) take(ctx context.Context, m *Message) {
	in := r.inlets[m.Inlet]
	if ctx.Err() != nil || in == nil {
		r.w.intake.Lost(m.Inlet, "stopping", 1, int64(len(m.Data)))
		m.answer(Receipt{Err: errNotKept})
		return
	}
	r.counter++
	k := &receiveSink{r: r, in: in, m: m, from: addressText(m.From), unresolved: r.sealer.batch.Rows()}
	if m.Answer != nil {
		r.ordinals.Reset()
	}
	var failed error
	switch {
	case m.Rejected != nil:
		m.Rejected.Content = m.Data
		k.Reject(*m.Rejected)
	case m.Lines == nil:
		in.read(k, m.Data)
	default:
		for line := range m.Lines(m.Data) {
			in.read(k, line)
			if r.sealer.full() {
				k.count()
				if failed = r.seal(ctx); failed != nil {
					break
				}
				k.unresolved = 0
			}
		}
	}
	k.count()
	k.receipt.Err = failed
	switch {
	case m.Answer == nil:
		r.wait(r.w.SealAge)
	case failed != nil || k.n == 0:
		m.Answer(k.receipt)
	default:
		receipt := k.receipt
		r.sealer.waiting = append(r.sealer.waiting, func(err error) {
			receipt.Err = err
			m.Answer(receipt)
		})
		r.wait(min(answerAge, r.w.SealAge))
	}
	if r.sealer.full() {
		_ = r.seal(ctx)
	}
}

// wait makes the open batch leave after that time at most.
func (r *receiving) wait(age time.Duration) {
	due := time.Now().Add(age)
	if r.due.IsZero() || due.Before(r.due) {
		r.due = due
		r.timer.Reset(age)
	}
}

// sealDue hands the open batch on if others have left; else it grows.
func (r *receiving) sealDue(ctx context.Context) {
	sealed, err := r.sealer.trySeal(ctx)
	r.due = time.Time{}
	if !sealed && err == nil {
		r.wait(20 * time.Millisecond)
	}
}

// seal hands the open batch on as soon as it can. If it cannot, the batch is given up:
// its senders are told, or it is counted.
func (r *receiving) seal(ctx context.Context) error {
	r.due = time.Time{}
	err := r.sealer.seal(ctx)
	if err == nil {
		return nil
	}
	for _, tell := range r.sealer.waiting {
		tell(errNotKept)
	}
	r.sealer.waiting = nil
	for name, c := range r.sealer.counts {
		r.w.intake.Lost(name, "stopping", c.events+c.quarantined, 0)
	}
	r.sealer.reset(r.sealer.redactor)
	clear(r.sealer.counts)
	return err
}

// read decodes one line with its end.
func (s *inletState) read(k *receiveSink, line []byte) {
	// Who knows the last record to be whole only by the next one is asked for it at once.
	k.line = line
	if dated, ok := s.decoder.(formats.Dated); ok {
		dated.Refer(k.r.w.Now())
	}
	used, err := contained(s.decoder, line, s.format.Multiline, k)
	if err == nil && used < len(line) {
		rest := line[used:]
		if used, err = contained(s.decoder, rest, true, k); err == nil && used < len(rest) {
			err = errors.New("it does not get past the message")
		}
		line = rest
		k.anew = true
	}
	if err != nil {
		k.r.w.Log.Error("a decoder has a defect; the record is in quarantine", "source", s.Name, "format", s.format.Name, "defect", err.Error())
		k.Reject(formats.Rejection{Reason: formats.ReasonUnreadableBytes, Detail: "the decoder has a defect here: please report it", Content: line})
	}
	// What a decoder remembers of one sender's bad message must not change how it reads
	// another's.
	if k.anew || s.format.Multiline {
		k.anew = false
		s.fresh()
	}
}

// receiveSink takes what a decoder reads from one message.
type receiveSink struct {
	r    *receiving
	in   *inletState
	m    *Message
	from string
	// line is what is being decoded.
	line []byte
	// n counts the records of the message.
	n       uint64
	receipt Receipt
	// counted is what of the receipt the ledger has.
	counted Receipt
	latest  int64
	// unresolved is the first row of the open batch that may repeat another of the
	// message.
	unresolved int
	anew       bool
}

// Event gives the event its identity and batches it.
func (k *receiveSink) Event(e *schema.Event) {
	if detail, is := k.r.w.Residency.elsewhere(e.Text[schema.MetadataTenantUID]); is {
		if !k.in.outside.any {
			k.in.outside.note(k.n, detail)
			q := k.in.outside.row(k.in.Name, k.m.Place, k.in.Format)
			k.r.sealer.note(&q)
		}
		k.receipt.Filtered++
		return
	}
	if rejection, bad := implausible(e); bad {
		rejection.Content = k.line
		k.Reject(rejection)
		return
	}
	if k.m.Answer == nil {
		e.UID = k.identity(e.UID)
		e.Number[schema.SourceOffset] = k.r.counter
	} else {
		e.Number[schema.SourceOffset] = k.n
	}
	k.n++
	e.Text[schema.SourceName] = k.in.Name
	e.Text[schema.SourceFile] = k.m.Place
	if e.Text[schema.MetadataLogFormat] == "" {
		e.Text[schema.MetadataLogFormat] = k.in.Format
	}
	e.AddUnmapped("received_from", k.from)
	k.latest = max(k.latest, e.Time)
	k.r.redactor.Row(e)
	if k.in.privacy != nil {
		k.in.privacy.Event(k.r.redactor, e)
	}
	k.r.sealer.add(k.in.Name, e)
	k.receipt.Events++
}

// Reject keeps a record that could not be understood.
func (k *receiveSink) Reject(r formats.Rejection) {
	r.Offset, r.Line = int64(k.n), 0
	if k.m.Answer == nil {
		r.Offset = int64(k.r.counter)
	}
	q := quarantined(k.in.Name, k.m.Place, k.in.Format, r, k.clean)
	if k.m.Answer == nil {
		q.UID = k.identity(q.UID)
	}
	k.n++
	k.r.sealer.reject(k.in.Name, &q)
	k.receipt.Quarantined++
	if k.receipt.FirstRejection == "" {
		k.receipt.FirstRejection = r.Reason
		if r.Detail != "" {
			k.receipt.FirstRejection += ": " + r.Detail
		}
	}
	k.anew = true
}

// clean takes secrets and people out of a record that could not be understood.
func (k *receiveSink) clean(content string) string {
	return k.in.privacy.Content(k.r.redactor.Text(k.r.w.Residency.content(content)))
}

// identity is one that no other record has: who sends it does not send it twice.
func (k *receiveSink) identity(content schema.UID) schema.UID {
	h := &k.r.hasher
	h.Reset()
	h.Part(k.r.incarnation)
	h.Number(k.r.counter)
	h.Number(k.n)
	h.Part(string(content[:]))
	return h.Sum()
}

// count numbers the identical records of a message, and tells the ledger what was read.
func (k *receiveSink) count() {
	if k.m.Answer != nil {
		k.r.ordinals.Resolve(k.r.sealer.batch, k.unresolved)
		k.unresolved = k.r.sealer.batch.Rows()
	}
	k.r.w.ledger.read(k.in.Name, k.receipt.Events-k.counted.Events, k.receipt.Quarantined-k.counted.Quarantined, k.latest)
	k.r.w.ledger.filtered(k.in.Name, schema.ReasonResidency, k.receipt.Filtered-k.counted.Filtered)
	k.counted = k.receipt
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().WithZone("").String()
}
