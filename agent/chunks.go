package agent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// chunkSize is how much of a large file one worker reads at a time. A file of fewer
// than chunkedFrom chunks is read by one alone.
const (
	chunkSize   = 512 << 10
	chunkedFrom = 16
)

// chunk is a stretch of a file that seems to begin and end with a record.
type chunk struct {
	data []byte
	at   formats.Position
	// before says whether every chunk before this one was right, after whether this one
	// was, too.
	before <-chan bool
	after  chan bool
	right  bool
}

// chunkReading reads one large file with several workers. Where records begin is
// guessed from line ends and quotes. A chunk counts only when all before it were
// right, and when its own decoder came out exactly at its end without a header, and
// without a record that hints at a wrong guess; what follows a wrong guess is read
// again by one decoder, from the first doubtful chunk to the end of the file. So the
// result is what one decoder alone would read.
type chunkReading struct {
	file *fileReading
	// head is what stands before the first record; every decoder has to see it.
	head []byte
	size int
	jobs chan *chunk
	free chan []byte
	// wrong is closed when a chunk is not right.
	wrong chan struct{}
	once  sync.Once
	// mu guards the file's report, times and error while workers run.
	mu sync.Mutex
}

// chunkWorker reads chunks for a file into a sealer of its own.
type chunkWorker struct {
	fileReading
	of      *chunkReading
	decoder formats.Chunked
	mark    schema.Mark
}

// canChunk says whether the rest of the file, whose first block is read, is for
// several workers. A block with bad records may have left its decoder out of step.
func (f *fileReading) canChunk() bool {
	size := cmp.Or(f.chunkSize, chunkSize)
	_, chunked := f.decoder.(formats.Chunked)
	return chunked && len(f.helpers) > 0 && f.firstEvent >= 0 && f.report.Quarantined == 0 && f.input.Size >= chunkedFrom*int64(size)
}

// decoderAt is a decoder that has seen the head and goes on at p; nil when the head
// does not stand for itself.
func (r *chunkReading) decoderAt(p formats.Position) formats.Chunked {
	d := r.file.newDecoder().(formats.Chunked)
	if used, err := contained(d, r.head, false, ignore{}); err != nil || used != len(r.head) {
		return nil
	}
	d.Seek(p)
	return d
}

// ignore is a sink for what was read before.
type ignore struct{}

func (ignore) Event(*schema.Event)      {}
func (ignore) Reject(formats.Rejection) {}

// readChunks reads on with several workers, as far as that goes. What is left is in
// the buffer, for the decoder that the file has then.
func (f *fileReading) readChunks(ctx context.Context, head []byte, line int64) (atEOF bool, err error) {
	r := &chunkReading{file: f, head: head, size: cmp.Or(f.chunkSize, chunkSize), wrong: make(chan struct{})}
	at := formats.Position{Offset: f.offset, Line: line}
	f.resolve()
	f.stopped = func() bool { return context.Cause(ctx) != nil }
	workers := make([]*chunkWorker, 1+len(f.helpers))
	for i := range workers {
		own := *f.reader
		if i > 0 {
			own.redactor, own.sealer = f.helpers[i-1].redactor, f.helpers[i-1].sealer
			own.privacy = f.privacy.Clone()
		}
		w := &chunkWorker{of: r, decoder: r.decoderAt(at)}
		w.fileReading = fileReading{reader: &own, input: f.input, name: f.name, identified: f.identified, chunked: true, stopped: f.stopped,
			unresolved: own.sealer.batch.Rows(), seal: func() error { return own.sealer.seal(ctx) }}
		if w.decoder == nil {
			return f.fill(blockSize)
		}
		workers[i] = w
	}
	r.jobs, r.free = make(chan *chunk), make(chan []byte, len(workers)+2)
	for range cap(r.free) {
		r.free <- make([]byte, 0, 2*r.size)
	}
	var running sync.WaitGroup
	for _, w := range workers {
		running.Go(func() {
			for c := range r.jobs {
				w.read(c)
			}
		})
	}
	chunks, tail, atEOF, err := r.cut(at)
	close(r.jobs)
	running.Wait()
	for i, w := range workers {
		w.resolve()
		if i > 0 && f.err == nil {
			f.err = w.seal()
		}
	}
	f.unresolved = f.sealer.batch.Rows()
	var rest []byte
	for _, c := range chunks {
		if c.right {
			continue
		}
		if rest == nil {
			at = c.at
		}
		rest = append(rest, c.data...)
	}
	if rest == nil {
		at = tail.at
	}
	rest = append(rest, tail.data...)
	f.decoder = r.decoderAt(at)
	f.buf, f.start, f.end, f.offset = rest, 0, len(rest), at.Offset
	f.report.Bytes = f.offset
	return atEOF, err
}

// cut hands out chunks until the file ends, a guess was wrong, or no record ends in a
// chunk. It returns the chunks that may not have been accepted, and what follows them.
func (r *chunkReading) cut(at formats.Position) (chunks []*chunk, tail chunk, atEOF bool, err error) {
	f := r.file
	tail = chunk{data: slices.Clone(f.buf[f.start:f.end]), at: at}
	quoted := f.decoder.(formats.Chunked).Quoted()
	before := make(chan bool, 1)
	before <- true
	for !f.stopped() {
		var data []byte
		select {
		case data = <-r.free:
		case <-r.wrong:
			return chunks, tail, false, nil
		}
		data = append(data[:0], tail.data...)
		for target := len(data) + r.size; len(data) < target; {
			n, readErr := f.stream.Read(data[len(data):min(cap(data), target)])
			data = data[:len(data)+n]
			if readErr != nil {
				if errors.Is(readErr, io.EOF) {
					readErr = nil
				}
				tail.data = data
				return chunks, tail, true, readErr
			}
		}
		end := lastRecordEnd(data, quoted)
		if end == 0 || len(data)-end > r.size {
			tail.data = data
			return chunks, tail, false, nil
		}
		c := &chunk{data: data[:end], at: tail.at, before: before, after: make(chan bool, 1)}
		before = c.after
		tail.data = append(tail.data[:0], data[end:]...)
		tail.at.Offset += int64(end)
		tail.at.Line += int64(bytes.Count(c.data, []byte{'\n'}))
		for len(chunks) > cap(r.free) { // those before have given their buffers back
			chunks = chunks[1:]
		}
		chunks = append(chunks, c)
		r.jobs <- c
		r.mu.Lock()
		f.tellMore()
		r.mu.Unlock()
	}
	return chunks, tail, false, nil
}

// lastRecordEnd is where the last record in data ends that seems to end in it: at a
// line's end, behind an even number of quotes if that matters. 0 means that there is
// none.
func lastRecordEnd(data []byte, quoted bool) int {
	end := bytes.LastIndexByte(data, '\n') + 1
	if !quoted {
		return end
	}
	for odd := bytes.Count(data[:end], []byte{'"'})%2 != 0; end > 0 && odd; {
		before := bytes.LastIndexByte(data[:end-1], '\n') + 1
		if bytes.Count(data[before:end], []byte{'"'})%2 != 0 {
			odd = false
		}
		end = before
	}
	return end
}

// read reads one chunk, and keeps what it read if that is right.
func (w *chunkWorker) read(c *chunk) {
	w.sealer.batch.Mark(&w.mark)
	w.report, w.times, w.held, w.outside, w.offset = &FileReport{}, timeRange{}, w.held[:0], outside{}, c.at.Offset
	headers := w.decoder.Headers()
	w.decoder.Seek(c.at)
	used, err := contained(w.decoder, c.data, false, &fileSink{fileReading: &w.fileReading, data: c.data})
	right := err == nil && used == len(c.data) && w.decoder.Headers() == headers
	for i := range w.held {
		switch w.held[i].Reason {
		case formats.ReasonQuote, formats.ReasonCut, formats.ReasonTooLong, formats.ReasonNotText, formats.ReasonHeader, formats.ReasonColumnCount:
			right = false
		}
	}
	c.right = <-c.before && right && w.err == nil && !w.stopped()
	if !c.right {
		w.sealer.batch.Rewind(&w.mark)
		if w.report.Events > 0 {
			w.sealer.count(w.source).events -= w.report.Events
		}
		w.of.once.Do(func() { close(w.of.wrong) })
		c.after <- false
		return
	}
	w.accept()
	c.after <- true
	w.of.free <- c.data
	if w.sealer.full() {
		w.resolve()
		w.err = w.seal()
		w.unresolved = 0
		if w.err != nil {
			w.of.mu.Lock()
			w.of.file.err = w.err
			w.of.mu.Unlock()
		}
	}
}

// accept adds what the chunk held to the file. Chunks are accepted in the file's order.
func (w *chunkWorker) accept() {
	sink := &fileSink{fileReading: &w.fileReading}
	for _, r := range w.held {
		sink.quarantine(r)
	}
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	into, from := w.of.file.report, w.report
	into.Events += from.Events
	into.Quarantined += from.Quarantined
	into.Records += from.Records
	into.Filtered += from.Filtered
	if w.outside.any {
		w.of.file.outside.note(uint64(w.outside.offset), w.outside.detail)
	}
	for reason, n := range from.Reasons {
		if into.Reasons == nil {
			into.Reasons = map[string]int64{}
		}
		into.Reasons[reason] += n
	}
	if into.FirstRejection == "" {
		into.FirstRejection = from.FirstRejection
	}
	if w.times.any {
		w.of.file.times.add(w.times.min)
		w.of.file.times.add(w.times.max)
	}
}
