package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Match is a segment in which something was found, or that could not be searched.
type Match struct {
	Name string
	// Last is the highest sequence number in it.
	Last uint64
	// Delivered says that all of it is delivered, also where more will be written to it.
	Delivered bool
	// Records is how many hold it.
	Records int
	// Problem says why some of it was not searched.
	Problem string
}

// Acked says that the segment is delivered and only kept for a while.
func (m Match) Acked() bool { return strings.HasSuffix(m.Name, extAcked) }

// Search looks into all records of a folder, decrypted and decompressed. It takes no lock
// and changes nothing. found is shown a record's meta and its blocks.
func Search(folder FS, keys [][]byte, found func(content []byte) bool) ([]Match, error) {
	names, err := folder.List()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("search spool: %w", err)
	}
	slices.Sort(names)
	// Read before the segments: what is acknowledged later may count as waiting, and not
	// the other way round.
	acked := ackedBatch(folder)
	var all []Match
	for _, name := range names {
		base, _, isSegment := strings.Cut(name, ".")
		if _, err := strconv.ParseUint(base, 10, 64); err != nil || !isSegment {
			continue
		}
		m, err := search(folder, name, keys, found)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			m.Problem = err.Error()
		}
		m.Delivered = m.Acked() || m.Problem == "" && m.Last > 0 && m.Last <= acked
		if m.Records > 0 || m.Problem != "" {
			all = append(all, m)
		}
	}
	return all, nil
}

// ackedBatch is up to where all batches are delivered, as far as that is written down; 0
// where it is not known.
func ackedBatch(folder FS) uint64 {
	f, err := folder.Open(stateFile)
	if err != nil {
		return 0
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0
	}
	data := make([]byte, min(size, maxState))
	var state savedState
	if readFull(f, data, 0) != nil || json.Unmarshal(data, &state) != nil || state.Version != stateVersion {
		return 0
	}
	return state.Acked
}

func search(folder FS, name string, keys [][]byte, found func([]byte) bool) (Match, error) {
	m := Match{Name: name}
	f, err := folder.Open(name)
	if err != nil {
		return m, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return m, err
	}
	header := make([]byte, min(size, segmentHeader))
	if err := readFull(f, header, 0); err != nil {
		return m, err
	}
	info, err := decodeSegment(name, header)
	if err != nil {
		return m, err
	}
	key, err := (&Spool{keys: keys}).cipherFor(&info)
	if err != nil {
		return m, err
	}
	c := &scanner{file: f, size: size, offset: segmentHeader}
	for {
		step, err := c.next()
		if err != nil || step.end {
			return m, err
		}
		m.Last = max(m.Last, step.info.sequence)
		hit, err := c.holds(key, &step, found)
		if err != nil {
			m.Problem = err.Error()
		}
		if hit {
			m.Records++
		}
	}
}

// holds says whether a record holds what is sought.
func (c *scanner) holds(key *segmentCipher, step *found, sought func([]byte) bool) (bool, error) {
	info := &step.info
	meta, ok, err := c.meta(key, step)
	if err != nil {
		return false, err
	}
	if ok && sought(meta) {
		return true, nil
	}
	payload := make([]byte, info.payloadLength)
	if err := readFull(c.file, payload, step.offset+recordHeader+int64(info.metaLength)); err != nil {
		return false, err
	}
	if payload, err = key.open(info, partPayload, payload); err != nil {
		return false, fmt.Errorf("batch %d cannot be read", info.sequence)
	}
	blocks := []schema.Frames{
		{Rows: info.eventsRows, Size: info.eventsSize, Hash: info.eventsHash, Data: payload[:info.eventsLength], Framed: info.eventsFramed},
		{Rows: info.quarantineRows, Size: info.quarantineSize, Hash: info.quarantineHash, Data: payload[info.eventsLength:], Framed: info.quarantineFramed},
	}
	for _, block := range blocks {
		if block.Rows == 0 {
			continue
		}
		raw, err := block.Raw()
		if err != nil {
			return false, fmt.Errorf("batch %d cannot be read: %w", info.sequence, err)
		}
		if sought(raw) {
			return true, nil
		}
	}
	return false, nil
}
