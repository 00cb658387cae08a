package engine

import (
	"log/slog"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// killTimeout is how long cancelled statements may take to end at a stop.
const killTimeout = 10 * time.Second

// ServeOptions configures the engine's process.
type ServeOptions struct {
	// Dir is the data directory; it is created with mode 0700 and belongs to one process at a time.
	Dir string
	// Listener is where to serve; it is closed at the end.
	Listener net.Listener
	// Admin and Reader are the credentials; one with an empty password does not exist.
	Admin, Reader Credential
	// Library is the path of libchdb.so; empty means FindLibrary.
	Library string
	// Memory bounds the engine's memory, in bytes; 0 means 60 % of the machine's.
	Memory int64
	// Connections bounds the statements that run at once; 0 means 8. Queue bounds those that wait; 0 means 256.
	Connections, Queue int
	// Threads bounds the threads of one statement and sizes the background pools; 0 means the number of CPUs.
	Threads int
	// MaxBody bounds a request's body, on the wire and decoded, in bytes; 0 means 1 GiB.
	MaxBody int64
	// MaxAnswerHeld bounds what wait_end_of_query=1 holds back before the answer is streamed; 0 means 16 MiB.
	MaxAnswerHeld int
	// DrainTimeout is how long running statements may take to end at a stop; 0 means 10 s.
	DrainTimeout time.Duration
	// ReadTimeout is how long a client may send nothing while the server waits for the rest of its request; 0 means 1 min.
	ReadTimeout time.Duration
	// Log takes what the server has to say; nil means slog.Default.
	Log *slog.Logger
	// Ready is called once the engine answers.
	Ready func()
	// OnRefused, if not nil, is told of wrong credentials and forbidden statements. It must not block.
	OnRefused func(Refusal)
}

func (o ServeOptions) withDefaults() ServeOptions {
	if o.Memory == 0 {
		o.Memory = machineMemory() / 10 * 6
	}
	orDefault(&o.Connections, 8)
	orDefault(&o.Queue, 256)
	orDefault(&o.Threads, runtime.GOMAXPROCS(0)) // which knows of container limits
	orDefault(&o.MaxBody, 1<<30)
	orDefault(&o.MaxAnswerHeld, 16<<20)
	orDefault(&o.DrainTimeout, 10*time.Second)
	orDefault(&o.ReadTimeout, time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func orDefault[T int | int64 | time.Duration](value *T, standard T) {
	if *value == 0 {
		*value = standard
	}
}

func machineMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 2 << 30
	}
	return int64(info.Totalram) * int64(info.Unit)
}
