package formats

// Chunked is a Decoder that can start at any record of a file, once it has seen what
// stands before the first: so several of them can read one file.
type Chunked interface {
	Decoder
	// Seek says where the next byte given to Decode stands. It is the start of a record.
	Seek(Position)
	// Quoted says that a line's end between double quotes does not end a record.
	Quoted() bool
	// Headers counts the headers that were read. What follows another header can be
	// read only by a decoder that has seen it.
	Headers() int
}

// Seek implements Chunked.
func (r *csvRecords) Seek(p Position) { r.next, r.lineStart = p, p.Offset }

// Quoted implements Chunked.
func (r *csvRecords) Quoted() bool { return true }

// Headers implements Chunked.
func (r *csvRecords) Headers() int { return r.headers }

// Seek implements Chunked.
func (j *jsonLog) Seek(p Position) { j.lines.at = p }

// Quoted implements Chunked. JSON has no line's end between quotes.
func (j *jsonLog) Quoted() bool { return false }

// Headers implements Chunked.
func (j *jsonLog) Headers() int { return 0 }

// Seek implements Chunked.
func (l *lineLog) Seek(p Position) { l.lines.at = p }

// Quoted implements Chunked.
func (l *lineLog) Quoted() bool { return false }

// Headers implements Chunked.
func (l *lineLog) Headers() int { return 0 }

// Seek implements Chunked.
func (l *logfmtLog) Seek(p Position) { l.lines.at = p }

// Quoted implements Chunked.
func (l *logfmtLog) Quoted() bool { return false }

// Headers implements Chunked.
func (l *logfmtLog) Headers() int { return 0 }
