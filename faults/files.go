package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func init() {
	for _, s := range []struct {
		name string
		do   func(*trial)
	}{
		{"rename rotation, last line written just before", func(t *trial) { t.write(5); t.rotate(1); t.write(5) }},
		{"writer keeps the old file after a rename", func(t *trial) {
			old, err := os.OpenFile(t.log(), os.O_APPEND|os.O_WRONLY, 0)
			must(err)
			defer old.Close()
			t.rotate(1)
			t.write(5)
			_, err = old.WriteString(t.lines(5))
			must(err)
		}},
		{"copytruncate, writer appends", func(t *trial) { t.copyTruncate(); t.write(10) }},
		{"copytruncate, writer without append: a hole of NULs", func(t *trial) {
			f, err := os.OpenFile(t.log(), os.O_WRONLY, 0)
			must(err)
			defer f.Close()
			end, err := f.Seek(0, 2)
			must(err)
			t.copyTruncate()
			_, err = f.WriteAt([]byte("\n"+t.lines(5)), end)
			must(err)
		}},
		{"truncated and grown beyond the old end", func(t *trial) {
			must(os.Truncate(t.log(), 0))
			t.write(60)
		}},
		{"rewritten with other lines of the same length", func(t *trial) {
			info, err := os.Stat(t.log())
			must(err)
			n := int(info.Size()) / len(t.lines(0)+"203.0.113.7 - crm [02/Mar/2026:00:00:00 +0000] \"GET /line/trial-00000/000000 HTTP/1.1\" 200 512 \"-\" \"sync/1.0\"\n")
			must(os.WriteFile(t.log(), []byte(t.lines(n)), 0o644))
		}},
		{"removed and made anew, with the same inode", func(t *trial) { must(os.Remove(t.log())); t.write(20) }},
		{"replaced by a file with more lines", func(t *trial) {
			text, err := os.ReadFile(t.log())
			must(err)
			must(os.WriteFile(t.log()+".tmp", append(text, t.lines(10)...), 0o644))
			must(os.Rename(t.log()+".tmp", t.log()))
		}},
		{"rotated and packed with gzip", func(t *trial) {
			t.write(10)
			t.rotate(1)
			must(exec.Command("gzip", t.log()+".001").Run())
			t.write(10)
		}},
		{"half a line, completed later", func(t *trial) {
			line := t.lines(1)
			appendTo(t.log(), line[:30])
			time.Sleep(150 * time.Millisecond)
			appendTo(t.log(), line[30:])
		}},
		{"half a line at the end for ever", func(t *trial) {
			line := t.lines(1)
			appendTo(t.log(), line[:len(line)-1])
			t.rotate(1)
			t.write(3)
		}},
		{"CRLF at the end of lines", func(t *trial) {
			appendTo(t.log(), string(bytes.ReplaceAll([]byte(t.lines(10)), []byte("\n"), []byte("\r\n"))))
		}},
		{"links: a loop, a dangling one, one to /etc/shadow", func(t *trial) {
			must(os.Symlink("access.log.901", t.log()+".901"))
			must(os.Symlink("nowhere", t.log()+".902"))
			must(os.Symlink("/etc/shadow", t.log()+".903"))
			t.write(5)
		}},
		{"a FIFO, a folder, a device in place of a file", func(t *trial) {
			must(syscall.Mkfifo(t.log()+".901", 0o644))
			must(os.Mkdir(t.log()+".902", 0o755))
			_ = exec.Command("mknod", t.log()+".903", "c", "1", "5").Run()
			t.write(5)
		}},
		{"a hard link: one file under two names", func(t *trial) { must(os.Link(t.log(), t.log()+".901")); t.write(5) }},
		{"modification times that go backwards", func(t *trial) {
			t.write(5)
			must(os.Chtimes(t.log(), time.Unix(0, 0), time.Unix(0, 0)))
			t.write(5)
		}},
		{"a truncated gzip beside the log", func(t *trial) {
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			fmt.Fprint(w, "no log at all\n")
			w.Close()
			must(os.WriteFile(filepath.Join(t.dir, "logs", "x.csv.gz"), packed.Bytes()[:packed.Len()-9], 0o644))
			t.write(5)
		}},
		{"thousands of files", func(t *trial) {
			for n := range 3000 {
				appendTo(fmt.Sprintf("%s.%04d", t.log(), n+1000), t.lines(1))
			}
		}},
	} {
		rows = append(rows, row{name: "files: " + s.name, run: func(g *rig, r *result) { g.happens(r, s.do) }})
	}
}

func (t *trial) copyTruncate() {
	text, err := os.ReadFile(t.log())
	must(err)
	must(os.WriteFile(t.log()+".001", text, 0o644))
	must(os.Truncate(t.log(), 0))
}

// happens lets something happen to the logs of an agent that runs, of one that is
// down, and of one that was killed just before.
func (g *rig) happens(r *result, do func(*trial)) {
	for how := range 3 {
		t := g.trial()
		t.configure("")
		t.write(20)
		agent := t.start()
		time.Sleep(400 * time.Millisecond)
		if how > 0 {
			end := os.Interrupt
			if how == 2 {
				end = os.Kill
				r.kills++
			}
			_ = agent.Process.Signal(end)
			_ = agent.Wait()
		}
		do(t)
		if how == 0 {
			time.Sleep(400 * time.Millisecond)
			must(agent.Process.Kill())
			_ = agent.Wait()
			r.kills++
		}
		t.finish(r)
	}
}
