package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// blockSize is how much of a file is read at a time.
const blockSize = 1 << 20

// reader reads whole files, one after the other, into one sealer. Its memory is
// the block, the longest record, and what ordinals remembers of one file.
type reader struct {
	source      string
	format      string
	options     formats.Options
	redactor    *redact.Redactor
	privacy     *redact.Privacy
	residency   *Residency
	sealer      *sealer
	maxUnpacked int64
	// progress is told how many more bytes on disk are done.
	progress func(bytesOnDisk int64, events, quarantined int64)
	// helpers read parts of a large file beside this reader, each into a sealer of its
	// own. chunkSize is how large the parts are; 0 means chunkSize.
	helpers   []helper
	chunkSize int

	ordinals *ordinals
	buf      []byte
}

// read reads one input to its end. What is wrong with the file goes into the
// report; an error is only about handing batches on.
func (r *reader) read(ctx context.Context, in Input) (FileReport, error) {
	report := FileReport{File: in.Name, Status: in.Status, Reason: in.Refused}
	if in.Refused != "" {
		r.tell(in.Size, &report)
		return report, nil
	}
	s, err := openStream(in, r.maxUnpacked)
	if err != nil {
		report.Status, report.Reason = StatusUnreadable, whyUnreadable(err)
		r.tell(in.Size, &report)
		return report, nil
	}
	defer s.Close()
	report.Packed = s.packed
	f := &fileReading{reader: r, report: &report, input: in, stream: s,
		seal: func() error { return r.sealer.seal(ctx) }}
	f.run(ctx)
	return report, f.err
}

// helper is what a second goroutine needs to read parts of a file.
type helper struct {
	redactor *redact.Redactor
	sealer   *sealer
}

// newHelpers makes n helpers for a reader whose redactor and sealer are these.
func newHelpers(n int, redactor *redact.Redactor, like *sealer) []helper {
	var helpers []helper
	for range n {
		helpers = append(helpers, helper{redactor.Clone(), newSealer(redactor.Clone(), like.free, like.out)})
	}
	return helpers
}

func (r *reader) tell(bytesOnDisk int64, report *FileReport) {
	if r.progress != nil {
		r.progress(bytesOnDisk, report.Events, report.Quarantined)
	}
}

// fileReading is the reading of one file.
type fileReading struct {
	*reader
	report *FileReport
	input  Input
	stream *stream
	seal   func() error
	// err is why batches can no longer be handed on.
	err error

	decoder    formats.Decoder
	newDecoder func() formats.Decoder
	name       string
	// identified: the format's records have identifiers of their own.
	identified bool
	// start and end are the unread part of buf; offset is where start is in the file.
	start, end int
	offset     int64
	told       FileReport
	toldDisk   int64
	times      timeRange
	// unresolved is the first row of the open batch that is not yet known to be no
	// repetition.
	unresolved int
	// firstEvent is where the file's first event stands; -1 before it.
	firstEvent int64
	// chunked says that this reads parts of the file: rejections are held back, and
	// batches are not sealed within a part.
	chunked bool
	held    []formats.Rejection
	outside outside
	stopped func() bool
}

func (f *fileReading) run(ctx context.Context) {
	atEOF, readErr := f.fill(formats.HeadSize)
	defer f.finish()
	switch {
	case f.end == 0 && readErr != nil:
		f.report.Status, f.report.Reason = StatusUnreadable, whyUnreadable(readErr)
		return
	case f.end == 0:
		f.report.Status, f.report.Reason = StatusEmpty, "there is not a byte in it"
		return
	}
	if !f.recognise() {
		return
	}
	f.ordinals.Reset()
	f.unresolved = f.sealer.batch.Rows()
	f.firstEvent = -1
	defer f.resolve()
	first := true
	for {
		used, decodeErr := f.decode(f.buf[f.start:f.end], atEOF)
		f.start += used
		f.offset += int64(used)
		f.report.Bytes = f.offset
		if f.err == nil {
			f.err = context.Cause(ctx)
		}
		if decodeErr != nil || f.err != nil || atEOF {
			f.conclude(decodeErr, readErr)
			return
		}
		f.tellMore()
		if first && f.canChunk() {
			read := f.buf[:f.start]
			line := 1 + int64(bytes.Count(read, []byte{'\n'}))
			atEOF, readErr = f.readChunks(ctx, bytes.Clone(read[:f.firstEvent]), line)
		} else {
			atEOF, readErr = f.fill(blockSize)
		}
		first = false
	}
}

// fill reads until at least want more bytes are in the buffer, and says whether
// the stream ended. The buffer grows to the longest record and two blocks.
func (f *fileReading) fill(want int) (atEOF bool, err error) {
	if f.start > 0 {
		copy(f.buf, f.buf[f.start:f.end])
		f.start, f.end = 0, f.end-f.start
	}
	target := f.end + want
	if target > len(f.buf) {
		grown := make([]byte, target+blockSize)
		copy(grown, f.buf[:f.end])
		f.buf = grown
	}
	for f.end < target {
		n, err := f.stream.Read(f.buf[f.end:])
		f.end += n
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return true, err
		}
	}
	return false, nil
}

// recognise chooses the decoder by the file's first bytes.
func (f *fileReading) recognise() bool {
	head := f.buf[:min(f.end, formats.HeadSize)]
	format, why, ok := formats.Format{}, "", false
	if packedAs(head) != packedNot {
		f.report.Status, f.report.Reason = StatusNotRecognised, whyNotRecognised(head)
		return false
	}
	if f.format != "" {
		var err error
		format, err = formats.ByName(f.format)
		if ok = err == nil; !ok {
			f.report.Status, f.report.Reason = StatusNotRecognised, err.Error()
			return false
		}
		why = "named in the configuration"
	} else if format, why, ok = formats.Detect(head); !ok {
		f.report.Status, f.report.Reason = StatusNotRecognised, whyNotRecognised(head)
		return false
	}
	f.name, f.report.Format, f.report.Why = format.Name, format.Name, why
	f.identified = format.Identified
	options := f.options
	options.Reference = f.input.Written
	f.newDecoder = func() formats.Decoder { return format.New(options) }
	f.decoder = f.newDecoder()
	return true
}

// whyNotRecognised looks for what people mistake for a log.
func whyNotRecognised(head []byte) string {
	switch {
	case packedAs(head) != packedNot:
		return "it is an archive inside an archive: unpack it first"
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "it is UTF-16 text: save it as UTF-8"
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return "it is a tar archive: unpack it first"
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return "it is an old Office document: save the sheet as CSV"
	case bytes.IndexByte(head, 0) >= 0:
		return "it is not text"
	}
	return "its first lines are of no format that crmwatch knows; `crmwatch formats` lists them, and a mapping in the configuration describes others"
}

// decode calls the decoder once. A decoder that fails ends the reading of its file
// and of nothing else.
func (f *fileReading) decode(data []byte, atEOF bool) (used int, err error) {
	sink := &fileSink{fileReading: f, data: data}
	used, err = contained(f.decoder, data, atEOF, sink)
	if err == nil && used == 0 && !atEOF && len(data) > formats.MaxRecord+blockSize {
		err = errors.New("it does not get past this")
	}
	if err != nil {
		return 0, fmt.Errorf("the decoder %s has a defect after byte %d: %w: please report it; the rest of the file is not read", f.name, f.offset, err)
	}
	if atEOF && used < len(data) {
		sink.Reject(formats.Rejection{
			Position: formats.Position{Offset: f.offset + int64(used)},
			Reason:   formats.ReasonCut,
			Detail:   "the file ends within a record; fetch it again if it should not",
			Content:  data[used:],
		})
		used = len(data)
	}
	return used, nil
}

// conclude decides the status when reading has ended.
func (f *fileReading) conclude(decodeErr, readErr error) {
	r := f.report
	if f.outside.any {
		q := f.outside.row(f.source, f.input.Name, f.name)
		f.sealer.note(&q)
	}
	switch {
	case decodeErr != nil:
		r.Status, r.Reason = StatusPartlyRead, decodeErr.Error()
	case readErr != nil:
		r.Status, r.Reason = StatusPartlyRead, fmt.Sprintf("reading ended after byte %d: %s", f.offset, whyUnreadable(readErr))
	case f.err != nil:
		r.Status, r.Reason = StatusPartlyRead, "reading was interrupted"
	case r.Records == 0:
		r.Status, r.Reason = StatusHeaderOnly, "it has a header and no record"
	default:
		r.Status = StatusOK
		if f.ordinals.Overflowed {
			r.Reason = fmt.Sprintf("it has more than %d different records: identical ones among the later ones count as one", maxDistinct)
		}
	}
	r.FirstEvent, r.LastEvent = f.times.first(), f.times.last()
}

// tellMore reports progress since the last call.
func (f *fileReading) tellMore() {
	if f.progress == nil {
		return
	}
	disk := min(f.stream.diskBytes(), f.input.Size)
	f.progress(disk-f.toldDisk, f.report.Events-f.told.Events, f.report.Quarantined-f.told.Quarantined)
	f.toldDisk, f.told = disk, *f.report
}

// finish reports the file as done, whatever was read of it.
func (f *fileReading) finish() {
	if f.progress != nil {
		f.progress(f.input.Size-f.toldDisk, f.report.Events-f.told.Events, f.report.Quarantined-f.told.Quarantined)
	}
}
