package schema

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
)

// Delivery is a sealed batch on its way from an agent to ClickHouse. Its bytes
// never change, however often it is sent.
type Delivery struct {
	// AgentUID names one life of an agent's state folder; Sequence counts its batches
	// from 1. Sequence is 0 for a load that keeps no spool.
	AgentUID string
	Sequence uint64
	// Sealed is when the agent sealed the batch, by its own clock.
	Sealed             time.Time
	Events, Quarantine Frames
}

// Frames is a Native block (protocol revision 0), as it is or in the frames in
// which ClickHouse compresses.
type Frames struct {
	Rows int
	// Size is the length of the raw block in bytes, Hash the XXH3-128 of it.
	Size int
	Hash [16]byte
	Data []byte
	// Framed says that Data is a run of compressed frames, each with its checksum.
	Framed bool
}

// RawFrames wraps a block that is not compressed. A block of no rows is empty.
func RawFrames(block []byte, rows int) Frames {
	if rows == 0 {
		return Frames{}
	}
	return Frames{Rows: rows, Size: len(block), Hash: HashBlock(block), Data: block}
}

// HashBlock is the hash by which a block is known.
func HashBlock(block []byte) [16]byte { return xxh3.Hash128(block).Bytes() }

// Token names one of the delivery's blocks for ClickHouse's insert deduplication.
// The hash belongs in it: an insert with a known token and other data would be
// dropped in silence.
func (d *Delivery) Token(f *Frames) string {
	return d.AgentUID + ":" + strconv.FormatUint(d.Sequence, 10) + ":" + hex.EncodeToString(f.Hash[:])
}
