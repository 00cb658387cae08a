package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hpcloud/tail"
)

// errChanged means that a file was overwritten while it was read.
var errChanged = errors.New("the file changed while it was read")

// tailLines reads complete lines with hpcloud/tail. vetted is what the caller has
// just read at offset: whole lines, none too long. What comes back is a beginning
// of it, again in whole lines; the last line may be left for the next call.
//
// The library is used in the only way in which it loses nothing. We hold the file,
// so renames and deletions do not concern it; it opens our descriptor anew through
// /proc, starts where we say and reads lines that we know to be there:
//   - it does not follow by itself, because then it ends the process when a stat
//     fails, starts a truncated file over without a word, and forgets a rotated one;
//   - it is stopped before it takes the last vetted line, because it would read on,
//     and it keeps all of a line without an end in memory;
//   - its channel is drained before we wait for it, or it would never end.
func tailLines(f *os.File, offset int64, vetted []byte) ([]byte, error) {
	t, err := tail.TailFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), tail.Config{
		Location:  &tail.SeekInfo{Offset: offset, Whence: io.SeekStart},
		MustExist: true,
		Poll:      true,
		Logger:    tail.DiscardingLogger,
	})
	if err != nil {
		return nil, fmt.Errorf("tail log: %w", err)
	}
	expected := bytes.Count(vetted, []byte("\n"))
	lines := make([]byte, 0, len(vetted))
	for n := 0; ; n++ {
		if n >= expected-1 {
			t.Kill(nil)
		}
		line, more := <-t.Lines
		if !more {
			break
		}
		if n < expected && line.Err == nil {
			lines = append(append(lines, line.Text...), '\n')
		}
	}
	if err := t.Wait(); err != nil {
		return nil, fmt.Errorf("tail log: %w", err)
	}
	if !bytes.HasPrefix(vetted, lines) {
		return nil, errChanged
	}
	return lines, nil
}
