package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// scanner goes through the records of a segment. It reads headers, and of payloads
// only what lies between small ones.
type scanner struct {
	file   io.ReaderAt
	size   int64
	offset int64
	window []byte
	start  int64 // of the window
}

const scanWindow = 256 << 10

// bytesAt is up to n bytes at an offset; fewer at the end.
func (c *scanner) bytesAt(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), c.size-offset))
	if n <= 0 {
		return nil, nil
	}
	if offset < c.start || offset+int64(n) > c.start+int64(len(c.window)) {
		want := int(min(max(int64(n), scanWindow), c.size-offset))
		if cap(c.window) < want {
			c.window = make([]byte, want)
		}
		c.window, c.start = c.window[:want], offset
		if err := readFull(c.file, c.window, offset); err != nil {
			c.window = c.window[:0]
			return nil, fmt.Errorf("read segment at byte %d: %w", offset, err)
		}
	}
	at := int(offset - c.start)
	return c.window[at : at+n], nil
}

// found is one step of a scan.
type found struct {
	info   recordInfo
	offset int64
	// skipped bytes stand in front of the record and are none; at the end of the
	// segment there is no record behind them.
	skipped int64
	end     bool
}

// next finds the next record at or behind the offset. What is no record is skipped to
// the next place at which a whole one begins.
func (c *scanner) next() (found, error) {
	from := c.offset
	for at := from; ; at++ {
		var err error
		if at, err = c.magic(at); err != nil {
			return found{}, err
		}
		if at < 0 {
			c.offset = c.size
			return found{offset: c.size, skipped: c.size - from, end: true}, nil
		}
		header, err := c.bytesAt(at, recordHeader)
		if err != nil {
			return found{}, err
		}
		info, ok := decodeRecord(header)
		if ok && at+info.length() <= c.size {
			c.offset = at + info.length()
			return found{info: info, offset: at, skipped: at - from}, nil
		}
	}
}

// magic is where the next record may begin; -1 when there is none.
func (c *scanner) magic(at int64) (int64, error) {
	var magic [4]byte
	binary.LittleEndian.PutUint32(magic[:], recordMagic)
	for at+recordHeader <= c.size {
		b, err := c.bytesAt(at, scanWindow)
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, magic[:]); i >= 0 {
			if at += int64(i); at+recordHeader <= c.size {
				return at, nil
			}
			return -1, nil
		}
		at += int64(max(1, len(b)-len(magic)+1))
	}
	return -1, nil
}

// payloadIsWhole says whether a record's payload has its checksum.
func (c *scanner) payloadIsWhole(f *found) (bool, error) {
	at := f.offset + recordHeader + int64(f.info.metaLength)
	var sum uint32
	for rest := f.info.payloadLength; rest > 0; {
		b, err := c.bytesAt(at, min(rest, scanWindow))
		if err != nil {
			return false, err
		}
		sum = crc32.Update(sum, castagnoli, b)
		at, rest = at+int64(len(b)), rest-len(b)
	}
	return sum == f.info.payloadCRC, nil
}

// meta is the plain meta of a record; ok is false when it is damaged.
func (c *scanner) meta(key *segmentCipher, f *found) (meta []byte, ok bool, err error) {
	stored, err := c.bytesAt(f.offset+recordHeader, f.info.metaLength)
	if err != nil || len(stored) != f.info.metaLength {
		return nil, false, err
	}
	meta, ok = metaOf(key, &f.info, bytes.Clone(stored))
	return meta, ok, nil
}
