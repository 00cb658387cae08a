package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// LibraryVersion is the chDB release this package is written and tested against; it names the cache directory.
const LibraryVersion = "26.7.3-stable.1"

// LibraryEnv is the environment variable that points at another copy of libchdb.so.
const LibraryEnv = "CRMWATCH_LIBCHDB"

const libraryFile = "libchdb.so"

// ErrLibraryMissing is what FindLibrary's error wraps when no copy of libchdb.so was found.
var ErrLibraryMissing = errors.New("libchdb.so is missing")

// FindLibrary returns the path of libchdb.so: $CRMWATCH_LIBCHDB (which must then exist), the cache that `make engine`
// fills (${XDG_CACHE_HOME:-$HOME/.cache}/crmwatch/chdb-VERSION), or the directory of the running program.
// The error wraps ErrLibraryMissing, names every place that was tried and says how to get the library.
func FindLibrary() (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		if !isFile(path) {
			return "", missingLibrary(path + " (from " + LibraryEnv + ")")
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("find the ClickHouse engine: %w", err)
		}
		return absolute, nil
	}
	var tried []string
	if cache, err := os.UserCacheDir(); err == nil {
		tried = append(tried, filepath.Join(cache, "crmwatch", "chdb-"+LibraryVersion, libraryFile))
	}
	if self, err := os.Executable(); err == nil {
		tried = append(tried, filepath.Join(filepath.Dir(self), libraryFile))
	}
	for _, path := range tried {
		if isFile(path) {
			return path, nil
		}
	}
	return "", missingLibrary(tried...)
}

func missingLibrary(tried ...string) error {
	return fmt.Errorf("find the ClickHouse engine: %w (looked at %q): run `make engine`, which fetches the npm package %s, or set %s to a copy",
		ErrLibraryMissing, tried, libraryPackage(), LibraryEnv)
}

// libraryPackage is the npm package that carries libchdb.so for this machine.
func libraryPackage() string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	return "@chdb/lib-linux-" + arch + "-gnu@" + LibraryVersion
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
