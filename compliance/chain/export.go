package chain

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// exportLine is an entry as a line of an export. With Text of an entry, which is made of
// the same values, it can be checked without crmwatch.
type exportLine struct {
	Sequence       uint64 `json:"sequence"`
	At             string `json:"at"`
	Kind           Kind   `json:"kind"`
	Subject        string `json:"subject_uid"`
	SubjectVersion uint64 `json:"subject_version"`
	Content        string `json:"content"`
	ContentHash    Hash   `json:"content_hash"`
	Previous       Hash   `json:"previous_hash"`
	Hash           Hash   `json:"entry_hash"`
	PublicKey      string `json:"public_key"`
	Signature      string `json:"signature"`
}

// Export writes the chain of a database, one JSON object an entry and line.
func Export(ctx context.Context, store schema.Store, w io.Writer) error {
	entries, err := readEntries(ctx, store, 0)
	if err != nil {
		return err
	}
	return WriteExport(w, entries)
}

// WriteExport writes entries, one JSON object a line.
func WriteExport(w io.Writer, entries []Entry) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, e := range entries {
		line := exportLine{e.Sequence, e.At.UTC().Format(timeForm), e.Kind, e.Subject.String(), e.SubjectVersion, e.Content, e.ContentHash, e.Previous, e.Hash, e.PublicKey, e.Signature}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write evidence chain: %w", err)
		}
	}
	return nil
}

// maxExportLine bounds a line that is read: an entry about alerts has the most.
const maxExportLine = 16 << 20

// ReadExport reads what Export writes. The error names the line.
func ReadExport(r io.Reader) ([]Entry, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxExportLine)
	var entries []Entry
	for n := 1; scanner.Scan(); n++ {
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		e, err := readLine(scanner.Bytes())
		if err != nil {
			return nil, fmt.Errorf("read exported chain: line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read exported chain: %w", err)
	}
	return entries, nil
}

func readLine(text []byte) (e Entry, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var line exportLine
	if err := decoder.Decode(&line); err != nil {
		return e, fmt.Errorf("it is not an entry that crmwatch report export-chain wrote: %w", err)
	}
	if decoder.More() {
		return e, errors.New("there is more than one entry on it")
	}
	e = Entry{
		Sequence: line.Sequence, Kind: line.Kind, SubjectVersion: line.SubjectVersion, Content: line.Content, ContentHash: line.ContentHash,
		Previous: line.Previous, Hash: line.Hash, PublicKey: line.PublicKey, Signature: line.Signature,
	}
	if strings.ContainsAny(string(line.Kind), "\r\n") {
		return e, errors.New("its kind has a line break")
	}
	if e.At, err = time.Parse(timeForm, line.At); err != nil {
		return e, fmt.Errorf("its time is not of the form %s", timeForm)
	}
	if e.Subject, err = schema.ParseUID(line.Subject); err != nil {
		return e, err
	}
	return e, nil
}
