package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// Kind says how the files of a source are read.
type Kind string

const (
	// KindAuto follows the files whose records are lines, and loads the others when
	// they are finished.
	KindAuto Kind = "auto"
	// KindExport loads every file whole when it has stood still for a while, and
	// again whole when it changes.
	KindExport Kind = "export"
	// KindFollow reads what is appended to the files, across rotation.
	KindFollow Kind = "follow"
	// KindReceive is what a status calls an Inlet.
	KindReceive Kind = "receive"
)

// Source is one set of files that are read alike.
type Source struct {
	// Name is in x_source_name: lower case letters, digits, dot, dash, underscore.
	Name string
	// Paths are files, folders (with all below) and patterns such as
	// /var/log/nginx/access.log*. A pattern should match rotated files too.
	Paths []string
	Kind  Kind
	// Format is the format of all files; empty means that content decides.
	Format string
	// Tenant and Zone are for logs that name none.
	Tenant string
	Zone   *time.Location
	// DateOrder is for dates that can be read as two different days.
	DateOrder formats.DateOrder
	// Privacy says what is stored of people; nil means all that the log has.
	Privacy *redact.PrivacyOptions
}

var sourceName = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// Check says what is wrong with the source's settings.
func (s *Source) Check() error {
	if !sourceName.MatchString(s.Name) {
		return fmt.Errorf("source name %q: use 1 to 64 lower case letters, digits, dots, dashes and underscores", s.Name)
	}
	if len(s.Paths) == 0 {
		return fmt.Errorf("source %s: name at least one path", s.Name)
	}
	for _, path := range s.Paths {
		if _, err := filepath.Match(path, ""); err != nil {
			return fmt.Errorf("source %s: path %q: %w: close every [", s.Name, path, err)
		}
	}
	switch s.Kind {
	case "", KindAuto, KindExport, KindFollow:
	default:
		return fmt.Errorf("source %s: unknown kind %q: use auto, export or follow", s.Name, s.Kind)
	}
	if s.Format != "" {
		format, err := formats.ByName(s.Format)
		if err != nil {
			return fmt.Errorf("source %s: %w", s.Name, err)
		}
		if s.Kind == KindFollow && !format.Line {
			return fmt.Errorf("source %s: %s has records of several lines and cannot be followed: use kind export", s.Name, s.Format)
		}
	}
	return nil
}

// list finds the source's files as they are now, in the order of its paths, and
// lists what cannot be read beside them.
func (s *Source) list() []Input {
	w := walker{files: map[identity]string{}, folders: map[identity]bool{}, flat: true}
	for _, path := range s.Paths {
		root, pattern := splitPattern(path)
		if pattern == "" {
			w.start(path)
			continue
		}
		w.match(root, pattern)
	}
	return w.inputs
}

// Has says whether a path names a file that the source has now.
func (s *Source) Has(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, in := range s.list() {
		if in.info != nil && os.SameFile(in.info, info) {
			return true
		}
	}
	return false
}

// splitPattern parts a path into the folder above its first wildcard and the
// pattern below it; the pattern is empty for a plain path. Links may not lead out
// of that folder.
func splitPattern(path string) (root, pattern string) {
	if !strings.ContainsAny(path, `*?[`) {
		return path, ""
	}
	parts := strings.Split(filepath.Clean(path), string(filepath.Separator))
	for i, part := range parts {
		if strings.ContainsAny(part, `*?[`) {
			root = strings.Join(parts[:i], string(filepath.Separator))
			if root == "" && i > 0 {
				root = string(filepath.Separator)
			}
			if root == "" {
				root = "."
			}
			return root, filepath.Join(parts[i:]...)
		}
	}
	return path, ""
}

// match visits the files below root that the pattern names. A folder that is not
// there yet has none.
func (w *walker) match(root, pattern string) {
	real, err := filepath.EvalSymlinks(root)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return
	}
	if w.root, err = os.OpenRoot(real); err != nil {
		w.refuse(Input{Root: real, Name: root}, err)
		return
	}
	defer w.root.Close()
	names, _ := filepath.Glob(filepath.Join(escapePattern(real), pattern))
	for _, name := range names {
		rel, err := filepath.Rel(real, name)
		if err == nil {
			w.visit(real, rel, rel)
		}
	}
}

var patternEscapes = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// escapePattern makes a folder's name match only itself.
func escapePattern(path string) string { return patternEscapes.Replace(path) }
