package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// folder is a spool's folder on the operating system's disk.
type folder struct{ dir string }

// Folder is the folder dir, which it makes with mode 0700.
func Folder(dir string) (FS, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	return folder{dir}, nil
}

// At is the folder dir as it is, to look at.
func At(dir string) FS { return folder{dir} }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) Check() error {
	info, err := os.Lstat(f.dir)
	if err != nil {
		return fmt.Errorf("look at spool folder: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("spool folder %s is a link or a file: name the folder itself", f.dir)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("spool folder %s has mode %04o and lets others in: run: chmod 700 %s", f.dir, mode, f.dir)
	}
	var s unix.Stat_t
	if err := unix.Lstat(f.dir, &s); err != nil {
		return fmt.Errorf("look at spool folder: %w", err)
	}
	if uid := os.Geteuid(); int(s.Uid) != uid {
		return fmt.Errorf("spool folder %s belongs to user %d and crmwatch runs as %d: run: chown %d %s", f.dir, s.Uid, uid, uid, f.dir)
	}
	return nil
}

func (f folder) Lock() (io.Closer, error) {
	lock, err := os.OpenFile(f.path("lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock spool: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock spool folder %s: another crmwatch uses it: give each its own", f.dir)
	}
	return lock, nil
}

func (f folder) List() ([]string, error) {
	d, err := os.Open(f.dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func (f folder) Create(name string) (File, error) {
	file, err := os.OpenFile(f.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	return asFile(file, err)
}

func (f folder) Open(name string) (File, error) {
	file, err := os.OpenFile(f.path(name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == nil {
		if info, statErr := file.Stat(); statErr == nil && !info.Mode().IsRegular() {
			file.Close()
			return nil, fmt.Errorf("open %s: it is not a regular file", name)
		}
	}
	return asFile(file, err)
}

func asFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f folder) Rename(from, to string) error { return os.Rename(f.path(from), f.path(to)) }

func (f folder) Remove(name string) error { return os.Remove(f.path(name)) }

func (f folder) SyncFolder() error {
	d, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

type osFile struct{ *os.File }

func (f osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
