package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/agent/redact"
)

// LoadOptions say what Load reads and where it goes.
type LoadOptions struct {
	// Paths are files and folders.
	Paths []string
	// Ship takes each batch, from several goroutines.
	Ship func(context.Context, Sealed) error
	// Redactor is cloned for every worker.
	Redactor *redact.Redactor
	// Privacy says what is stored of people; nil means all that the logs have.
	Privacy *redact.PrivacyOptions
	// Source is the name in x_source_name.
	Source string
	// Format is the format of all files; empty means that content decides.
	Format string
	// Tenant and Zone are for logs that name none.
	Tenant string
	Zone   *time.Location
	// DateOrder is for dates that can be read as two different days.
	DateOrder formats.DateOrder
	// Workers is how many files are read at once, and by how many goroutines large ones
	// if there are fewer; 0 means one for each processor.
	Workers int
	// chunkSize and residency are for tests; 0 means chunkSize.
	chunkSize int
	residency *Residency
	// MaxUnpacked bounds what comes out of one packed file, in bytes; 0 means
	// DefaultMaxUnpacked.
	MaxUnpacked int64
	// Progress, if not nil, is called after every block, from one goroutine at a time.
	Progress func(Progress)
}

// Progress is how far a load has come.
type Progress struct {
	// BytesDone and BytesTotal count bytes on disk.
	BytesDone, BytesTotal int64
	FilesDone, FilesTotal int
	Events, Quarantined   int64
}

// Load reads everything under o.Paths once and ships it. The report names every
// file and what became of it: a bad file never fails the load. An error means that
// the load could not go on: no paths, ctx done, or Ship gave up.
func Load(ctx context.Context, o LoadOptions) (Report, error) {
	if len(o.Paths) == 0 {
		return Report{}, errors.New("load: no file or folder is named")
	}
	if o.Format != "" {
		if _, err := formats.ByName(o.Format); err != nil {
			return Report{}, fmt.Errorf("load: %w", err)
		}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	inputs := Walk(o.Paths)
	l := &loading{LoadOptions: o, inputs: inputs, files: make([]FileReport, len(inputs))}
	l.progress.FilesTotal = len(inputs)
	for _, in := range inputs {
		l.progress.BytesTotal += in.Size
	}
	err := l.run(ctx)
	report := Report{Files: l.files}
	report.addUp(l.stored, l.storedQuarantined)
	if err != nil {
		return report, fmt.Errorf("load: %w", err)
	}
	return report, nil
}

type loading struct {
	LoadOptions
	inputs []Input
	files  []FileReport

	mu                        sync.Mutex
	progress                  Progress
	stored, storedQuarantined int64
}

// run has workers that read and shippers that encode and insert, with one batch more
// than there are workers, so that both go on at once and memory stays bounded.
func (l *loading) run(ctx context.Context) error {
	workers := max(1, min(l.Workers, len(l.inputs)))
	free, out := newFillings(workers), make(chan Sealed, 2*workers)
	jobs := make(chan int)
	shipping, ctx := errgroup.WithContext(ctx)
	for range workers {
		shipping.Go(func() error {
			var e encoder
			for s := range out {
				if err := e.encode(&s); err != nil {
					return err
				}
				free <- s.filling
				if err := l.ship(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	reading, readCtx := errgroup.WithContext(ctx)
	reading.Go(func() error {
		defer close(jobs)
		for _, i := range readingOrder(l.inputs) {
			select {
			case jobs <- i:
			case <-readCtx.Done():
				return context.Cause(readCtx)
			}
		}
		return nil
	})
	for range workers {
		reading.Go(func() error { return l.work(readCtx, jobs, newSealer(l.Redactor.Clone(), free, out)) })
	}
	err := reading.Wait()
	close(out)
	return cmp.Or(shipping.Wait(), err)
}

func (l *loading) work(ctx context.Context, jobs <-chan int, s *sealer) error {
	r := &reader{
		source:      l.Source,
		format:      l.Format,
		options:     formats.Options{Tenant: l.Tenant, Zone: l.Zone, DateOrder: l.DateOrder},
		redactor:    l.Redactor.Clone(),
		privacy:     newPrivacy(l.Privacy, l.Redactor),
		residency:   l.residency,
		sealer:      s,
		maxUnpacked: l.MaxUnpacked,
		progress:    l.tell,
		ordinals:    newOrdinals(),
		chunkSize:   l.chunkSize,
		helpers:     newHelpers(l.Workers/max(1, min(l.Workers, len(l.inputs)))-1, l.Redactor, s),
	}
	for i := range jobs {
		report, err := r.read(ctx, l.inputs[i])
		l.files[i] = report
		l.fileDone()
		if err != nil {
			return err
		}
	}
	for _, h := range r.helpers {
		if err := h.sealer.seal(ctx); err != nil {
			return err
		}
	}
	return s.seal(ctx)
}

func (l *loading) ship(ctx context.Context, s Sealed) error {
	if err := l.Ship(ctx, s); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored += int64(s.Events.Rows)
	l.storedQuarantined += int64(s.Quarantine.Rows)
	return nil
}

func (l *loading) tell(bytes, events, quarantined int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress.BytesDone += bytes
	l.progress.Events += events
	l.progress.Quarantined += quarantined
	if l.Progress != nil {
		l.Progress(l.progress)
	}
}

func (l *loading) fileDone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.progress.FilesDone++
	if l.Progress != nil {
		l.Progress(l.progress)
	}
}

// readingOrder puts the big files first, so that the last worker is not left alone
// with one, and keeps the others in order: neighbours are of one day, and a batch
// of few days makes few parts.
func readingOrder(inputs []Input) []int {
	const big = 64 << 20
	order := make([]int, len(inputs))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) int64 {
		if size := inputs[i].Size; size >= big {
			return size
		}
		return 0
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	return order
}
