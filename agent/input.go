package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Input is one thing to read: a file, or a member of a zip archive.
type Input struct {
	// Root is the folder that the file may not lead out of, Path its place in it.
	Root, Path string
	// Member is the name inside a zip archive, "" for a plain file.
	Member string
	// Name is what people and x_source_file see: the path within the given folder,
	// with the folder's own name in front when several paths were given, and with
	// "!member" behind an archive.
	Name string
	// Size is the number of bytes on disk; for a member, as packed.
	Size int64
	// Written is when the file, or the member, was last written; zero where that is not
	// known.
	Written time.Time
	// Refused says why the input is not read; it is empty for those that are.
	Refused string
	// Status goes with Refused.
	Status Status

	info fs.FileInfo
}

// identity tells two names of one file apart from two files.
type identity struct{ device, inode uint64 }

func identityOf(info fs.FileInfo) identity {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(s.Dev), s.Ino}
	}
	return identity{}
}

// openInside opens a regular file below root for reading. Symbolic links that
// lead out of root are refused by the kernel's own path walk, and O_NONBLOCK
// keeps a pipe put in the file's place from blocking us.
func openInside(root, path string) (*os.File, fs.FileInfo, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, fmt.Errorf("open folder: %w", err)
	}
	defer r.Close()
	return openRegular(r, path)
}

func openRegular(r *os.Root, path string) (*os.File, fs.FileInfo, error) {
	f, err := r.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegularError(info.Mode())
	}
	if err == nil {
		err = refuseForeignLink(r, path, info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// errForeignLink is a file that somebody else can have put where it is.
var errForeignLink = errors.New("it is a hard link to a file of another owner than its folder's: whoever may write into the folder can have made it, to have a file read that is none of theirs; copy the file instead")

// refuseForeignLink refuses a further name of a file whose owner is not the folder's,
// unless root owns the folder: anybody who may write into a folder can link a file
// there that only we may read.
func refuseForeignLink(r *os.Root, path string, info fs.FileInfo) error {
	file, ok := info.Sys().(*syscall.Stat_t)
	if !ok || file.Nlink < 2 {
		return nil
	}
	folder, err := r.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if owner, ok := folder.Sys().(*syscall.Stat_t); ok && isForeignLink(uint64(file.Nlink), file.Uid, owner.Uid) {
		return errForeignLink
	}
	return nil
}

func isForeignLink(links uint64, fileOwner, folderOwner uint32) bool {
	return links > 1 && folderOwner != 0 && fileOwner != folderOwner
}

// notRegularError says what was found where a file was expected.
type notRegularError fs.FileMode

func (e notRegularError) Error() string {
	kind := "not a regular file"
	switch mode := fs.FileMode(e); {
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	}
	return "it is " + kind + "; only regular files are read"
}

// whyUnreadable puts an error of opening or reading in words, without the path,
// which the report names beside it.
func whyUnreadable(err error) string {
	var link *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it is not there (removed, or a link to nothing)"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied: let the user who runs crmwatch read it"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the packed file is cut off: fetch it again"
	case errors.Is(err, syscall.ELOOP):
		return "it is a symbolic link that leads to itself"
	case errors.As(err, &link) && link.Err != nil && link.Err.Error() == "path escapes from parent":
		return "it is a symbolic link that leads out of the given folder; name its target instead"
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}
