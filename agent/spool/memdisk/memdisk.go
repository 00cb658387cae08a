// Package memdisk is a disk in memory that forgets what was not synced when the
// power is cut, and fails when it is told to. A spool runs on it in tests.
package memdisk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/crmwatch/crmwatch/agent/spool"
)

// Operation is one kind of access to the disk.
type Operation string

// The operations that a fault can meet.
const (
	Create     Operation = "create"
	Write      Operation = "write"
	Sync       Operation = "sync"
	Truncate   Operation = "truncate"
	Rename     Operation = "rename"
	Remove     Operation = "remove"
	SyncFolder Operation = "sync folder"
	Open       Operation = "open"
	Read       Operation = "read"
	List       Operation = "list"
)

// ErrPowerCut is the error of every access after the power was cut.
var ErrPowerCut = errors.New("the power was cut")

// Disk is one folder. Fault is asked before every operation; an error that it gives
// is the operation's. A failing Write writes half of it first, a failing Sync forgets
// what it should have kept, as kernels do.
type Disk struct {
	Fault func(op Operation, name string) error
	// Capacity bounds the bytes on the disk; 0 means no bound. Full is the error then.
	Capacity int64
	Full     error

	mu      sync.Mutex
	epoch   int
	off     bool
	locked  bool
	names   map[string]*inode // as programs see them
	durable map[string]*inode // as they are after a power cut
	changes []func(map[string]*inode)
}

// inode is a file's content: what programs see, and what is durable of it.
type inode struct {
	data, durable []byte
	// failed is set by a failing Sync: no later one can be trusted.
	failed bool
}

// New is an empty disk.
func New() *Disk { return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}} }

// Cut cuts the power. Of what was not synced, random decides what the disk kept:
// some of the renames in their order, and of each file some bytes, the rest cut off
// or zero. All files and locks of before are dead.
func (d *Disk) Cut(random *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, change := range d.changes[:random.IntN(len(d.changes)+1)] {
		change(d.durable)
	}
	d.names = map[string]*inode{}
	for _, name := range slices.Sorted(maps.Keys(d.durable)) {
		old := d.durable[name]
		data := slices.Clone(old.durable)
		if extra := len(old.data) - len(data); extra > 0 {
			kept := random.IntN(extra + 1)
			data = append(data, old.data[len(data):len(data)+kept]...)
			if random.IntN(2) == 0 {
				data = append(data, make([]byte, random.IntN(extra-kept+1))...)
			}
		}
		d.names[name] = &inode{data: data, durable: slices.Clone(data)}
	}
	d.durable = maps.Clone(d.names)
	d.restart()
}

// Kill ends the process that uses the disk: what was written stays.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.restart()
}

func (d *Disk) restart() {
	d.changes, d.locked, d.off = nil, false, false
	d.epoch++
	if len(d.durable) == 0 {
		d.durable = map[string]*inode{}
	}
}

// Off lets every access fail until Cut or Kill: the process is dying.
func (d *Disk) Off() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Names lists what is there.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names))
}

// Content is a copy of a file.
func (d *Disk) Content(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.names[name].data)
}

// Put makes a file with this content, durable.
func (d *Disk) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := &inode{data: slices.Clone(data), durable: slices.Clone(data)}
	d.names[name], d.durable[name] = n, n
}

// Drop removes a file, durably.
func (d *Disk) Drop(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.names, name)
	delete(d.durable, name)
}

func (d *Disk) access(epoch int, op Operation, name string) error {
	d.mu.Lock()
	off, stale := d.off, epoch != d.epoch
	d.mu.Unlock()
	if off || stale {
		return ErrPowerCut
	}
	if d.Fault != nil {
		if err := d.Fault(op, name); err != nil {
			return &fs.PathError{Op: string(op), Path: name, Err: err}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off || epoch != d.epoch {
		return ErrPowerCut
	}
	return nil
}

// View is the disk as one process sees it: it ends with the next Cut or Kill.
func (d *Disk) View() spool.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return view{d, d.epoch}
}

type view struct {
	*Disk
	epoch int
}

func (v view) Check() error { return nil }

func (v view) Lock() (io.Closer, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.locked {
		return nil, errors.New("lock spool: another crmwatch uses it")
	}
	v.Disk.locked = true
	return unlock{v}, nil
}

type unlock struct{ view }

func (u unlock) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.view.epoch == u.Disk.epoch {
		u.Disk.locked = false
	}
	return nil
}

func (v view) List() ([]string, error) {
	if err := v.access(v.epoch, List, ""); err != nil {
		return nil, err
	}
	return v.Names(), nil
}

func (v view) Create(name string) (spool.File, error) {
	if err := v.access(v.epoch, Create, name); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &inode{}
	v.names[name] = n
	v.Disk.changes = append(v.Disk.changes, func(m map[string]*inode) { m[name] = n })
	return file{v, name, n}, nil
}

func (v view) Open(name string) (spool.File, error) {
	if err := v.access(v.epoch, Open, name); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.names[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return file{v, name, n}, nil
}

func (v view) Rename(from, to string) error {
	if err := v.access(v.epoch, Rename, from); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.names[from] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	move := func(m map[string]*inode) {
		if n := m[from]; n != nil {
			delete(m, from)
			m[to] = n
		}
	}
	move(v.names)
	v.Disk.changes = append(v.Disk.changes, move)
	return nil
}

func (v view) Remove(name string) error {
	if err := v.access(v.epoch, Remove, name); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(v.names, name)
	v.Disk.changes = append(v.Disk.changes, func(m map[string]*inode) { delete(m, name) })
	return nil
}

func (v view) SyncFolder() error {
	if err := v.access(v.epoch, SyncFolder, ""); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Disk.durable, v.Disk.changes = maps.Clone(v.names), nil
	return nil
}

type file struct {
	view
	name string
	*inode
}

func (f file) ReadAt(b []byte, at int64) (int, error) {
	if err := f.access(f.epoch, Read, f.name); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if at >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f file) WriteAt(b []byte, at int64) (int, error) {
	fault := f.access(f.epoch, Write, f.name)
	if errors.Is(fault, ErrPowerCut) && f.dead() {
		return 0, fault
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault != nil {
		b = b[:len(b)/2]
	} else if room := f.room(at + int64(len(b)) - int64(len(f.data))); room < 0 {
		b, fault = b[:max(0, int64(len(b))+room)], f.Full
	}
	if grow := at + int64(len(b)) - int64(len(f.data)); grow > 0 {
		f.data = append(f.data, make([]byte, grow)...)
	}
	copy(f.data[at:], b)
	return len(b), fault
}

func (f file) dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Disk.off || f.view.epoch != f.Disk.epoch
}

// room is how many bytes are left after growing by so many. The lock is held.
func (f file) room(grow int64) int64 {
	if f.Capacity == 0 || grow <= 0 {
		return 0
	}
	left := f.Capacity - grow
	for _, n := range f.names {
		left -= int64(len(n.data))
	}
	return min(0, left)
}

func (f file) Sync() error {
	err := f.access(f.epoch, Sync, f.name)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = f.failed || err != nil
	if !f.failed {
		f.inode.durable = slices.Clone(f.data)
	}
	return err
}

func (f file) Truncate(size int64) error {
	if err := f.access(f.epoch, Truncate, f.name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if size > int64(len(f.data)) {
		return fmt.Errorf("truncate %s: it is shorter than %d", f.name, size)
	}
	f.data = f.data[:size:size]
	if int64(len(f.inode.durable)) > size {
		f.inode.durable = f.inode.durable[:size:size]
	}
	return nil
}

func (f file) Size() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f file) Close() error { return nil }
