package agent

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestAnyHistory makes up histories of a log: lines, half lines, rotations of every
// kind, polls, crashes and a database that stands still; every line is stored once.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := followRig(t)
		defer r.kill()
		r.kill()
		r.byHand = true
		r.start()
		r.write(log, "")
		next, rotated, rest := 0, 0, ""
		appendLines := func(n int) {
			r.add(log, rest+lines(next, next+n))
			next, rest = next+n, ""
		}
		rotate := func(how func(to string)) func(*rapid.T) {
			return func(*rapid.T) {
				// A server ends its line before it lets the file go.
				appendLines(0)
				rotated++
				how(fmt.Sprintf("%s.%03d", log, rotated))
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"lines": func(rt *rapid.T) { appendLines(rapid.IntRange(1, 60).Draw(rt, "lines")) },
			"half a line": func(rt *rapid.T) {
				appendLines(0)
				whole := line(next)
				cut := rapid.IntRange(1, len(whole)-1).Draw(rt, "cut")
				r.add(log, whole[:cut])
				next, rest = next+1, whole[cut:]
			},
			"rename": rotate(func(to string) {
				r.rename(log, to)
				r.write(log, "")
			}),
			"copy and truncate": rotate(func(to string) {
				content, err := os.ReadFile(r.path(log))
				if err != nil {
					t.Fatal(err)
				}
				r.write(to, string(content))
				if err := os.Truncate(r.path(log), 0); err != nil {
					t.Fatal(err)
				}
			}),
			"pack": rotate(func(to string) {
				content, err := os.ReadFile(r.path(log))
				if err != nil {
					t.Fatal(err)
				}
				r.write(to+".gz", gzipped(t, string(content)))
				os.Remove(r.path(log))
				r.write(log, "")
			}),
			"poll":                     func(*rapid.T) { r.step(time.Second) },
			"wait":                     func(*rapid.T) { r.step(15 * time.Second) },
			"crash":                    func(*rapid.T) { r.restart() },
			"store":                    func(*rapid.T) { r.shipNow(true) },
			"crash while it is stored": func(*rapid.T) { r.shipNow(false); r.restart() },
		})
		appendLines(0)
		for range 40 {
			r.step(3 * time.Second)
			r.shipNow(true)
		}
		want := wantPaths(0, next)
		got := r.store.paths()
		if !slices.Equal(want, got) {
			rt.Fatalf("stored lines (-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}
