package formats

import "bytes"

// escapeQuotes appends record to dst with the quotes inside its values escaped. ok is
// false where it cannot be told which quotes those are. A value ends at a quote behind
// which the next name or the end of the record stands; braces inside it have to be
// balanced, since a value that is JSON itself has names of its own.
func escapeQuotes(dst, record []byte) (escaped []byte, ok bool) {
	depth, inName := 0, false
	for i := 0; i < len(record); i++ {
		switch c := record[i]; {
		case c == '{':
			depth++
			inName = true
		case c == '}':
			depth--
			inName = false
		case c == ',':
			inName = true
		case c == ':':
			inName = false
		case c == '[' || c == ']':
			return dst, false
		case c == '"' && inName:
			end := bytes.IndexByte(record[i+1:], '"')
			if end < 0 || !isFollowed(record, i+1+end+1, ':') {
				return dst, false
			}
			dst = append(dst, record[i:i+1+end]...)
			i += 1 + end
		case c == '"':
			end := valueEnd(record, i+1, depth)
			if end < 0 {
				return dst, false
			}
			dst = append(dst, '"')
			dst = appendEscapedQuotes(dst, withoutQuotes(record[i+1:end]))
			i = end
		}
		dst = append(dst, record[i])
	}
	return dst, depth == 0
}

// withoutQuotes is a value without the quotes that $context.error.messageString brings
// with it.
func withoutQuotes(value []byte) []byte {
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1]
	}
	return value
}

// appendEscapedQuotes appends a value. A backslash in front of a quote is taken for the
// escape of it.
func appendEscapedQuotes(dst, value []byte) []byte {
	backslash := false
	for _, c := range value {
		if c == '"' && !backslash {
			dst = append(dst, '\\')
		}
		backslash = c == '\\' && !backslash
		dst = append(dst, c)
	}
	if backslash {
		dst = append(dst, '\\')
	}
	return dst
}

// valueEnd is the index of the quote that ends the value at record[from:], in an
// object that is depth deep; -1 when there is none.
func valueEnd(record []byte, from, depth int) int {
	balance := 0
	for {
		next := bytes.IndexByte(record[from:], '"')
		if next < 0 {
			return -1
		}
		balance += bytes.Count(record[from:from+next], []byte{'{'}) - bytes.Count(record[from:from+next], []byte{'}'})
		from += next + 1
		if balance <= 0 && endsValue(record, from, depth) {
			return from - 1
		}
	}
}

// endsValue says whether what stands at record[i:] can follow a value.
func endsValue(record []byte, i, depth int) bool {
	i += jsonSpace(record[i:])
	for i < len(record) && record[i] == '}' {
		depth--
		i++
		i += jsonSpace(record[i:])
	}
	if depth <= 0 || i >= len(record) {
		return depth == 0 && i == len(record)
	}
	if record[i] != ',' {
		return false
	}
	i++
	i += jsonSpace(record[i:])
	if i >= len(record) || record[i] != '"' {
		return false
	}
	name := i + 1
	for i++; i < len(record) && isNameByte(record[i]); i++ {
	}
	return i > name && i < len(record) && record[i] == '"' && isFollowed(record, i+1, ':')
}

// isNameByte says whether operators write c into names of fields.
func isNameByte(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '.' || c == '_' || c == '-' || c == ':' || c == '$' || c == '@' || c == ' '
}

// isFollowed says whether c stands at record[i:] behind white space.
func isFollowed(record []byte, i int, c byte) bool {
	i += jsonSpace(record[i:])
	return i < len(record) && record[i] == c
}
