package engine

import (
	"context"
	"io"
	"sync"
)

// pieceBytes is how an INSERT's data goes to the engine: large enough that the call costs nothing, small enough that the
// engine's queue of 16 pieces stays in bounds.
const pieceBytes = 512 << 10

var pieces = sync.Pool{New: func() any { return new([pieceBytes]byte) }}

// run executes a statement without separate data and streams its answer.
func (s *server) run(out *response, ctx context.Context, q *request, c *connection, st statement) error {
	format := q.format
	if st.format != "" && st.insert == notInsert {
		format = st.format
	}
	out.setFormat(format)
	answer, err := c.start(st.text, q.format, q.parameters)
	if notStreamed(err) {
		return c.execute(st.text, q.format, q.parameters, func(data []byte, done progress) error {
			out.setSummary(done)
			if err := out.write(data); err != nil {
				return err
			}
			return out.finish()
		})
	}
	if err != nil {
		return err
	}
	defer answer.close()
	for {
		data, err := answer.next()
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !out.committed {
			out.setSummary(answer.progress)
		}
		if answer.ended {
			return out.finish()
		}
		if err := out.write(data); err != nil {
			return err
		}
	}
}

// insert streams data into the engine. Nothing is stored unless the body arrives whole: a body that breaks off cancels
// the insert, as does data that the format does not accept.
func (s *server) insert(out *response, q *request, c *connection, st statement, data io.Reader) error {
	insertion, err := c.insert(st.text, st.format, q.parameters)
	if err != nil {
		return err
	}
	piece := pieces.Get().(*[pieceBytes]byte)
	defer pieces.Put(piece)
	for {
		n, err := fill(data, piece[:])
		if err != nil && err != io.EOF {
			insertion.cancel()
			return err
		}
		if !insertion.append(piece[:n]) || err == io.EOF {
			break
		}
	}
	written, err := insertion.finish()
	if err != nil {
		return err
	}
	out.setSummary(written)
	return out.finish()
}

// fill reads until the buffer is full or the data ends; io.EOF comes with the last bytes.
func fill(r io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var m int
		m, err = r.Read(buffer[n:])
		n += m
	}
	return n, err
}
