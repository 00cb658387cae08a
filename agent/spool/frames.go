package spool

import (
	"fmt"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/crmwatch/crmwatch/schema"
)

// Compression says how blocks are kept. The frames are ClickHouse's own, so that
// they are inserted as they are.
type Compression string

// The ways to keep a block. None keeps it as it is, without frames.
const (
	None Compression = "none"
	LZ4  Compression = "lz4"
	ZSTD Compression = "zstd"
)

// frameSize is how much of a block goes into one compressed frame: what ClickHouse
// itself takes.
const frameSize = 1 << 20

// framer compresses blocks. It is not safe for concurrent use.
type framer struct{ writer *compress.Writer }

func newFramer(c Compression) (*framer, error) {
	switch c {
	case None:
		return &framer{}, nil
	case LZ4, "":
		return &framer{compress.NewWriter(compress.LevelZero, compress.LZ4)}, nil
	case ZSTD:
		return &framer{compress.NewWriter(compress.LevelZero, compress.ZSTD)}, nil
	}
	return nil, fmt.Errorf("spool compression %q: use none, lz4 or zstd", c)
}

// append appends the block as it is kept to dst and says whether it is in frames.
func (f *framer) append(dst []byte, block schema.Frames) ([]byte, bool, error) {
	if block.Rows == 0 {
		return dst, false, nil
	}
	if f.writer == nil || block.Framed {
		return append(dst, block.Data...), block.Framed, nil
	}
	for rest := block.Data; len(rest) > 0; {
		n := min(len(rest), frameSize)
		if err := f.writer.Compress(rest[:n]); err != nil {
			return dst, false, fmt.Errorf("compress block: %w", err)
		}
		dst, rest = append(dst, f.writer.Data...), rest[n:]
	}
	return dst, true, nil
}
