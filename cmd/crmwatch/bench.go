package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/crmwatch/crmwatch/agent"
	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/collector/insert"
	"github.com/crmwatch/crmwatch/simulate"
	"golang.org/x/sync/errgroup"
)

type benchCommand struct {
	Format  string `default:"elf" enum:"elf,nginx-json" help:"elf: EventLogFile CSV of 45 quoted columns; nginx-json: JSON lines of 1.1 KB."`
	Size    int64  `default:"1024" help:"Size of all EventLogFiles in MiB."`
	Files   int    `default:"1" help:"Number of EventLogFiles of equal size; crmwatch reads as many at once as there are cores."`
	Runs    int    `default:"5" help:"Runs of each way; medians are compared."`
	Dir     string `placeholder:"DIR" help:"Where the file and the databases go, about four times the size; without it the temporary directory."`
	Threads int    `default:"2" help:"Threads that the engine may use for its own reading."`
	Profile string `placeholder:"FILE" help:"Write a CPU profile (pprof) of the last load through the spool; only crmwatch's own process is in it."`
}

func (benchCommand) Help() string {
	return `Writes one EventLogFile of 45 quoted columns and loads it in turn
  - with crmwatch: decode, redact, deduplicate by content, keep in a spool with fsync, insert into the
    events table, acknowledge; and the same without the spool, as ingest does;
  - with the engine's own INSERT ... SELECT FROM file(..., CSVWithNames), once into a table of the
    file's columns as they are, once into the same events table with the mapping written in SQL.
Every run starts with an empty database. Processor time is that of all processes together.`
}

func (c *benchCommand) Run(ctx context.Context, term terminal) error {
	dir, err := os.MkdirTemp(c.Dir, "crmwatch-bench-*")
	if err != nil {
		return fmt.Errorf("make bench directory: %w", err)
	}
	defer os.RemoveAll(dir)
	logs := filepath.Join(dir, "logs")
	rows, err := c.writeFiles(logs)
	if err != nil {
		return err
	}
	what := "EventLogFile RestApi, 45 columns"
	if c.Format == "nginx-json" {
		what = "nginx JSON lines"
	}
	fmt.Fprintf(term.out, "%s: %d MiB in %s, %s; %s each, medians\n\n", what, c.Size, plural(c.Files, "file"), plural(rows, "row"), plural(c.Runs, "run"))
	ways := []benchWay{
		{"crmwatch, durable spool, events", benchSpooled},
		{"crmwatch ingest, into events", benchIngest},
		{"file(), columns as they are", c.benchRaw},
		{"file(), mapped into events", c.benchMapped},
	}
	measures := make([][]benchMeasure, len(ways))
	for run := range c.Runs {
		for i, way := range ways {
			if i == 0 && run == c.Runs-1 && c.Profile != "" {
				way.load = profiled(c.Profile, way.load)
			}
			m, err := way.measure(ctx, dir, logs, rows)
			if err != nil {
				return fmt.Errorf("measure %s: %w", way.name, err)
			}
			measures[i] = append(measures[i], m)
		}
	}
	fmt.Fprintf(term.out, "%-32s %9s %9s %12s %9s\n", "", "wall s", "CPU s", "rows/s", "MiB/s")
	medians := make([]benchMeasure, len(ways))
	for i, way := range ways {
		medians[i] = medianMeasure(measures[i])
		fmt.Fprintf(term.out, "%-32s %9.2f %9.2f %12s %9.0f\n", way.name, medians[i].wall.Seconds(), medians[i].cpu.Seconds(),
			grouped(int64(float64(rows)/medians[i].wall.Seconds())), float64(c.Size)/medians[i].wall.Seconds())
	}
	fmt.Fprintln(term.out)
	for i := 2; i < len(ways); i++ {
		fmt.Fprintf(term.out, "crmwatch, durable spool, against %-28s %.2fx by the clock, %.2fx by processor time\n", ways[i].name+":",
			medians[i].wall.Seconds()/medians[0].wall.Seconds(), medians[i].cpu.Seconds()/medians[0].cpu.Seconds())
	}
	return nil
}

// benchWay is one way of loading the file; it returns the rows in the table.
type benchWay struct {
	name string
	load func(ctx context.Context, db *database, logs string) (table string, err error)
}

type benchMeasure struct{ wall, cpu time.Duration }

// measure loads the files into a new database and checks that every row is there.
func (w benchWay) measure(ctx context.Context, dir, logs string, rows int64) (benchMeasure, error) {
	data := filepath.Join(dir, "data")
	defer os.RemoveAll(data)
	db, err := openDatabase(ctx, data, databaseOptions{files: []string{logs}})
	if err != nil {
		return benchMeasure{}, err
	}
	defer db.close()
	ownBefore, engineBefore, start := ownCPU(), processCPU(db.engine.PID()), time.Now()
	table, err := w.load(ctx, db, logs)
	if err != nil {
		return benchMeasure{}, err
	}
	m := benchMeasure{wall: time.Since(start), cpu: ownCPU() - ownBefore + processCPU(db.engine.PID()) - engineBefore}
	var stored uint64
	if err := db.conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&stored); err != nil {
		return m, fmt.Errorf("count rows: %w", err)
	}
	if int64(stored) != rows {
		return m, fmt.Errorf("%d rows are stored, expected %d", stored, rows)
	}
	return m, nil
}

// benchSpooled is what an agent does: nothing is inserted before it is durable.
func benchSpooled(ctx context.Context, db *database, logs string) (string, error) {
	key, err := agent.LoadKey(db.dir)
	if err != nil {
		return "", err
	}
	if err := db.deferMerges(ctx, []string{logs}); err != nil {
		return "", err
	}
	folder, err := spool.Folder(filepath.Join(db.dir, "spool"))
	if err != nil {
		return "", err
	}
	queue, _, err := spool.Open(spool.Options{FS: folder, Compression: spool.None})
	if err != nil {
		return "", err
	}
	defer queue.Close()
	deliverer := agent.Deliverer{Spool: queue, Send: (&insert.Inserter{Conn: db.conn}).Insert, Log: slog.New(slog.DiscardHandler)}
	group, ctx := errgroup.WithContext(ctx)
	deliverCtx, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() error { return deliverer.Run(deliverCtx) })
	group.Go(func() error {
		defer stop()
		report, err := agent.Load(ctx, agent.LoadOptions{
			Paths: []string{logs}, Redactor: redact.New(key), Source: "bench",
			Ship: func(ctx context.Context, s agent.Sealed) error {
				_, err := queue.Append(ctx, spool.Batch{Sealed: time.Now(), Events: s.Events, Quarantine: s.Quarantine})
				return err
			},
		})
		if err == nil && report.Totals.Quarantined > 0 {
			err = fmt.Errorf("%d records are quarantined", report.Totals.Quarantined)
		}
		for err == nil && queue.Stats().PendingBatches > 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return err
	})
	return "events", group.Wait()
}

func benchIngest(ctx context.Context, db *database, logs string) (string, error) {
	key, err := agent.LoadKey(db.dir)
	if err != nil {
		return "", err
	}
	if err := db.deferMerges(ctx, []string{logs}); err != nil {
		return "", err
	}
	inserter := &insert.Inserter{Conn: db.conn}
	report, err := agent.Load(ctx, agent.LoadOptions{
		Paths: []string{logs}, Ship: func(ctx context.Context, s agent.Sealed) error { return inserter.Insert(ctx, s.Delivery("bench")) }, Redactor: redact.New(key), Source: "bench",
	})
	if err == nil && report.Totals.Quarantined > 0 {
		err = fmt.Errorf("%d records are quarantined", report.Totals.Quarantined)
	}
	return "events", err
}

var jsonName = regexp.MustCompile(`[{,]"([a-z_]+)":`)

// settings of the engine's own reading: as many threads as crmwatch has cores.
func (c *benchCommand) settings() string {
	return fmt.Sprintf(" SETTINGS max_threads = %d, max_insert_threads = %d, input_format_parallel_parsing = 1, async_insert = 0", c.Threads, c.Threads)
}

func (c *benchCommand) benchRaw(ctx context.Context, db *database, logs string) (string, error) {
	columns, err := c.headerOf(logs)
	if err != nil {
		return "", err
	}
	if err := db.conn.Exec(ctx, "CREATE TABLE raw ("+strings.Join(columns, " String, ")+" String) ENGINE = MergeTree ORDER BY tuple()"); err != nil {
		return "", fmt.Errorf("create table: %w", err)
	}
	return "raw", c.insertFrom(ctx, db, logs, "INSERT INTO raw SELECT "+strings.Join(columns, ", "))
}

func (c *benchCommand) insertFrom(ctx context.Context, db *database, logs, insert string) error {
	columns, err := c.headerOf(logs)
	if err != nil {
		return err
	}
	files, format := "*.csv", "CSVWithNames"
	if c.Format == "nginx-json" {
		files, format = "*.json", "JSONEachRow"
	}
	structure := strings.Join(columns, " String, ") + " String"
	if err := db.conn.Exec(ctx, insert+" FROM file('"+filepath.Join(logs, files)+"', '"+format+"', '"+structure+"')"+c.settings()); err != nil {
		return fmt.Errorf("insert from file: %w", err)
	}
	return nil
}

// headerOf reads the column names of the first file.
func (c *benchCommand) headerOf(logs string) ([]string, error) {
	f, err := os.Open(filepath.Join(logs, c.fileName(0)))
	if err != nil {
		return nil, fmt.Errorf("open bench file: %w", err)
	}
	defer f.Close()
	head := make([]byte, 8<<10)
	n, err := f.Read(head)
	if err != nil {
		return nil, fmt.Errorf("read bench file: %w", err)
	}
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	if c.Format == "nginx-json" {
		var names []string
		for _, m := range jsonName.FindAllStringSubmatch(line, -1) {
			names = append(names, m[1])
		}
		return names, nil
	}
	return strings.Split(strings.ReplaceAll(line, `"`, ""), ","), nil
}

func (c *benchCommand) fileName(number int) string {
	if c.Format == "nginx-json" {
		return fmt.Sprintf("access_%d.json", number)
	}
	return fmt.Sprintf("RestApi_%d.csv", number)
}

// writeFiles writes the files and counts their rows.
func (c *benchCommand) writeFiles(logs string) (rows int64, err error) {
	if err := os.Mkdir(logs, 0o700); err != nil {
		return 0, fmt.Errorf("make bench directory: %w", err)
	}
	for number := range max(1, c.Files) {
		n, err := c.writeBenchFile(filepath.Join(logs, c.fileName(number)), c.Size<<20/int64(max(1, c.Files)), uint64(number+1))
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}

func (c *benchCommand) writeBenchFile(path string, size int64, seed uint64) (rows int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("create bench file: %w", err)
	}
	write := simulate.ELF
	if c.Format == "nginx-json" {
		write = simulate.NginxJSON
	}
	rows, err = write(f, simulate.Limit{Bytes: size}, seed)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, fmt.Errorf("write bench file: %w", err)
	}
	return rows, nil
}

// medianMeasure takes the median of each figure by itself.
func medianMeasure(all []benchMeasure) benchMeasure {
	wall, cpu := make([]time.Duration, len(all)), make([]time.Duration, len(all))
	for i, m := range all {
		wall[i], cpu[i] = m.wall, m.cpu
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return benchMeasure{wall[len(wall)/2], cpu[len(cpu)/2]}
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// processCPU is the processor time of another process, from /proc/PID/stat (proc(5):
// fields 14 and 15, in ticks of 10 ms).
func processCPU(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var user, system int64
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}
