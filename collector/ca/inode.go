package ca

import (
	"io/fs"
	"syscall"
)

// inodeOf tells a file that was replaced by one of the same size in the same moment.
func inodeOf(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
