package subject

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Searcher says whether bytes hold one of the identifiers as a word.
func (s Subject) Searcher() (func([]byte) bool, error) {
	re, err := s.find()
	if err != nil {
		return nil, err
	}
	var needles [][]byte
	loose := s.words().loose
	for _, needle := range s.words().needles {
		needles = append(needles, []byte(needle))
	}
	return func(content []byte) bool {
		lower := lowered(content)
		for _, needle := range needles {
			if bytes.Contains(lower, needle) {
				return matches(re, content)
			}
		}
		if loose || bytes.IndexByte(content, '%') >= 0 || bytes.Contains(content, []byte(`\u`)) {
			return matches(re, content)
		}
		return false
	}, nil
}

// matches looks at the text between the bytes that are none: in binary files, the
// length of a text stands directly before it, and may look like a letter.
func matches(re *regexp.Regexp, content []byte) bool { return re.Match(content) }

// lowered is content in lower case, ASCII alone.
func lowered(content []byte) []byte {
	out := make([]byte, len(content))
	for i, c := range content {
		if c-'A' < 26 {
			c |= 0x20
		}
		out[i] = c
	}
	return out
}

// Files lists the files below dir that hold one of the identifiers, in plain or in the
// compressed blocks of ClickHouse: every file of every part, also of those that are no
// longer in use, mutations, metadata and logs. It is slower than asking the database,
// and believes nothing but the disk. In binary files, whole words are not told from
// parts of words.
func (s Subject) Files(dir string, skip func(path string) bool) ([]string, error) {
	var needles [][]byte
	for _, i := range s.Identifiers {
		if i.Words {
			needles = append(needles, lowered([]byte(i.Value)))
		}
	}
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case skip != nil && skip(path):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		for _, needle := range needles {
			if bytes.Contains(lowered([]byte(filepath.Base(path))), needle) {
				found = append(found, path)
				return nil
			}
		}
		hit, err := holds(path, needles)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if hit {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search files: %w", err)
	}
	return found, nil
}

// holds looks at a file as it is, and at its compressed blocks.
func holds(path string, needles [][]byte) (bool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	sought := func(content []byte) bool {
		content = lowered(content)
		for _, needle := range needles {
			if bytes.Contains(content, needle) {
				return true
			}
		}
		return false
	}
	if sought(content) {
		return true, nil
	}
	// A value may lie across two blocks.
	var tail []byte
	for rest := content; len(rest) > 25; {
		size, plain := int(binary.LittleEndian.Uint32(rest[17:])), int(binary.LittleEndian.Uint32(rest[21:]))
		if size < 9 || size > len(rest)-16 || plain > 1<<30 {
			break // not a file of blocks, or not from here on
		}
		block := unpacked(rest[16], rest[25:16+size], plain)
		if sought(append(tail, block...)) {
			return true, nil
		}
		tail = append([]byte(nil), block[max(0, len(block)-256):]...)
		rest = rest[16+size:]
	}
	return false, nil
}

// unpacked is a block's content; nothing where its codec holds numbers alone.
func unpacked(method byte, packed []byte, plain int) []byte {
	switch method {
	case 0x82:
		out := make([]byte, plain)
		if n, err := lz4.UncompressBlock(packed, out); err == nil {
			return out[:n]
		}
	case 0x90:
		if decoder, err := zstd.NewReader(bytes.NewReader(packed)); err == nil {
			defer decoder.Close()
			if out, err := io.ReadAll(io.LimitReader(decoder, int64(plain))); err == nil {
				return out
			}
		}
	case 0x02:
		return packed
	}
	return nil
}
