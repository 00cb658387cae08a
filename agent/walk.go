package agent

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Walk lists what there is to read under paths: files as they are named, folders
// with all that is below them, zip archives member by member; in the order of
// paths and, in a folder, of names. Nothing is left out for its name: whether a
// file is a log is decided by its content. What cannot be read is listed too, with
// the reason in Refused. A file that is met twice is read once.
func Walk(paths []string) []Input {
	w := walker{files: map[identity]string{}, folders: map[identity]bool{}, several: len(paths) > 1}
	for _, path := range paths {
		w.start(path)
	}
	return w.inputs
}

type walker struct {
	inputs  []Input
	files   map[identity]string
	folders map[identity]bool
	root    *os.Root
	// flat lists archives as files, and opens nothing.
	flat bool
	// several says that names begin with the folder's, to tell folders apart.
	several bool
}

// start follows links in the given path itself: the user named it.
func (w *walker) start(path string) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		w.refuse(Input{Name: filepath.Clean(path)}, err)
		return
	}
	folder, child, name := filepath.Dir(real), filepath.Base(real), filepath.Base(path)
	if info, err := os.Stat(real); err == nil && info.IsDir() {
		folder, child = real, "."
		if !w.several {
			name = "."
		}
	}
	w.root, err = os.OpenRoot(folder)
	if err != nil {
		w.refuse(Input{Root: folder, Name: filepath.Clean(path)}, err)
		return
	}
	defer w.root.Close()
	w.visit(folder, child, name)
}

func (w *walker) visit(root, path, name string) {
	in := Input{Root: root, Path: path, Name: name}
	info, err := w.root.Stat(path)
	if err != nil {
		w.refuse(in, err)
		return
	}
	if info.IsDir() {
		w.folder(in, info)
		return
	}
	if !info.Mode().IsRegular() {
		w.refuse(in, notRegularError(info.Mode()))
		return
	}
	in.Size = info.Size()
	if first, seen := w.files[identityOf(info)]; seen {
		in.Status, in.Refused = StatusRepeated, "it is the same file as "+first
		w.inputs = append(w.inputs, in)
		return
	}
	w.files[identityOf(info)] = name
	in.info, in.Written = info, info.ModTime()
	if w.flat {
		w.inputs = append(w.inputs, in)
		return
	}
	f, _, err := openRegular(w.root, path)
	if err != nil {
		w.refuse(in, err)
		return
	}
	defer f.Close()
	var magic [4]byte
	n, _ := f.ReadAt(magic[:], 0)
	if packedAs(magic[:n]) != packedZip {
		w.inputs = append(w.inputs, in)
		return
	}
	if err := w.archive(in, f); err != nil {
		w.refuse(in, err)
	}
}

func (w *walker) folder(in Input, info fs.FileInfo) {
	if w.folders[identityOf(info)] {
		return
	}
	w.folders[identityOf(info)] = true
	d, err := w.root.Open(in.Path)
	if err != nil {
		w.refuse(in, err)
		return
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil {
		w.refuse(in, err)
	}
	sort.Strings(names)
	for _, name := range names {
		child := filepath.Join(in.Path, name)
		w.visit(in.Root, child, filepath.Join(in.Name, name))
	}
}

// maxMembers is far above any export, and keeps a hostile archive from filling memory.
const maxMembers = 100_000

func (w *walker) archive(in Input, f *os.File) error {
	z, err := zip.NewReader(f, in.Size)
	if err != nil {
		return fmt.Errorf("it looks like a zip archive but cannot be opened (%w): fetch it again", err)
	}
	if len(z.File) > maxMembers {
		return fmt.Errorf("it is a zip archive of %d members, more than %d: unpack it first", len(z.File), maxMembers)
	}
	members := make([]Input, 0, len(z.File))
	for _, m := range z.File {
		if m.Name == "[Content_Types].xml" {
			return errors.New("it is an Office document: save the sheet as CSV")
		}
		if strings.HasSuffix(m.Name, "/") {
			continue
		}
		member := in
		member.Member, member.Name = m.Name, in.Name+"!"+m.Name
		member.Size = int64(m.CompressedSize64)
		if m.Modified.Year() > 1980 && m.Modified.Before(in.Written) { // 1980 stands for none
			member.Written = m.Modified
		}
		members = append(members, member)
	}
	sort.SliceStable(members, func(i, j int) bool { return members[i].Member < members[j].Member })
	if len(members) == 0 {
		in.Status, in.Refused = StatusEmpty, "it is a zip archive with nothing in it"
		members = append(members, in)
	}
	w.inputs = append(w.inputs, members...)
	return nil
}

func (w *walker) refuse(in Input, err error) {
	in.Status, in.Refused = StatusUnreadable, whyUnreadable(err)
	w.inputs = append(w.inputs, in)
}
