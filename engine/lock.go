package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
			process, _, _ := strings.Cut(string(owner), "\n")
			return nil, fmt.Errorf("lock %s: %w by process %s", dir, ErrLocked, process)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := file.Truncate(0); err != nil {
		file.Close()
		return nil, fmt.Errorf("write lock %s: %w", path, err)
	}
	if _, err := file.WriteAt(fmt.Appendf(nil, "%d\n%d\n", os.Getpid(), os.Getppid()), 0); err != nil {
		file.Close()
		return nil, fmt.Errorf("write lock %s: %w", path, err)
	}
	return file, nil
}

// Orphaned says whether the process that has the directory open has lost the one that
// started it: an engine whose crmwatch was killed ends by itself, but not at once.
func Orphaned(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, lockFile))
	if err != nil {
		return false
	}
	var process, parent, now int
	if n, _ := fmt.Sscanf(string(text), "%d\n%d", &process, &parent); n < 2 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return false
	}
	// The name in brackets may hold anything; state and parent follow it.
	_, rest, found := strings.Cut(string(stat), ") ")
	if n, _ := fmt.Sscanf(rest, "%1s %d", new(string), &now); !found || n < 2 {
		return false
	}
	return now != parent
}
