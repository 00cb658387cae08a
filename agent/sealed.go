package agent

import (
	"encoding/hex"

	"github.com/zeebo/xxh3"
)

// Sealed is a batch that never changes any more: what a spool keeps and what Ship
// hands on. Its byte slices are valid until Ship returns.
type Sealed struct {
	// Block is a Native block for the table events; empty when Rows is 0.
	Block []byte
	Rows  int
	// Token is the same for the same block, and different for any other.
	Token string
	// Quarantine is a Native block for the table quarantine, with a token of its own.
	Quarantine      []byte
	QuarantineRows  int
	QuarantineToken string
	// Positions says how far the batch, with all before it, covers its sources.
	Positions []SourcePosition

	buffer *sealBuffer
	counts []sourceCount
}

// sourceCount is what one batch holds of one source.
type sourceCount struct {
	source              string
	events, quarantined int64
}

// sealBuffer is the memory of one sealed batch on its way; a few go round.
type sealBuffer struct{ block, quarantine []byte }

// token names a block for ClickHouse's insert deduplication. The hash belongs in
// it: an insert with a known token and other data would be dropped in silence.
func token(agentUID string, block []byte) string {
	if len(block) == 0 {
		return ""
	}
	sum := xxh3.Hash128(block).Bytes()
	return agentUID + ":" + hex.EncodeToString(sum[:])
}
