package simulate

import (
	"fmt"
	"io"
	"math/bits"
	"math/rand/v2"
)

// Limit ends a stream of records at so many rows, or after the record that
// reaches so many bytes, whichever comes first; zero sets no limit.
type Limit struct {
	Rows  int64
	Bytes int64
}

// stream writes records through a buffer until the limit, and keeps count.
type stream struct {
	out         io.Writer
	limit       Limit
	buffer      []byte
	rows, bytes int64
	// chance is the stream's own; see below and letters.
	chance *rand.PCG
}

// streamBuffer is how many bytes are given to the writer at a time.
const streamBuffer = 256 << 10

func newStream(out io.Writer, limit Limit, seed uint64) (*stream, error) {
	if limit.Rows <= 0 && limit.Bytes <= 0 {
		return nil, fmt.Errorf("no limit: give a number of rows or bytes")
	}
	return &stream{out: out, limit: limit, buffer: make([]byte, 0, streamBuffer+64<<10), chance: rand.NewPCG(seed, 0x637277)}, nil
}

// more is whether another record may be appended to the buffer.
func (s *stream) more() bool {
	return (s.limit.Rows <= 0 || s.rows < s.limit.Rows) && (s.limit.Bytes <= 0 || s.bytes+int64(len(s.buffer)) < s.limit.Bytes)
}

// wrote counts a record that was appended, and empties a full buffer.
func (s *stream) wrote() error {
	s.rows++
	if len(s.buffer) < streamBuffer {
		return nil
	}
	return s.flush()
}

func (s *stream) flush() error {
	n, err := s.out.Write(s.buffer)
	s.bytes += int64(n)
	s.buffer = s.buffer[:0]
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return nil
}

// below draws from 0 to n-1.
func (s *stream) below(n int) int {
	high, _ := bits.Mul64(s.chance.Uint64(), uint64(n))
	return int(high)
}

// letters appends n letters of the alphabet, which has at most 64: ten to a draw.
func (s *stream) letters(to []byte, n int, alphabet string) []byte {
	var v uint64
	for i := range n {
		if i%10 == 0 {
			v = s.chance.Uint64()
		}
		to = append(to, alphabet[int(v&63)*len(alphabet)>>6])
		v >>= 6
	}
	return to
}
