package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

func init() {
	rows = append(rows,
		row{name: "a line of 512 MiB without an end", run: hugeLine},
		row{name: "lines at the longest length, odd bytes, NULs, byte order marks", run: func(g *rig, r *result) { g.happens(r, oddLines) }},
		row{name: "exports: line ends in quotes, killed while they are read", run: quotedExports},
		row{name: "exports: stray quotes, other headers, ten thousand columns", run: func(g *rig, r *result) { g.happens(r, badExports) }},
		row{name: "exports: replaced under the same name and header", run: func(g *rig, r *result) { g.happens(r, replacedExports) }},
		row{name: "a backlog of two million lines", run: backlog},
	)
}

// peakLimit is the most memory that an agent may take, in KiB.
const peakLimit = 256 << 10

func (t *trial) checkPeak(r *result) {
	r.note("at most %d MiB of memory", t.peak>>10)
	if t.peak > peakLimit {
		r.lost++
	}
}

func hugeLine(g *rig, r *result) {
	t := g.trial()
	t.configure("")
	t.write(20)
	info, err := os.Stat(t.log())
	must(err)
	must(os.Truncate(t.log(), info.Size()+512<<20)) // a hole: it reads as NULs
	appendTo(t.log(), "\n")
	t.write(20)
	f, err := os.OpenFile(t.log()+".801", os.O_CREATE|os.O_WRONLY, 0o644)
	must(err)
	for range 64 {
		_, err = f.WriteString(strings.Repeat("no end ", 1<<20/7+1))
		must(err)
	}
	must(f.Close())
	appendTo(t.log()+".801", "\n"+t.lines(20))
	t.finish(r)
	t.checkPeak(r)
}

func oddLines(t *trial) {
	const longest = 4 << 20
	for _, more := range []int{-1, 0, 1} {
		line := strings.TrimSuffix(t.lines(1), "\"\n")
		fill := longest + more - len(line) - 1
		if more > 0 { // too long: to quarantine
			t.written--
		}
		appendTo(t.log(), line+strings.Repeat("é", fill/2)+strings.Repeat("x", fill%2)+"\"\n")
		t.write(1)
	}
	odd := func(what string) {
		appendTo(t.log(), strings.Replace(t.lines(1), "sync/1.0", what, 1))
	}
	odd("\xff\xfe\x80 \xed\xa0\x80 \xc0\xaf")
	odd("\u202Etxt.exe\u202C")
	appendTo(t.log(), "\x00\x00\x00\n"+t.lines(1))
	appendTo(t.log(), "half\x00of a line\n"+t.lines(1)+"\r\n\r"+"\n"+t.lines(1))
	appendTo(t.log(), "\xEF\xBB\xBF"+t.lines(1))
	appendTo(t.log(), `{"a":`+strings.Repeat(`{"a":`, 1000)+"1e999\n"+t.lines(1))
}

const exportHeader = "\"EVENT_TYPE\",\"TIMESTAMP_DERIVED\",\"ORGANIZATION_ID\",\"USER_ID\",\"URI\",\"QUERY\"\n"

// exportRow is a row of an export, found again by its URI.
func (t *trial) exportRow(query string) string {
	row := fmt.Sprintf("\"RestApi\",\"2026-03-%02dT%02d:%02d:%02d.000Z\",\"00D5g0000000001EAA\",\"0055g000001AAAA\",\"/line/%s/%06d\",\"%s\"\n",
		2+t.written/86400%20, t.written/3600%24, t.written/60%60, t.written%60, t.source, t.written, query)
	t.written++
	return row
}

func (t *trial) export(name string, rows int, query string) string {
	var out strings.Builder
	out.WriteString(exportHeader)
	for range rows {
		out.WriteString(t.exportRow(query))
	}
	must(os.WriteFile(t.dir+"/logs/"+name, []byte(out.String()), 0o644))
	return out.String()
}

func quotedExports(g *rig, r *result) {
	for range g.few(20) {
		t := g.trial()
		t.configure("")
		t.export("a.csv", 4000, "SELECT Id\nFROM Contact, \"\"quoted\"\"\r\nLIMIT 5")
		for range 3 {
			agent := t.start()
			time.Sleep(time.Duration(20+g.random.IntN(250)) * time.Millisecond)
			must(agent.Process.Kill())
			_ = agent.Wait()
			r.kills++
		}
		t.finish(r)
	}
}

func badExports(t *trial) {
	text := t.export("b.csv", 50, "SELECT Id")
	text += strings.Replace(strings.TrimSuffix(t.exportRow("SELECT Id"), "\n"), "SELECT", "\"SELECT", 1) + "\n" // a stray quote
	t.written--
	for range 20 {
		text += t.exportRow("SELECT Id")
	}
	text += "\"EVENT_TYPE\",\"URI\",\"TIMESTAMP_DERIVED\",\"NEW_COLUMN\"\n" // another order, one more
	text += fmt.Sprintf("\"RestApi\",\"/line/%s/%06d\",\"2026-03-09T00:00:00.000Z\",\"new\"\n", t.source, t.written)
	t.written++
	must(os.WriteFile(t.dir+"/logs/b.csv", []byte(text), 0o644))
	must(os.WriteFile(t.dir+"/logs/c.csv", []byte("\"EVENT_TYPE\""+strings.Repeat(",\"X\"", 10_000)+"\n"), 0o644))
	must(os.WriteFile(t.dir+"/logs/d.csv", []byte("\"EVENT_TYPE\",\"TIMESTAMP_DERIVED\",\"\",\"\",\"URI\",\"URI\"\n"), 0o644))
}

// replacedExports: an export job writes over its file with other rows. The settled
// content of each time is read.
func replacedExports(t *trial) {
	for range 3 {
		t.export("daily.csv.tmp", 40, "SELECT Id")
		must(os.Rename(t.dir+"/logs/daily.csv.tmp", t.dir+"/logs/daily.csv"))
		// A job that replaces its file before anybody could read it leaves nothing to read.
		must(os.Link(t.dir+"/logs/daily.csv", fmt.Sprintf("%s/logs/kept-%06d.csv", t.dir, t.written)))
	}
}

// backlog lets two million lines pile up in the spool, and measures what the agent
// needs to start with them and to deliver them.
func backlog(g *rig, r *result) {
	lines := 2_000_000
	if g.quick {
		lines = 200_000
	}
	t := g.trial()
	t.configure("spool: {compression: none}\n")
	t.write(10)
	agent := t.start()
	time.Sleep(time.Second)
	pause(g, true)
	for range lines / 10_000 { // the memory of this process would count as the agent's
		t.write(10_000)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for last := int64(-1); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		size := folderSize(t.state)
		if size == last {
			break
		}
		last = size
	}
	must(agent.Process.Kill())
	_ = agent.Wait()
	r.kills++
	size := folderSize(t.state)
	pause(g, false)
	start := time.Now()
	t.finish(r)
	r.note("%d MiB waited and were delivered in %.1f s", size>>20, time.Since(start).Seconds())
	t.checkPeak(r)
}

func folderSize(dir string) (size int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			size += folderSize(dir + "/" + e.Name())
		} else if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}
