package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// What the parent hands over: options and credentials as one line of JSON on standard input, which then stays open for as
// long as the parent lives; the listening socket and the pipe for the report as files 3 and 4.
const (
	listenerFile = 3
	reportFile   = 4
)

// instructions is the line on the child's standard input. It carries the credentials, so that they appear neither in the
// arguments nor in the environment of the process.
type instructions struct {
	Dir          string        `json:"dir"`
	Library      string        `json:"library"`
	Admin        Credential    `json:"admin"`
	Reader       Credential    `json:"reader"`
	Memory       int64         `json:"memory"`
	Connections  int           `json:"connections"`
	Threads      int           `json:"threads"`
	MaxBody      int64         `json:"max_body"`
	DrainTimeout time.Duration `json:"drain_timeout"`
	ReadTimeout  time.Duration `json:"read_timeout"`
}

// report is a line of the child on the report pipe: first how the start went, then what is refused.
type report struct {
	Ready  bool   `json:"ready"`
	Locked bool   `json:"locked,omitempty"`
	Error  string `json:"error,omitempty"`
	// Refused is told after the child is ready, as often as there is something.
	Refused *Refusal `json:"refused,omitempty"`
}

// RunChild is the main function of the engine's child process, as Start starts it: it reads its instructions from the
// standard input, serves, and returns after a clean stop. It stops on SIGTERM, SIGINT and the end of standard input,
// which is what a parent that was killed leaves behind.
func RunChild(ctx context.Context) error {
	if err := enterSandbox(); err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM, unix.SIGINT)
	defer stop()
	reports := os.NewFile(reportFile, "report")
	stdin, err := takeStdin()
	if err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	input := bufio.NewReader(stdin)
	options, err := readInstructions(input)
	if err != nil {
		return fmt.Errorf("start engine (this command is for crmwatch's own use): %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
		// The C library may be stuck; a parent that is gone must not leave a process behind.
		time.Sleep(options.DrainTimeout + 2*killTimeout)
		os.Exit(1)
	}()
	defer reports.Close()
	options.Ready = func() { writeReport(reports, report{Ready: true}) }
	options.OnRefused = tellParent(reports)
	if err := Serve(ctx, options); err != nil {
		writeReport(reports, report{Error: err.Error(), Locked: errors.Is(err, ErrLocked)})
		return err
	}
	return nil
}

// takeStdin moves the standard input out of the engine's reach: chDB reads the data of an INSERT that has none from it.
func takeStdin() (*os.File, error) {
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, reportFile+1)
	if err != nil {
		return nil, fmt.Errorf("take standard input: %w", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("take standard input: %w", err)
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), 0, 0); err != nil {
		return nil, fmt.Errorf("take standard input: %w", err)
	}
	return os.NewFile(uintptr(fd), "instructions"), nil
}

func readInstructions(input *bufio.Reader) (ServeOptions, error) {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return ServeOptions{}, fmt.Errorf("read instructions: %w", err)
	}
	var in instructions
	if err := json.Unmarshal(line, &in); err != nil {
		return ServeOptions{}, fmt.Errorf("read instructions: %w", err)
	}
	file := os.NewFile(listenerFile, "listener")
	listener, err := net.FileListener(file)
	if err != nil {
		return ServeOptions{}, fmt.Errorf("take over listening socket: %w", err)
	}
	file.Close()
	if unixListener, ok := listener.(*net.UnixListener); ok {
		unixListener.SetUnlinkOnClose(false) // the path is the parent's
	}
	orDefault(&in.DrainTimeout, 10*time.Second)
	return ServeOptions{
		Dir: in.Dir, Listener: listener, Admin: in.Admin, Reader: in.Reader, Library: in.Library,
		Memory: in.Memory, Connections: in.Connections, Threads: in.Threads, MaxBody: in.MaxBody,
		DrainTimeout: in.DrainTimeout, ReadTimeout: in.ReadTimeout, Log: slog.Default(),
	}, nil
}

// writeReport tells the parent; one that is gone needs no telling.
func writeReport(file *os.File, r report) {
	line, _ := json.Marshal(r) // plain fields
	_, _ = file.Write(append(line, '\n'))
}
