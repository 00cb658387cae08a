package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// The layout of a segment, all numbers little endian. It begins with its header and
// holds records one after the other.
const (
	segmentMagic   = "CRMWSEG1"
	formatVersion  = 1
	segmentHeader  = 128
	recordMagic    = 0x31525743 // "CWR1"
	recordHeader   = 104
	maxMeta        = 64 << 20
	maxPayload     = 1 << 30
	flagEncrypted  = 1
	agentUIDLength = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentInfo is the header of a segment.
//
//	 0 magic  8 version u16  10 flags u16  12 unused u32  16 number u64  24 first u64
//	32 agent uid [16]  48 key id [8]  56 salt [32]  88 created i64  96 unused  124 crc32c
type segmentInfo struct {
	number, first uint64
	agentUID      string
	encrypted     bool
	keyID         [8]byte
	salt          [32]byte
	created       time.Time
}

func (s *segmentInfo) encode() []byte {
	b := make([]byte, segmentHeader)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint16(b[8:], formatVersion)
	if s.encrypted {
		binary.LittleEndian.PutUint16(b[10:], flagEncrypted)
	}
	binary.LittleEndian.PutUint64(b[16:], s.number)
	binary.LittleEndian.PutUint64(b[24:], s.first)
	copy(b[32:48], s.agentUID)
	copy(b[48:56], s.keyID[:])
	copy(b[56:88], s.salt[:])
	binary.LittleEndian.PutUint64(b[88:], uint64(s.created.UnixNano()))
	binary.LittleEndian.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
	return b
}

var errDamagedHeader = errors.New("its header is damaged")

// NewerFormatError is a segment of a later crmwatch, which is left as it is.
type NewerFormatError struct {
	Segment string
	Version int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("segment %s is of a newer crmwatch (format %d, this one reads %d): run that one", e.Segment, e.Version, formatVersion)
}

func decodeSegment(name string, b []byte) (segmentInfo, error) {
	if len(b) < segmentHeader || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:124], castagnoli) != binary.LittleEndian.Uint32(b[124:]) {
		return segmentInfo{}, errDamagedHeader
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v != formatVersion {
		return segmentInfo{}, &NewerFormatError{name, int(v)}
	}
	s := segmentInfo{
		number:    binary.LittleEndian.Uint64(b[16:]),
		first:     binary.LittleEndian.Uint64(b[24:]),
		agentUID:  string(b[32:48]),
		encrypted: binary.LittleEndian.Uint16(b[10:])&flagEncrypted != 0,
		created:   time.Unix(0, int64(binary.LittleEndian.Uint64(b[88:]))),
	}
	copy(s.keyID[:], b[48:56])
	copy(s.salt[:], b[56:88])
	return s, nil
}

// recordInfo is the header of a record; meta and payload follow it.
//
//	 0 magic u32  4 crc32c of 8..104  8 sequence u64  16 sealed i64  24 meta length u32  28 meta crc u32
//	32 payload length u32  36 payload crc u32  40 events rows u32  44 quarantine rows u32
//	48 events size u32  52 quarantine size u32  56 events length u32  60 counter u32
//	64 events hash [16]  80 quarantine hash [16]  96 framed u32  100 unused
//
// Lengths are of the bytes as they are stored, sizes of the raw blocks. The counter
// is the record's place in its segment and makes its nonces.
type recordInfo struct {
	sequence                       uint64
	sealed                         time.Time
	metaLength, payloadLength      int
	metaCRC, payloadCRC            uint32
	eventsRows, quarantineRows     int
	eventsSize, quarantineSize     int
	eventsLength                   int
	counter                        uint32
	eventsHash, quarantineHash     [16]byte
	eventsFramed, quarantineFramed bool
}

func (r *recordInfo) length() int64 {
	return recordHeader + int64(r.metaLength) + int64(r.payloadLength)
}

func (r *recordInfo) put(b []byte) {
	clear(b[:recordHeader])
	le := binary.LittleEndian
	le.PutUint32(b, recordMagic)
	le.PutUint64(b[8:], r.sequence)
	le.PutUint64(b[16:], uint64(r.sealed.UnixNano()))
	le.PutUint32(b[24:], uint32(r.metaLength))
	le.PutUint32(b[28:], r.metaCRC)
	le.PutUint32(b[32:], uint32(r.payloadLength))
	le.PutUint32(b[36:], r.payloadCRC)
	le.PutUint32(b[40:], uint32(r.eventsRows))
	le.PutUint32(b[44:], uint32(r.quarantineRows))
	le.PutUint32(b[48:], uint32(r.eventsSize))
	le.PutUint32(b[52:], uint32(r.quarantineSize))
	le.PutUint32(b[56:], uint32(r.eventsLength))
	le.PutUint32(b[60:], r.counter)
	copy(b[64:80], r.eventsHash[:])
	copy(b[80:96], r.quarantineHash[:])
	var framed uint32
	if r.eventsFramed {
		framed |= 1
	}
	if r.quarantineFramed {
		framed |= 2
	}
	le.PutUint32(b[96:], framed)
	le.PutUint32(b[4:], crc32.Checksum(b[8:recordHeader], castagnoli))
}

// decodeRecord says whether a record's header stands at the start of b.
func decodeRecord(b []byte) (recordInfo, bool) {
	le := binary.LittleEndian
	if len(b) < recordHeader || le.Uint32(b) != recordMagic || le.Uint32(b[4:]) != crc32.Checksum(b[8:recordHeader], castagnoli) {
		return recordInfo{}, false
	}
	r := recordInfo{
		sequence:         le.Uint64(b[8:]),
		sealed:           time.Unix(0, int64(le.Uint64(b[16:]))),
		metaLength:       int(le.Uint32(b[24:])),
		metaCRC:          le.Uint32(b[28:]),
		payloadLength:    int(le.Uint32(b[32:])),
		payloadCRC:       le.Uint32(b[36:]),
		eventsRows:       int(le.Uint32(b[40:])),
		quarantineRows:   int(le.Uint32(b[44:])),
		eventsSize:       int(le.Uint32(b[48:])),
		quarantineSize:   int(le.Uint32(b[52:])),
		eventsLength:     int(le.Uint32(b[56:])),
		counter:          le.Uint32(b[60:]),
		eventsFramed:     le.Uint32(b[96:])&1 != 0,
		quarantineFramed: le.Uint32(b[96:])&2 != 0,
	}
	copy(r.eventsHash[:], b[64:80])
	copy(r.quarantineHash[:], b[80:96])
	if r.metaLength > maxMeta || r.payloadLength > maxPayload || r.eventsLength > r.payloadLength {
		return recordInfo{}, false
	}
	return r, true
}
