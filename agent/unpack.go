package agent

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits on unpacking: a real log shrinks to a tenth or a thirtieth; an archive
// that grows a hundredfold was made to fill memory or disk.
const (
	maxRatio = 100
	// ratioFreeBytes may come out of any archive, however small it is.
	ratioFreeBytes = 64 << 20
	// DefaultMaxUnpacked is the most that is read out of one packed file, in bytes.
	DefaultMaxUnpacked = 64 << 30
	// zstdMemory bounds the window that a zstd frame may ask for.
	zstdMemory = 128 << 20
)

type packing string

const (
	packedNot  packing = ""
	packedGzip packing = "gzip"
	packedZip  packing = "zip"
	packedZstd packing = "zstd"
)

// packedAs tells the packing from a file's first bytes.
func packedAs(head []byte) packing {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return packedGzip
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return packedZip
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return packedZstd
	}
	return packedNot
}

// stream is the unpacked content of an input.
type stream struct {
	io.Reader
	file *os.File
	// packed names the packings from the outside in, such as "zip, gzip".
	packed  string
	onDisk  *counter
	closers []func() error
}

// counter counts the bytes that pass through it.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// openStream opens an input and unpacks it. maxUnpacked <= 0 means the default.
func openStream(in Input, maxUnpacked int64) (*stream, error) {
	f, info, err := openInside(in.Root, in.Path)
	if err != nil {
		return nil, err
	}
	s := &stream{file: f, closers: []func() error{f.Close}}
	if err := s.unpack(in, info.Size(), maxUnpacked); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *stream) unpack(in Input, size, maxUnpacked int64) error {
	if maxUnpacked <= 0 {
		maxUnpacked = DefaultMaxUnpacked
	}
	s.onDisk = &counter{Reader: s.file}
	if in.Member != "" {
		member, err := openMember(s.file, size, in.Member)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, member.Close)
		// What a member consumes on disk is not seen, so its whole packed size counts.
		s.onDisk = &counter{Reader: member, n: in.Size}
		s.packed = string(packedZip)
		s.Reader = &guard{Reader: s.onDisk, packed: func() int64 { return in.Size }, max: maxUnpacked}
	} else {
		s.Reader = s.onDisk
	}
	head := bufio.NewReaderSize(s.Reader, 128<<10)
	magic, err := head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	onDisk := func() int64 { return s.onDisk.n }
	switch packedAs(magic) {
	case packedGzip:
		z, err := gzip.NewReader(head)
		if err != nil {
			return fmt.Errorf("open gzip: %w", err)
		}
		s.addPacking(packedGzip)
		s.closers = append(s.closers, z.Close)
		s.Reader = &guard{Reader: z, packed: onDisk, max: maxUnpacked}
	case packedZstd:
		z, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(zstdMemory), zstd.WithDecoderMaxWindow(zstdMemory))
		if err != nil {
			return fmt.Errorf("open zstd: %w", err)
		}
		s.addPacking(packedZstd)
		s.closers = append(s.closers, func() error { z.Close(); return nil })
		s.Reader = &guard{Reader: z, packed: onDisk, max: maxUnpacked}
	case packedZip:
		return errors.New("it is an archive inside an archive: unpack it first")
	default:
		if in.Member == "" {
			// Nothing to unpack: read the file without a second copy.
			if _, err := s.file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			s.onDisk.n = 0
			s.Reader = s.onDisk
		} else {
			s.Reader = head
		}
	}
	return nil
}

func (s *stream) addPacking(p packing) {
	if s.packed != "" {
		s.packed += ", "
	}
	s.packed += string(p)
}

// diskBytes is how many bytes on disk were read, about.
func (s *stream) diskBytes() int64 { return s.onDisk.n }

// Close closes everything from the inside out.
func (s *stream) Close() error {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	return nil
}

func openMember(f *os.File, size int64, name string) (io.ReadCloser, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("open zip: %w", err)
	}
	for _, m := range z.File {
		if m.Name != name {
			continue
		}
		if m.Flags&1 != 0 {
			return nil, errors.New("it is encrypted: unpack the archive with its password first")
		}
		r, err := m.Open()
		if err != nil {
			return nil, fmt.Errorf("open zip member: %w", err)
		}
		return r, nil
	}
	return nil, errors.New("it is no longer in the archive")
}

// guard ends a stream that unpacks to more than its file can honestly hold.
type guard struct {
	io.Reader
	packed   func() int64
	max      int64
	unpacked int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	g.unpacked += int64(n)
	if g.unpacked > ratioFreeBytes && g.unpacked > maxRatio*g.packed() {
		return n, fmt.Errorf("it unpacks to more than %d times its size, as a decompression bomb does; reading stopped at %d MiB", maxRatio, g.unpacked>>20)
	}
	if g.unpacked > g.max {
		return n, fmt.Errorf("it unpacks to more than %d MiB; raise the limit or unpack and split it", g.max>>20)
	}
	return n, err
}
