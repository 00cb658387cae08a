package agent

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"github.com/zeebo/xxh3"
	"golang.org/x/sys/unix"

	"github.com/crmwatch/crmwatch/schema"
)

// Sizes of the two fingerprints of a file. The head alone is not an identity (all
// exports of a kind begin alike), nor is the inode (ext4 gives it out again at
// once); head, inode, birth time and the bytes before the offset together are.
const (
	headSize   = 1 << 10
	markerSize = 4 << 10
)

// SourcePosition is how far one file is covered by batches: what has to be durable
// to go on after a crash. For a followed log it is one generation: one life of a
// file, across renames. For a finished export it says that the file is done.
type SourcePosition struct {
	// ID is the generation's id, or the export's identity.
	ID     string `json:"id"`
	Source string `json:"source"`
	// Path is where the file was first seen.
	Path   string `json:"path"`
	Export bool   `json:"export,omitempty"`
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	// Birth is the file's creation in nanoseconds since 1970; 0 where the file
	// system does not tell.
	Birth int64 `json:"birth,omitempty"`
	// Size and ModTime (nanoseconds since 1970) are those of a loaded export.
	Size    int64 `json:"size,omitempty"`
	ModTime int64 `json:"mod_time,omitempty"`
	// Head is the hash of the file's first HeadLength bytes.
	HeadLength int64  `json:"head_length,omitempty"`
	Head       string `json:"head,omitempty"`
	// Offset is where the next record starts, Line how many lines stand before it; -1
	// where they were not counted.
	Offset int64 `json:"offset"`
	Line   int64 `json:"line,omitempty"`
	// Marker is the hash of the last markerSize bytes before Offset, or of fewer at
	// the start of a file.
	Marker string `json:"marker,omitempty"`
	Format string `json:"format,omitempty"`
	// Ended generations are read to their end; they are kept to recognise copies.
	Ended bool `json:"ended,omitempty"`
	// Sequence is the batch in which the file was covered last, 0 without a spool.
	Sequence uint64 `json:"sequence,omitempty"`
	// SeenAt is when the file was last seen, in seconds since 1970.
	SeenAt int64 `json:"seen_at,omitempty"`
}

func (p *SourcePosition) identity() identity { return identity{p.Device, p.Inode} }

func fingerprint(b []byte) string {
	sum := xxh3.Hash128(b).Bytes()
	return hex.EncodeToString(sum[:])
}

// readRange reads [from, to) of f; fewer bytes when the file is shorter.
func readRange(f *os.File, from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	n, err := f.ReadAt(b, from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// nameOf is the id of the file's life that begins with first.
func (p *SourcePosition) nameOf(first []byte, life int) string {
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		first = first[:end]
	}
	var id schema.UIDHasher
	id.Part("generation")
	id.Part(p.Source)
	id.Number(p.Device)
	id.Number(p.Inode)
	id.Number(uint64(p.Birth))
	id.Part(string(first))
	id.Number(uint64(life))
	return id.Sum().String()
}

// wasNamedBy says whether the generation got its id from a file that begins with
// first. It stands in for the fingerprints while none of the file is stored for sure.
func (p *SourcePosition) wasNamedBy(first []byte) bool {
	const lives = 8
	for life := range lives {
		if p.nameOf(first, life) == p.ID {
			return true
		}
	}
	return false
}

// matches says whether f begins with what the position's generation read: its head
// and the bytes before its offset are the same, or, at offset 0, its first line.
func (p *SourcePosition) matches(f *os.File, size int64) (bool, error) {
	if size < p.Offset {
		return false, nil
	}
	if p.Offset == 0 {
		first, err := readRange(f, 0, headSize)
		return err == nil && len(first) > 0 && p.ID != "" && p.wasNamedBy(first), err
	}
	head, err := readRange(f, 0, p.HeadLength)
	if err != nil || int64(len(head)) != p.HeadLength || fingerprint(head) != p.Head {
		return false, err
	}
	return p.markerMatches(f)
}

func (p *SourcePosition) markerMatches(f *os.File) (bool, error) {
	from := max(0, p.Offset-markerSize)
	before, err := readRange(f, from, p.Offset)
	if err != nil || int64(len(before)) != p.Offset-from {
		return false, err
	}
	return fingerprint(before) == p.Marker, nil
}

// fileState is what fstat and statx say about an open file.
type fileState struct {
	identity
	birth           int64
	size            int64
	modTime, change int64
	links           uint64
}

func stateOf(f *os.File) (fileState, error) {
	var s unix.Statx_t
	const want = unix.STATX_BASIC_STATS | unix.STATX_BTIME
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, want, &s); err != nil {
		return fileState{}, os.NewSyscallError("statx", err)
	}
	state := fileState{
		identity: identity{unix.Mkdev(s.Dev_major, s.Dev_minor), s.Ino},
		size:     int64(s.Size),
		modTime:  s.Mtime.Sec*1e9 + int64(s.Mtime.Nsec),
		change:   s.Ctime.Sec*1e9 + int64(s.Ctime.Nsec),
		links:    uint64(s.Nlink),
	}
	if s.Mask&unix.STATX_BTIME != 0 {
		state.birth = s.Btime.Sec*1e9 + int64(s.Btime.Nsec)
	}
	return state, nil
}
