package spool

import "io"

// FS is the folder of a spool, with every operation that a spool does there. Names
// are those of files in the folder. It is a seam so that a simulation can run a
// spool on a disk that forgets what was not synced.
type FS interface {
	// Check says why the folder cannot be trusted with a spool, and the mend.
	Check() error
	// Lock keeps every other process out until it is closed.
	Lock() (io.Closer, error)
	// List gives the names in the folder, in no order.
	List() ([]string, error)
	// Create makes a new file of mode 0600, which must not be there.
	Create(name string) (File, error)
	// Open opens a file for reading; it does not follow links.
	Open(name string) (File, error)
	// Rename replaces what has the new name.
	Rename(from, to string) error
	Remove(name string) error
	// SyncFolder makes names durable: what was created, renamed and removed.
	SyncFolder() error
}

// File is an open file of a spool.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the content durable (fdatasync).
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}
