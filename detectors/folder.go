package detectors

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// SheetFile is a YAML file of rules, checks or statements: its content, or why there is
// none. Name is as people are shown it.
type SheetFile struct {
	Name string
	Text []byte
	Err  error
}

// ReadFolder reads the files *.yaml and *.yml of a folder, subfolders not included; shown
// goes before their names. A folder that cannot be read is one file with its error.
func ReadFolder(fsys fs.FS, folder, shown string) []SheetFile {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err
		}
		return []SheetFile{{Name: strings.TrimRight(shown, "/\\"), Err: fmt.Errorf("read folder: %w", err)}}
	}
	var files []SheetFile
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		text, err := fs.ReadFile(fsys, path.Join(folder, entry.Name()))
		files = append(files, SheetFile{shown + entry.Name(), text, err})
	}
	return files
}
