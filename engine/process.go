package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// tailLines is how much of the child's standard error an error quotes.
const tailLines = 20

// child is one run of the engine's process.
type child struct {
	command *exec.Cmd
	input   io.WriteCloser // its end tells the child to stop
	exited  chan struct{}
	waitErr error // valid after exited

	mutex sync.Mutex
	tail  []string
}

// startChild starts the process and waits until it serves.
func (e *Engine) startChild(ctx context.Context) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, e.options.StartTimeout)
	defer cancel()
	reports, reportEnd, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	command := exec.Command(e.options.Command[0], e.options.Command[1:]...)
	command.Dir = e.options.Dir
	environment, err := e.environment()
	if err != nil {
		_ = reports.Close()
		return nil, errors.Join(err, reportEnd.Close())
	}
	command.Env = environment
	command.ExtraFiles = []*os.File{e.socket, reportEnd}
	// A process group of its own: the terminal's Ctrl-C is for the parent, which still has things to write.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c := &child{command: command, exited: make(chan struct{})}
	input, err := command.StdinPipe()
	if err == nil {
		c.input = input
		var stderr io.ReadCloser
		if stderr, err = command.StderrPipe(); err == nil {
			if err = command.Start(); err == nil {
				go c.wait(stderr, e.options.Log)
			}
		}
	}
	reportEnd.Close()
	if err != nil {
		_ = reports.Close()
		return nil, fmt.Errorf("start engine: %w", err)
	}
	if err := c.instruct(e.instructions()); err != nil {
		_ = reports.Close()
		c.kill()
		return nil, errors.Join(err, c.failure())
	}
	if err := c.awaitReady(ctx, reports, e.options.OnRefused); err != nil {
		c.kill()
		return nil, err
	}
	return c, nil
}

// environment is all that the child gets: whatever secrets the parent's environment holds stay there.
func (e *Engine) environment() ([]string, error) {
	o := e.options
	box, err := json.Marshal(newSandbox(o.Dir, o.Library, o.Files))
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	return []string{"TZ=UTC", "LANG=C.UTF-8", "HOME=" + o.Dir, "PATH=/usr/bin:/bin", sandboxEnv + "=" + string(box)}, nil
}

func (e *Engine) instructions() instructions {
	o := e.options
	return instructions{
		Dir: o.Dir, Library: o.Library, Admin: e.endpoint.Admin, Reader: e.endpoint.Reader, Memory: o.Memory,
		Connections: o.Connections, Threads: o.Threads, MaxBody: o.MaxBody, DrainTimeout: o.DrainTimeout,
		ReadTimeout: o.ReadTimeout,
	}
}

func (c *child) instruct(in instructions) error {
	line, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("instruct engine: %w", err)
	}
	if _, err := c.input.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("instruct engine: %w", err)
	}
	return nil
}

// awaitReady reads the child's report; the pipe ends without one if the child dies. What is refused afterwards comes on
// the same pipe, until the child ends.
func (c *child) awaitReady(ctx context.Context, reports *os.File, refused func(Refusal)) error {
	answers := make(chan report, 1)
	go func() {
		defer reports.Close()
		decoder := json.NewDecoder(reports)
		var r report
		_ = decoder.Decode(&r) // an empty report is the answer of a dead child
		answers <- r
		for r.Ready {
			var later report
			if decoder.Decode(&later) != nil {
				return
			}
			if later.Refused != nil && refused != nil {
				refused(*later.Refused)
			}
		}
	}()
	select {
	case r := <-answers:
		switch {
		case r.Ready:
			return nil
		case r.Locked:
			return fmt.Errorf("start engine: %w", &lockedError{r.Error})
		case r.Error != "":
			return fmt.Errorf("start engine: %s", r.Error)
		}
		<-c.exited
		return fmt.Errorf("start engine: %w", c.failure())
	case <-ctx.Done():
		return fmt.Errorf("start engine: %w%s", ctx.Err(), c.quoteTail())
	}
}

// wait passes the child's standard error on to the log, keeps its end for errors, and reaps the process. The engine says
// nothing there while all is well.
func (c *child) wait(stderr io.Reader, log *slog.Logger) {
	defer close(c.exited)
	lines := bufio.NewReaderSize(stderr, 4096)
	for {
		line, err := lines.ReadSlice('\n') // a longer line comes in parts
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			c.mutex.Lock()
			c.tail = append(c.tail, text)
			c.tail = c.tail[max(0, len(c.tail)-tailLines):]
			c.mutex.Unlock()
			log.Warn("engine says", "output", text)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	c.waitErr = c.command.Wait()
}

// failure says how the child ended.
func (c *child) failure() error {
	<-c.exited
	if c.waitErr == nil {
		return fmt.Errorf("engine process ended by itself%s", c.quoteTail())
	}
	return fmt.Errorf("engine process ended: %w%s", c.waitErr, c.quoteTail())
}

func (c *child) quoteTail() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.tail) == 0 {
		return ""
	}
	return "; it said: " + strings.Join(c.tail, " | ")
}

// stop asks the child to end and waits; when ctx ends it is killed.
func (c *child) stop(ctx context.Context) error {
	select {
	case <-c.exited:
		return nil // it had ended before it was asked, and the supervisor has said so
	default:
	}
	closeErr := c.input.Close()
	select {
	case <-c.exited:
	case <-ctx.Done():
		c.kill()
		return fmt.Errorf("stop engine: %w", ctx.Err())
	}
	if c.waitErr != nil {
		return fmt.Errorf("stop engine: %w", c.failure())
	}
	if closeErr != nil && !errors.Is(closeErr, os.ErrClosed) {
		return fmt.Errorf("stop engine: %w", closeErr)
	}
	return nil
}

func (c *child) kill() {
	_ = c.command.Process.Kill() // it may have ended by itself
	_ = c.input.Close()
	<-c.exited
}
