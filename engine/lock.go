package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const lockFile = "engine.lock"

// ErrLocked is what Serve's and Start's errors wrap when another process serves the data directory.
var ErrLocked = errors.New("the data directory is in use")

// lockedError is ErrLocked with the words of the child that met it.
type lockedError struct{ text string }

func (e *lockedError) Error() string { return e.text }
func (e *lockedError) Unwrap() error { return ErrLocked }

// lockDirectory takes the directory for this process until the file is closed or the process ends.
func lockDirectory(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock %s: %w", path, err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(file, 32)) // names the owner where it can; the refusal stands without
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w by process %s", dir, ErrLocked, strings.TrimSpace(string(owner)))
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := file.Truncate(0); err != nil {
		file.Close()
		return nil, fmt.Errorf("write lock %s: %w", path, err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		file.Close()
		return nil, fmt.Errorf("write lock %s: %w", path, err)
	}
	return file, nil
}
