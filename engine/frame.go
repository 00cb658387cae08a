package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-faster/city"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// ClickHouse's compressed frame (src/Compression/CompressedReadBufferBase.cpp): a 16-byte CityHash128 (version 1.0.2) of
// the rest, then one byte for the method, the compressed size with these 9 bytes in it, the plain size, the data.
const (
	frameChecksumBytes = 16
	frameHeaderBytes   = 9
	frameMaxBytes      = 128 << 20 // both sizes; ClickHouse itself allows 1 GiB
	frameStepBytes     = 4 << 20
	frameNone          = 0x02
	frameLZ4           = 0x82
	frameZSTD          = 0x90
)

var errFrameChecksum = errors.New("checksum of a compressed frame does not match")

// frameReader decodes a series of frames. A series that ends inside a frame is io.ErrUnexpectedEOF.
type frameReader struct {
	source io.Reader
	head   [frameChecksumBytes + frameHeaderBytes]byte
	packed []byte // header and compressed data of the current frame
	plain  []byte
	unread []byte
	zstd   *zstd.Decoder
}

func (f *frameReader) Read(data []byte) (int, error) {
	for len(f.unread) == 0 {
		if err := f.nextFrame(); err != nil {
			return 0, err
		}
	}
	n := copy(data, f.unread)
	f.unread = f.unread[n:]
	return n, nil
}

func (f *frameReader) nextFrame() error {
	if _, err := io.ReadFull(f.source, f.head[:]); err != nil {
		return err
	}
	header := f.head[frameChecksumBytes:]
	packedSize, plainSize := int(binary.LittleEndian.Uint32(header[1:])), int(binary.LittleEndian.Uint32(header[5:]))
	if packedSize < frameHeaderBytes || packedSize > frameMaxBytes || plainSize > frameMaxBytes {
		return fmt.Errorf("sizes of a compressed frame are out of range: %d, %d bytes", packedSize, plainSize)
	}
	f.packed = append(f.packed[:0], header...)
	// The announced size is not trusted with memory before that much data has come.
	for len(f.packed) < packedSize {
		start := len(f.packed)
		f.packed = slices.Grow(f.packed, min(packedSize-start, frameStepBytes))[:start+min(packedSize-start, frameStepBytes)]
		if _, err := io.ReadFull(f.source, f.packed[start:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	sum := city.CH128(f.packed)
	if binary.LittleEndian.Uint64(f.head[0:]) != sum.Low || binary.LittleEndian.Uint64(f.head[8:]) != sum.High {
		return errFrameChecksum
	}
	f.plain = grow(f.plain, plainSize)
	if err := f.unpack(header[0], f.packed[frameHeaderBytes:]); err != nil {
		return err
	}
	f.unread = f.plain
	return nil
}

func (f *frameReader) unpack(method byte, packed []byte) error {
	size := 0
	switch method {
	case frameNone:
		if size = len(packed); size == len(f.plain) {
			copy(f.plain, packed)
		}
	case frameLZ4:
		n, err := lz4.UncompressBlock(packed, f.plain)
		if err != nil {
			return fmt.Errorf("decode LZ4 frame: %w", err)
		}
		size = n
	case frameZSTD:
		if f.zstd == nil {
			f.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(frameMaxBytes)) // valid options
		}
		plain, err := f.zstd.DecodeAll(packed, f.plain[:0])
		if err != nil {
			return fmt.Errorf("decode ZSTD frame: %w", err)
		}
		size = len(plain)
	default:
		return fmt.Errorf("unknown method 0x%02x of a compressed frame", method)
	}
	if size != len(f.plain) {
		return fmt.Errorf("compressed frame holds %d bytes and not the %d that it announces", size, len(f.plain))
	}
	return nil
}

// grow returns a slice of the given length, reusing the old memory where it is large enough.
func grow(data []byte, length int) []byte {
	if cap(data) < length {
		return make([]byte, length)
	}
	return data[:length]
}
