package agent

import (
	"fmt"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/schema"
)

// Sealed is a batch that never changes any more: what a spool keeps and what Ship
// hands on. Its byte slices are valid until Ship returns.
type Sealed struct {
	// Events is a Native block for the table events, Quarantine one for the table
	// quarantine; either may have no rows.
	Events, Quarantine schema.Frames
	// Positions says how far the batch, with all before it, covers its sources.
	Positions []SourcePosition

	filling *filling
	counts  []sourceCount
	// waiting are those who want to know what became of the batch.
	waiting []func(error)
}

// settle tells those who wait for the batch: nil when it is kept for good.
func (s *Sealed) settle(err error) {
	for _, tell := range s.waiting {
		tell(err)
	}
}

// Delivery is the batch as it is sent without a spool, by the agent with this uid.
func (s *Sealed) Delivery(agentUID string) schema.Delivery {
	return schema.Delivery{AgentUID: agentUID, Events: s.Events, Quarantine: s.Quarantine}
}

// sourceCount is what one batch holds of one source.
type sourceCount struct {
	source              string
	events, quarantined int64
}

// filling is the columns of one batch while it is filled and until it is encoded; a
// few go round between those who read and those who ship.
type filling struct {
	batch      *schema.Batch
	quarantine schema.QuarantineBatch
}

// newFillings makes the fillings that wait to be filled: as many as there are, so many
// batches wait at most. Each takes its memory when it is first used.
func newFillings(n int) chan *filling {
	free := make(chan *filling, n)
	for range n {
		free <- &filling{}
	}
	return free
}

// reset empties the filling for a sealer, whose redactor cleans what repeats within a
// batch.
func (f *filling) reset(redactor *redact.Redactor) {
	if f.batch == nil {
		f.batch = schema.NewBatch()
	}
	f.batch.Reset()
	f.quarantine.Reset()
	f.batch.CleanDictionaries(redactor.Column)
	f.batch.CleanNames(redactor.Name)
}

// encoder turns what sealers hand on into blocks. That is the shippers' work, so that
// reading goes on meanwhile. Its blocks are valid until it is used again.
type encoder struct{ block, quarantine []byte }

// encode fills in the batch's blocks. The filling is not needed after it.
func (e *encoder) encode(s *Sealed) error {
	var err error
	e.block, e.quarantine = e.block[:0], e.quarantine[:0]
	rows, quarantined := s.filling.batch.Rows(), s.filling.quarantine.Rows()
	if rows > 0 {
		if e.block, err = s.filling.batch.AppendBlock(e.block); err != nil {
			return fmt.Errorf("seal batch: %w", err)
		}
	}
	if quarantined > 0 {
		if e.quarantine, err = s.filling.quarantine.AppendBlock(e.quarantine); err != nil {
			return fmt.Errorf("seal batch: %w", err)
		}
	}
	s.Events = schema.RawFrames(e.block, rows)
	s.Quarantine = schema.RawFrames(e.quarantine, quarantined)
	return nil
}
