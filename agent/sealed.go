package agent

import "github.com/crmwatch/crmwatch/schema"

// Sealed is a batch that never changes any more: what a spool keeps and what Ship
// hands on. Its byte slices are valid until Ship returns.
type Sealed struct {
	// Events is a Native block for the table events, Quarantine one for the table
	// quarantine; either may have no rows.
	Events, Quarantine schema.Frames
	// Positions says how far the batch, with all before it, covers its sources.
	Positions []SourcePosition

	buffer *sealBuffer
	counts []sourceCount
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

// sealBuffer is the memory of one sealed batch on its way; a few go round.
type sealBuffer struct{ block, quarantine []byte }
