package agent

import (
	"bytes"
	"path/filepath"
	"slices"
	"time"
)

// watchedFile is one file of a source, by its inode.
type watchedFile struct {
	in   Input
	path string
	role fileRole
	size int64
	mod  time.Time
	// still is since when size and modification time have not changed, first when
	// the file was seen first.
	still, first time.Time
	present      bool
	// copyOf is the generation whose beginning this file repeats.
	copyOf *generation
}

// fileRole is what a file turned out to be.
type fileRole int

const (
	roleUnknown fileRole = iota
	roleFollowed
	roleExport
	rolePacked
	// roleUnreadable is a file of no known format, until it changes.
	roleUnreadable
)

// observe updates the list of files.
func (s *sourceState) observe(now time.Time) {
	for _, f := range s.files {
		f.present = false
	}
	var unreadable []FileReport
	for _, in := range s.list() {
		if in.Refused != "" {
			if in.Status != StatusRepeated {
				unreadable = append(unreadable, FileReport{File: in.Name, Status: in.Status, Reason: in.Refused})
			}
			continue
		}
		id := identityOf(in.info)
		path := filepath.Join(in.Root, in.Path)
		f := s.files[id]
		if f == nil {
			f = &watchedFile{first: now, still: now, size: in.Size, mod: in.info.ModTime()}
			s.files[id] = f
		}
		if f.path != path || f.size > in.Size {
			// Another name, or content that went: what was known may not hold.
			f.role = roleUnknown
		}
		if f.size != in.Size || !f.mod.Equal(in.info.ModTime()) {
			f.still = now
			if f.role == roleUnreadable {
				f.role = roleUnknown
			}
		}
		f.in, f.path, f.size, f.mod, f.present = in, path, in.Size, in.info.ModTime(), true
	}
	for id, f := range s.files {
		if !f.present {
			delete(s.files, id)
		}
	}
	s.w.ledger.unreadable(s.Name, unreadable, s.w.Log)
}

// inOrder lists the files by path, so that what happens does not depend on chance.
func (s *sourceState) inOrder() []*watchedFile {
	files := make([]*watchedFile, 0, len(s.files))
	for _, f := range s.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *watchedFile) int { return bytes.Compare([]byte(a.path), []byte(b.path)) })
	return files
}
