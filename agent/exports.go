package agent

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// exportJob is a finished file that is to be loaded whole.
type exportJob struct {
	source *sourceState
	input  Input
	// position becomes durable when the file is stored.
	position SourcePosition
	// rest, if it has an id, is a generation whose packed copy this file may be: only
	// what it had not read is read then.
	rest SourcePosition
}

// exportQueue is how many finished files wait at most; more are found again.
const exportQueue = 1024

// finishedExports remembers what became of files in this run: by export id, the
// size and modification time that need not be looked at again.
type finishedExports struct {
	mu    sync.Mutex
	done  map[string]exportStamp
	retry map[string]time.Time
}

type exportStamp struct{ size, modTime int64 }

func (f *finishedExports) isDone(id string, stamp exportStamp) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done[id] == stamp
}

func (f *finishedExports) waits(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.retry[id])
}

func (f *finishedExports) set(id string, stamp exportStamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = map[string]exportStamp{}
	}
	f.done[id] = stamp
	delete(f.retry, id)
}

func (f *finishedExports) later(id string, when time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retry == nil {
		f.retry = map[string]time.Time{}
	}
	f.retry[id] = when
	delete(f.done, id)
}

func exportID(source string, id identity) string {
	var h schema.UIDHasher
	h.Part("export")
	h.Part(source)
	h.Number(id.device)
	h.Number(id.inode)
	return h.Sum().String()
}

// offerExport queues a file that has stood still long enough, unless it is known.
func (s *sourceState) offerExport(f *watchedFile, now time.Time) {
	id := exportID(s.Name, identityOf(f.in.info))
	stamp := exportStamp{f.size, f.mod.UnixNano()}
	if now.Sub(f.still) < s.w.Settle || s.finished.isDone(id, stamp) || s.finished.waits(id, now) {
		return
	}
	job := exportJob{source: s, input: f.in}
	job.position = SourcePosition{ID: id, Source: s.Name, Path: f.path, Export: true,
		Device: identityOf(f.in.info).device, Inode: identityOf(f.in.info).inode, Size: f.size, ModTime: f.mod.UnixNano()}
	if err := job.readHead(); err != nil {
		s.w.ledger.file(s.Name, FileReport{File: f.in.Name, Status: StatusUnreadable, Reason: whyUnreadable(err)}, s.w.Log)
		s.finished.later(id, now.Add(s.w.RotateWait))
		return
	}
	if known, ok := s.w.Positions.Get(id); ok && known.Size == f.size && known.ModTime == stamp.modTime && known.Head == job.position.Head {
		s.finished.set(id, stamp)
		return
	}
	if f.role == rolePacked && s.Kind != KindExport {
		rest, wait := s.unpackedTwin(f)
		if wait {
			return
		}
		job.rest = rest
	}
	s.finished.set(id, stamp)
	s.w.ledger.wait(s.Name, f.size)
	select {
	case s.w.exports <- job:
	default:
		s.finished.later(id, now)
		s.w.ledger.wait(s.Name, -f.size)
	}
}

func (j *exportJob) readHead() error {
	file, _, err := openInside(j.input.Root, j.input.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	head, err := readRange(file, 0, headSize)
	if err != nil {
		return err
	}
	j.position.HeadLength, j.position.Head = int64(len(head)), fingerprint(head)
	return nil
}

// maxHelpers bounds the memory for reading one large file on many processors.
const maxHelpers = 4

// loadExports loads queued files one after the other. Each batch is handed on when
// it is full or nothing else waits. When ctx is done it stops where it is: a file
// that was not read to its end is read again.
func (w *Watcher) loadExports(ctx, shipCtx context.Context) {
	sealer := newSealer(w.Redactor.Clone(), w.free, w.out)
	helpers := newHelpers(min(runtime.GOMAXPROCS(0), maxHelpers)-1, w.Redactor, sealer)
	readers := map[*sourceState]*reader{}
	for job := range w.exports {
		if ctx.Err() != nil {
			continue
		}
		r := readers[job.source]
		if r == nil {
			r = job.source.newReader(sealer)
			r.helpers = helpers
			readers[job.source] = r
		}
		err := w.loadExport(ctx, r, job)
		if err == nil && len(w.exports) == 0 {
			if err := sealer.seal(shipCtx); err != nil {
				return
			}
		}
		// Not before: once nothing waits, all that was read has been handed on.
		w.ledger.wait(job.source.Name, -job.position.Size)
	}
	sealer.seal(shipCtx)
}

func (s *sourceState) newReader(to *sealer) *reader {
	return &reader{
		source:      s.Name,
		format:      s.Format,
		options:     formats.Options{Tenant: s.Tenant, Zone: s.Zone, DateOrder: s.DateOrder},
		redactor:    s.w.Redactor.Clone(),
		privacy:     s.privacy.Clone(),
		residency:   s.w.Residency,
		sealer:      to,
		maxUnpacked: s.w.MaxUnpacked,
		ordinals:    newOrdinals(),
	}
}

// loadExport reads one file, all its members if it is an archive, and then covers
// it, unless it changed meanwhile: then it settles and is read again.
func (w *Watcher) loadExport(ctx context.Context, r *reader, job exportJob) error {
	s := job.source
	stamp := exportStamp{job.position.Size, job.position.ModTime}
	if job.rest.ID != "" {
		found, err := s.loadRest(ctx, r, job)
		if err != nil {
			s.finished.later(job.position.ID, w.Now())
			return err
		}
		if found {
			r.sealer.cover(job.position)
			return nil
		}
	}
	unreadable := false
	for _, in := range expand(job.input) {
		report, err := r.read(ctx, in)
		w.ledger.read(s.Name, report.Events, report.Quarantined, report.LastEvent.UnixMilli())
		w.ledger.filtered(s.Name, schema.ReasonResidency, report.Filtered)
		if err != nil {
			s.finished.later(job.position.ID, w.Now())
			return err
		}
		w.ledger.file(s.Name, report, w.Log)
		unreadable = unreadable || report.Status == StatusUnreadable
	}
	if info, err := os.Stat(job.position.Path); err == nil && (info.Size() != stamp.size || info.ModTime().UnixNano() != stamp.modTime) {
		s.finished.later(job.position.ID, w.Now())
		return nil
	}
	if unreadable {
		s.finished.later(job.position.ID, w.Now().Add(6*w.RotateWait))
		return nil
	}
	r.sealer.cover(job.position)
	return nil
}

// expand lists the members of an archive; any other file is itself.
func expand(in Input) []Input {
	root, err := os.OpenRoot(in.Root)
	if err != nil {
		return []Input{in}
	}
	defer root.Close()
	w := walker{files: map[identity]string{}, folders: map[identity]bool{}, root: root}
	w.visit(in.Root, in.Path, in.Name)
	return w.inputs
}
