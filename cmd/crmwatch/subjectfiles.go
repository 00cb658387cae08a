package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/alerting"
)

// personFile is a file outside the database that names the person.
type personFile struct {
	Path string `json:"path"`
	// What is pending, delivered, "delivered, and written to", kept or file.
	What string `json:"what"`
	// Goes says when it goes by itself.
	Goes string `json:"goes"`
	// last is the highest batch of a segment.
	last uint64
}

func oneLine(s string) string { return alerting.PlainLine(s) }

// files lists the files of the data directory, beside those of the database, that name
// the person: segments of the spool, reports, notes.
func (s *subjectStore) files() ([]personFile, error) {
	sought, err := s.subject.Searcher()
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	if s.config.Data != "" {
		if keys, err = s.config.Spool.keys(); err != nil {
			return nil, err
		}
	}
	folder := filepath.Join(s.dir, "agent", "spool")
	segments, err := spool.Search(spool.At(folder), keys, sought)
	if err != nil {
		return nil, err
	}
	var all []personFile
	for _, m := range segments {
		f := personFile{Path: filepath.Join(folder, m.Name), What: "pending", Goes: "when it is delivered, and kept for a while after", last: m.Last}
		switch {
		case m.Acked():
			f.What, f.Goes = "delivered", "when retain_after_ack is over"
			if info, err := os.Stat(f.Path); err == nil {
				f.Goes = "after " + info.ModTime().Add(s.retain()).UTC().Format(minuteTime) + " UTC, while crmwatch runs"
			}
		case m.Delivered:
			f.What, f.Goes = "delivered, and written to", "some time after it is full or crmwatch has stopped: see retain_after_ack"
		case !strings.HasSuffix(m.Name, ".open") && !strings.HasSuffix(m.Name, ".ready"):
			f.What, f.Goes = "kept", "never: delete it by hand when it is of no more use"
		}
		if m.Problem != "" {
			f.Goes += "; not all of it could be read: " + m.Problem
		}
		all = append(all, f)
	}
	paths, err := s.subject.Files(s.dir, func(path string) bool {
		in, err := filepath.Rel(s.dir, path)
		return err == nil && (in == "store" || in == "config" || in == "erasures" || in == filepath.Join("agent", "spool"))
	})
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		all = append(all, personFile{Path: path, What: "file", Goes: "never by itself"})
	}
	return all, nil
}

func (s *subjectStore) retain() time.Duration {
	if s.config.Data != "" {
		return s.config.Spool.RetainAfterAck
	}
	return 15 * time.Minute
}

func writeFiles(w io.Writer, files []personFile) error {
	if len(files) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nFiles beside the database that name the person:")
	for _, f := range files {
		if _, err := fmt.Fprintf(w, "  %s (%s): goes %s\n", oneLine(f.Path), f.What, f.Goes); err != nil {
			return err
		}
	}
	return nil
}
