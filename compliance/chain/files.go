package chain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// fileOf is where the chain knows a file from.
type fileOf struct {
	entry   uint64
	name    string
	hash    Hash
	summary SummaryContent
	amended uint64
}

// VerifyFiles checks the files of a folder against entries, beside the entries
// themselves: each must be one that an entry names, or the canonical JSON of a summary.
// The file skip is the entries' own.
func VerifyFiles(dir, skip string, entries []Entry, expect Expect) (*Report, error) {
	report := &Report{}
	c := verifyEntries(entries, expect, report)
	if err := c.files(dir, skip, report); err != nil {
		return nil, err
	}
	report.order()
	return report, nil
}

// VerifyAll is Verify and VerifyFiles in one report.
func VerifyAll(ctx context.Context, store schema.Store, dir string, expect Expect) (*Report, error) {
	report, err := Verify(ctx, store, expect)
	if err != nil {
		return nil, err
	}
	entries, err := readEntries(ctx, store, 0)
	if err != nil {
		return nil, err
	}
	// What is wrong with the entries is in the report already.
	silent := &Report{}
	c := verifyEntries(entries, expect, silent)
	if err := c.files(dir, "", report); err != nil {
		return nil, err
	}
	report.order()
	return report, nil
}

func (c *claims) files(dir, skip string, report *Report) error {
	byHash, byName := map[Hash]fileOf{}, map[string][]fileOf{}
	for i, s := range c.summaries {
		entry := c.entryOf[i]
		uid, err := schema.ParseUID(s.UID)
		if err != nil {
			continue
		}
		said := c.items[ContentItem(uid, s.Version)]
		for _, f := range s.Files {
			byHash[f.Hash] = fileOf{entry, f.Name, f.Hash, s, said.amended}
			base := filepath.Base(f.Name)
			byName[base] = append(byName[base], byHash[f.Hash])
		}
		if _, known := byHash[s.Content]; !known {
			byHash[s.Content] = fileOf{entry, "", s.Content, s, said.amended}
		}
		if said.amended > 0 {
			byHash[said.hash] = fileOf{said.amended, "", said.hash, s, 0}
		}
	}
	seen := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == skip || strings.HasPrefix(d.Name(), ".crmwatch-") {
			return err
		}
		if !d.Type().IsRegular() {
			report.fail(0, path+" is no plain file", "", "what it leads to is not part of the evidence")
			return nil
		}
		hash, err := hashFile(path)
		if err != nil {
			return err
		}
		called := byName[d.Name()]
		for _, f := range called {
			seen[f.name] = true
		}
		known, is := byHash[hash]
		switch {
		case len(called) > 0 && !slices.ContainsFunc(called, func(f fileOf) bool { return f.hash == hash }):
			report.fail(called[0].entry, fmt.Sprintf("%s is not the file that entry %d names", path, called[0].entry), "SHA-256 of the file "+hash.String(), "it was changed after it was written, or another was put in its place")
		case !is:
			report.fail(0, path+" is not known to the chain", "SHA-256 of the file "+hash.String(), "it was changed, or it is not a summary that was kept")
		default:
			report.Files++
			seen[known.name] = true
			if known.name != "" && len(called) == 0 {
				report.remark(known.entry, fmt.Sprintf("%s is what entry %d calls %s", path, known.entry, known.name))
			}
			if known.amended > 0 {
				report.remark(known.amended, fmt.Sprintf("%s is as it was before an erasure: entry %d changed summary %s", path, known.amended, known.summary.UID))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look through the files: %w", err)
	}
	missing := 0
	for _, named := range byName {
		for _, f := range named {
			if !seen[f.name] {
				missing++
			}
		}
	}
	if missing > 0 {
		report.remark(0, fmt.Sprintf("%d files that the chain names are not in %s", missing, dir))
	}
	return nil
}

func hashFile(path string) (Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return Hash{}, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return Hash{}, err
	}
	return Hash(sum.Sum(nil)), nil
}
