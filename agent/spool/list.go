package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Listing is one segment as it lies on disk.
type Listing struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// First and Last are sequence numbers; both 0 when there is no record.
	First   uint64    `json:"first,omitempty"`
	Last    uint64    `json:"last,omitempty"`
	Batches int       `json:"batches"`
	Rows    int64     `json:"rows"`
	Agent   string    `json:"agent_uid,omitempty"`
	Created time.Time `json:"created,omitzero"`
	// Encrypted segments are listed without their key, and checked only with it.
	Encrypted bool `json:"encrypted,omitempty"`
	// Torn is how many bytes at the end belong to no record: what was being written.
	Torn int64 `json:"torn_bytes,omitempty"`
	// Problems say what is wrong, one for each place.
	Problems []string `json:"problems,omitempty"`
}

// List lists the segments of a folder in the order of their names. It takes no lock
// and changes nothing, so it can look at a spool in use. With check, every byte is
// read and every checksum compared, and with the right keys the encryption's too.
func List(folder FS, keys [][]byte, check bool) ([]Listing, error) {
	names, err := folder.List()
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	slices.Sort(names)
	var all []Listing
	for _, name := range names {
		base, _, isSegment := strings.Cut(name, ".")
		if _, err := strconv.ParseUint(base, 10, 64); err != nil || !isSegment {
			continue
		}
		l, err := list(folder, name, keys, check)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was renamed or deleted meanwhile
		}
		if err != nil {
			l.Problems = append(l.Problems, err.Error())
		}
		all = append(all, l)
	}
	return all, nil
}

func list(folder FS, name string, keys [][]byte, check bool) (Listing, error) {
	l := Listing{Name: name}
	f, err := folder.Open(name)
	if err != nil {
		return l, err
	}
	defer f.Close()
	if l.Bytes, err = f.Size(); err != nil {
		return l, err
	}
	header := make([]byte, min(l.Bytes, segmentHeader))
	if err := readFull(f, header, 0); err != nil {
		return l, err
	}
	info, err := decodeSegment(name, header)
	if err != nil {
		return l, err
	}
	l.Agent, l.Created, l.Encrypted = info.agentUID, info.created.UTC(), info.encrypted
	key, err := (&Spool{keys: keys}).cipherFor(&info)
	if err != nil && check {
		l.Problems = append(l.Problems, err.Error())
	}
	sound := err == nil
	c := &scanner{file: f, size: l.Bytes, offset: segmentHeader}
	end := int64(segmentHeader)
	for {
		step, err := c.next()
		if err != nil {
			return l, err
		}
		if step.end {
			l.Torn = l.Bytes - end
			return l, nil
		}
		if step.skipped > 0 {
			l.Problems = append(l.Problems, fmt.Sprintf("%d bytes at byte %d are no record", step.skipped, step.offset-step.skipped))
		}
		if l.Batches == 0 {
			l.First = step.info.sequence
		}
		if l.Batches > 0 && step.info.sequence != l.Last+1 {
			l.Problems = append(l.Problems, fmt.Sprintf("batch %d follows batch %d", step.info.sequence, l.Last))
		}
		l.Last, end = step.info.sequence, step.offset+step.info.length()
		l.Batches++
		l.Rows += int64(step.info.eventsRows + step.info.quarantineRows)
		if check {
			why, err := c.check(key, sound, &step)
			if err != nil {
				return l, err
			}
			if why != "" {
				l.Problems = append(l.Problems, fmt.Sprintf("batch %d at byte %d: %s", step.info.sequence, step.offset, why))
			}
		}
	}
}

// check says what is wrong with a record's content. Without the key only the
// checksums are compared.
func (c *scanner) check(key *segmentCipher, decrypt bool, step *found) (string, error) {
	stored, err := c.bytesAt(step.offset+recordHeader, step.info.metaLength)
	if err != nil {
		return "", err
	}
	if decrypt {
		if _, ok := metaOf(key, &step.info, slices.Clone(stored)); !ok {
			return "its meta is damaged", nil
		}
	}
	whole, err := c.payloadIsWhole(step)
	if err != nil {
		return "", err
	}
	if !whole {
		return "its payload is damaged", nil
	}
	if key == nil {
		return "", nil
	}
	payload := make([]byte, step.info.payloadLength)
	if err := readFull(c.file, payload, step.offset+recordHeader+int64(step.info.metaLength)); err != nil {
		return "", err
	}
	if _, err := key.open(&step.info, partPayload, payload); err != nil {
		return "its payload is not what this agent encrypted", nil
	}
	return "", nil
}
