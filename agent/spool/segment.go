package spool

import (
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// The extensions of a segment: what state it is in.
const (
	extTemporary  = ".tmp"
	extOpen       = ".open"
	extReady      = ".ready"
	extAcked      = ".acked"
	extDamaged    = ".damaged"
	extForeign    = ".foreign"
	extDuplicate  = ".duplicate"
	extUnreadable = ".unreadable"
)

// segment is one file of records.
type segment struct {
	info segmentInfo
	base string // name without extension
	ext  string
	// cipher is nil for a segment that is not encrypted.
	cipher *segmentCipher
	// first and last are sequence numbers of readable records; last is below first when
	// there are none.
	first, last uint64
	batches     int
	rows        int64
	// durable is how far records are synced, size how far they are written.
	durable, size int64
	counter       uint32
	oldest        time.Time
	ackedAt       time.Time
	damaged       bool

	file   File // of the active segment
	reader File
}

func segmentBase(number uint64) string { return fmt.Sprintf("%016d", number) }

func (g *segment) name() string { return g.base + g.ext }

func (g *segment) closeReader() {
	if g.reader != nil {
		g.reader.Close()
		g.reader = nil
	}
}

// rename gives the segment another state.
func (s *Spool) rename(g *segment, ext string) error {
	if g.ext == ext {
		return nil
	}
	if err := s.FS.Rename(g.name(), g.base+ext); err != nil {
		return fmt.Errorf("rename segment %s: %w", g.name(), err)
	}
	g.ext = ext
	return nil
}

// begin makes a new segment: complete and durable before it has its name.
func (s *Spool) begin(first uint64) (*segment, error) {
	g := &segment{ext: extOpen, first: first, last: first - 1, size: segmentHeader, durable: segmentHeader}
	g.info = segmentInfo{number: s.number + 1, first: first, agentUID: s.agentUID, created: s.Now()}
	g.base = segmentBase(g.info.number)
	if len(s.keys) > 0 {
		var err error
		if g.info.keyID, err = keyID(s.keys[0]); err != nil {
			return nil, err
		}
		if g.info.salt, err = newSalt(); err != nil {
			return nil, fmt.Errorf("begin segment: %w", err)
		}
		g.info.encrypted = true
		if g.cipher, err = newCipher(s.keys[0], &g.info); err != nil {
			return nil, err
		}
	}
	temporary := g.base + extTemporary
	file, err := s.FS.Create(temporary)
	if err != nil {
		return nil, fmt.Errorf("begin segment: %w", err)
	}
	err = writeAll(file, g.info.encode(), 0)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = s.FS.Rename(temporary, g.name())
	}
	if err == nil {
		if err = s.FS.SyncFolder(); err != nil {
			// It may or may not be there after a crash; without records it is nothing.
			_ = s.FS.Remove(g.name())
		}
	}
	if err != nil {
		file.Close()
		_ = s.FS.Remove(temporary)
		return nil, fmt.Errorf("begin segment: %w", err)
	}
	g.file = file
	return g, nil
}

// writeAll writes b at an offset, however little is taken at a time.
func writeAll(f io.WriterAt, b []byte, at int64) error {
	idle := 0
	for len(b) > 0 {
		n, err := f.WriteAt(b, at)
		if n < 0 || n > len(b) {
			return fmt.Errorf("write took %d of %d bytes", n, len(b))
		}
		b, at = b[n:], at+int64(n)
		switch {
		case len(b) == 0:
			return nil
		case n > 0 && (err == nil || isInterrupted(err)):
			idle = 0
		case err != nil && !isInterrupted(err):
			return err
		default:
			if idle++; idle > 100 {
				return io.ErrShortWrite
			}
		}
	}
	return nil
}

// readFull reads len(b) bytes at an offset.
func readFull(f io.ReaderAt, b []byte, at int64) error {
	for idle := 0; len(b) > 0; {
		n, err := f.ReadAt(b, at)
		b, at = b[n:], at+int64(n)
		if len(b) == 0 {
			return nil
		}
		if n == 0 {
			idle++
		}
		if err != nil && !isInterrupted(err) {
			return err
		}
		if idle > 100 {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// metaOf takes the meta out of the bytes behind a record's header.
func metaOf(c *segmentCipher, r *recordInfo, stored []byte) ([]byte, bool) {
	if crc32.Checksum(stored, castagnoli) != r.metaCRC {
		return nil, false
	}
	meta, err := c.open(r, partMeta, stored)
	return meta, err == nil
}
