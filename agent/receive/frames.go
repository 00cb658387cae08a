package receive

import "bytes"

// frames cuts a stream into messages. What it finds does not depend on how the stream
// is cut into calls.
type frames struct {
	// max is the longest message.
	max int
	// delimiter ends a message; counted says that messages may have their length before
	// them instead, as syslog's have (RFC 6587, 3.4.1).
	delimiter byte
	counted   bool
	// skip is how much of a message that is too long is yet to come; -1 for one without a
	// length.
	skip int
}

// frame is one stretch of a stream.
type frame struct {
	// message is nil for a stretch that is none: a delimiter alone, or the rest of a
	// message that is too long.
	message []byte
	// size is how many bytes of the stream it takes; 0 when more has to be seen.
	size int
	// tooLong is a message's beginning, whose rest is skipped; cut one that the stream
	// ended within; skipped a part of such a rest.
	tooLong, cut, skipped bool
}

// maxCount is the longest length that is taken for one: more digits are text.
const maxCount = 9

// next finds the message at the start of data. With atEOF nothing more will come.
func (f *frames) next(data []byte, atEOF bool) frame {
	if len(data) == 0 {
		return frame{}
	}
	if f.skip > 0 {
		n := min(f.skip, len(data))
		f.skip -= n
		return frame{size: n, skipped: true}
	}
	if f.skip < 0 {
		n := bytes.IndexByte(data, f.delimiter) + 1
		if n > 0 {
			f.skip = 0
		} else {
			n = len(data)
		}
		return frame{size: n, skipped: true}
	}
	if f.counted {
		length, digits, known := messageLength(data, atEOF)
		if !known {
			return frame{}
		}
		if digits > 0 {
			return f.take(data, digits, length, atEOF)
		}
	}
	end := bytes.IndexByte(data[:min(len(data), f.max+1)], f.delimiter)
	switch {
	case end == 0:
		return frame{size: 1}
	case end > 0:
		return frame{message: data[:end], size: end + 1}
	case len(data) > f.max:
		f.skip = -1
		return frame{message: data[:f.max], size: f.max, tooLong: true}
	case atEOF:
		return frame{message: data, size: len(data), cut: true}
	}
	return frame{}
}

// take takes a message of a known length, behind its digits.
func (f *frames) take(data []byte, digits, length int, atEOF bool) frame {
	whole := data[digits:]
	switch {
	case length > f.max:
		if len(whole) < f.max && !atEOF {
			return frame{}
		}
		n := min(f.max, len(whole))
		f.skip = length - n
		return frame{message: whole[:n], size: digits + n, tooLong: true}
	case len(whole) >= length:
		return frame{message: whole[:length], size: digits + length}
	case atEOF:
		return frame{message: whole, size: len(data), cut: true}
	}
	return frame{}
}

// messageLength reads the length before a message, such as "123 <". digits is 0 when
// there is none: a line of text may begin with a number too, but a syslog message
// begins with <. known is false when more has to be seen.
func messageLength(data []byte, atEOF bool) (length, digits int, known bool) {
	for digits < len(data) && digits <= maxCount && data[digits]-'0' < 10 {
		length = 10*length + int(data[digits]-'0')
		digits++
	}
	switch {
	case digits == 0, digits > maxCount, data[0] == '0':
		return 0, 0, true
	case digits+2 > len(data):
		if digits < len(data) && data[digits] != ' ' || atEOF {
			return 0, 0, true
		}
		return 0, 0, false
	case data[digits] != ' ' || data[digits+1] != '<':
		return 0, 0, true
	}
	return length, digits + 1, true
}

// oneLine makes a message one line with its end, in a buffer of its own. Lines within
// it become spaces between words: a message is one record.
func oneLine(message []byte) []byte {
	message = bytes.TrimRight(message, "\r\n\x00 \t")
	if len(message) == 0 {
		return nil
	}
	line := append(make([]byte, 0, len(message)+1), message...)
	for i, c := range line {
		if c == '\n' || c == '\r' {
			line[i] = ' '
		}
	}
	return append(line, '\n')
}
