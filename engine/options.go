package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Options configures an engine that runs as a child process.
type Options struct {
	// Dir is the data directory; it is created with mode 0700.
	Dir string
	// Address is the loopback address to listen on; empty means 127.0.0.1 and any free port.
	Address string
	// Socket is the path of a unix socket to listen on in place of an address.
	Socket string
	// Admin and Reader are the credentials; one with an empty password gets a new random one at each Start.
	Admin, Reader Credential
	// Command starts the child; it must end in RunChild. Empty means this program with the argument "engine".
	Command []string
	// Library is the path of libchdb.so; empty means FindLibrary.
	Library string
	// Memory bounds the engine's memory, in bytes; 0 means 60 % of the machine's.
	Memory int64
	// Files are directories and files that admins may read and write with file() and the like. Everything else outside the
	// data directory is closed to the engine by the kernel (Landlock), as is the network.
	Files []string
	// Connections bounds the statements that run at once; 0 means 8.
	Connections int
	// Threads bounds the threads of one statement; 0 means the number of CPUs.
	Threads int
	// MaxBody bounds a request's body in bytes; 0 means 1 GiB.
	MaxBody int64
	// StartTimeout bounds one start of the child, which loads all tables; 0 means 2 minutes.
	StartTimeout time.Duration
	// DrainTimeout is how long running statements may take to end at a stop; 0 means 10 s.
	DrainTimeout time.Duration
	// ReadTimeout is how long a client may send nothing while the server waits for the rest of its request; 0 means 1 min.
	ReadTimeout time.Duration
	// Log takes what happens to the child; nil means slog.Default.
	Log *slog.Logger
	// OnRestart, if not nil, is called after the child has ended unbidden and serves again, with how it ended.
	OnRestart func(cause error)
	// OnRefused, if not nil, is told of wrong credentials and forbidden statements. It must not block.
	OnRefused func(Refusal)
}

func (o Options) withDefaults() (Options, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return o, fmt.Errorf("find data directory %q: %w", o.Dir, errors.Join(err, os.ErrInvalid))
	}
	o.Dir = dir
	if err := prepareDirectory(dir); err != nil {
		return o, err
	}
	if o.Library == "" {
		if o.Library, err = FindLibrary(); err != nil {
			return o, err
		}
	}
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("find own program: %w", err)
		}
		o.Command = []string{self, "engine"}
	}
	// The child runs in the data directory, so paths must not depend on the parent's.
	program, err := exec.LookPath(o.Command[0])
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return o, fmt.Errorf("find the engine's program: %w", err)
	}
	o.Command = append([]string{program}, o.Command[1:]...)
	files := make([]string, len(o.Files))
	for i, path := range o.Files {
		if files[i], err = filepath.Abs(path); err != nil {
			return o, fmt.Errorf("find file %q: %w", path, err)
		}
	}
	o.Files = files
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	orDefault(&o.StartTimeout, 2*time.Minute)
	orDefault(&o.DrainTimeout, 10*time.Second)
	return o, nil
}
