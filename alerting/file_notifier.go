package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// File is the notifier that appends alerts to a file: a WebhookMessage a line. The
// file is opened for each line, so it can be rotated at any time.
type File struct{ name, path string }

// NewFile makes a file notifier. It opens nothing yet.
func NewFile(name, path string) *File { return &File{name, path} }

// Name is the name of the configuration.
func (f *File) Name() string { return f.name }

// Pace is zero.
func (f *File) Pace() time.Duration { return 0 }

// Post appends an alert.
func (f *File) Post(_ context.Context, a schema.Alert, repeat Repeat) (Receipt, error) {
	return Receipt{Message: a.UID.String()}, f.append("alert.opened", a, repeat)
}

// Update appends an alert that has changed.
func (f *File) Update(_ context.Context, _ Receipt, a schema.Alert, repeat Repeat) error {
	return f.append("alert.changed", a, repeat)
}

// Find fails: the file may have been rotated away.
func (f *File) Find(context.Context, schema.UID, time.Time) (Receipt, bool, error) {
	return Receipt{}, false, ErrCannotFind
}

func (f *File) append(event string, a schema.Alert, repeat Repeat) error {
	line, err := json.Marshal(documentOf(event, f.name, a, repeat))
	if err != nil {
		return fmt.Errorf("write alert %s as JSON: %w", a.UID, err)
	}
	return f.appendLine(line)
}

// appendLine writes one line whole and on the disk, or nothing.
func (f *File) appendLine(line []byte) (err error) {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return fmt.Errorf("open file of alerts: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("look at file of alerts: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &RefusedError{Code: "not a file", Mend: fmt.Sprintf("%s is no file: name one", f.path)}
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return &RefusedError{Code: "readable by all", Mend: fmt.Sprintf("everyone on this machine can use %s (mode %04o): run chmod 0600 %s", f.path, mode, f.path)}
	}
	// A process that was killed, or a full disk, may have left a line without its end.
	if last := make([]byte, 1); info.Size() > 0 {
		if _, err := file.ReadAt(last, info.Size()-1); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read file of alerts: %w", err)
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write to file of alerts: %w", errors.Join(err, file.Truncate(info.Size())))
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("write to file of alerts: %w (%w)", ErrOutcomeUnknown, err)
	}
	return nil
}
