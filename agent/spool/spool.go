// Package spool is a crash-safe queue of sealed batches on disk. One record carries
// a batch and the source positions that it covers, so data and positions can never
// disagree: what Append has returned for survives every kill and power cut, and what
// it has not is read from the source again.
//
// A spool is a folder of segments. Their state is their extension, so ls shows it:
// .open is written to, .ready waits for delivery, .acked is delivered and kept for a
// while in case the database loses its last seconds. What cannot be read is set
// aside as .damaged, .foreign, .duplicate or .unreadable, and never deleted.
package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Policy says what Append does when the quota is reached.
type Policy string

// Block waits until there is room, so that reading waits too and nothing is lost.
// Drop gives up the oldest batches that nobody has begun to deliver, and counts them.
const (
	Block Policy = "block"
	Drop  Policy = "drop"
)

// Options say how a spool keeps batches. Zero values mean the defaults.
type Options struct {
	// FS is the folder; Folder makes one on the operating system's disk.
	FS FS
	// Compression is LZ4 unless something else is named.
	Compression Compression
	// Keys encrypt and decrypt records, each KeySize bytes: the first is used for new
	// segments, the others open old ones. Without any, records are not encrypted.
	Keys [][]byte
	// Quota bounds the folder, in bytes; 10 GiB by default.
	Quota int64
	// WhenFull is Block unless Drop is named.
	WhenFull Policy
	// RetainAfterAck is how long delivered segments are kept; 15 minutes by default,
	// negative for not at all.
	RetainAfterAck time.Duration
	// SegmentBytes is when a new segment is begun; 64 MiB by default.
	SegmentBytes int64
	// SyncBytes and SyncDelay bound what one fdatasync covers: appends within the delay
	// share one, and so many bytes are synced at once. 1 MiB and 20 ms by default.
	SyncBytes int64
	SyncDelay time.Duration
	// BeforeUnlink is called before delivered segments are deleted; when it fails they
	// stay. The agent makes its positions durable in it.
	BeforeUnlink func() error
	// OnDamage is told of damage that Next meets. What Open finds is in Recovery.
	OnDamage func(Damage)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Batch is what an agent seals.
type Batch struct {
	// Meta is the agent's own: the source ranges that the batch covers.
	Meta               []byte
	Sealed             time.Time
	Events, Quarantine schema.Frames
}

// Record is a batch on its way out. Its bytes are valid until it is acknowledged.
type Record struct {
	schema.Delivery
	Meta []byte

	buffer []byte
}

// Damage is a range of batches that cannot be read any more.
type Damage struct {
	// From and To are the first and the last sequence number.
	From, To uint64
	Segment  string
	Why      string
	// Meta is what the one batch covered, where that can still be read.
	Meta []byte
}

// ErrClosed is the error of a spool that was closed.
var ErrClosed = errors.New("the spool is closed")

// ErrNotDurable is the error when the disk failed to keep a batch several times in a
// row. The spool takes no more; what it did not take is read from the source again.
var ErrNotDurable = errors.New("the disk does not keep what is written: look at its health and at the kernel's log")

// Spool is an open spool. Its methods may be called from several goroutines.
type Spool struct {
	Options
	agentUID string
	keys     [][]byte
	lock     io.Closer

	// turn is held by whoever writes, reading by whoever reads the next record.
	turn, reading chan struct{}
	framers       chan *framer

	mu       sync.Mutex
	closed   bool
	fatal    error
	segments []*segment
	active   *segment
	number   uint64 // of the last segment
	next     uint64 // sequence number to give next
	handed   uint64 // highest sequence number handed out
	acked    uint64 // all through this one are acknowledged
	above    map[uint64]bool
	// kept are the records that are next to be handed out, by sequence number.
	kept      map[uint64][]byte
	holes     []hole
	cursor    position
	commit    *commit
	orphans   []*pending // records of the commit that are in no segment
	full      bool       // the disk was full the last time
	changed   chan struct{}
	buffers   [][]byte
	unsaved   bool // the state could not be written the last time
	saved     savedState
	sinceSave int // acknowledgements since the state was written
	savedAt   time.Time
	stats     Stats
}

// hole is a range of sequence numbers of which there is no record.
type hole struct{ From, To uint64 }

// position is where Next goes on: a segment's number and an offset in it.
type position struct {
	segment uint64
	offset  int64
}

// Open opens the spool and says what it found. It refuses to start for a folder that
// others can write to, for a second process and for segments of a newer crmwatch,
// and never for damaged content.
func Open(o Options) (*Spool, Recovery, error) {
	if err := o.setDefaults(); err != nil {
		return nil, Recovery{}, err
	}
	if err := o.FS.Check(); err != nil {
		return nil, Recovery{}, err
	}
	lock, err := o.FS.Lock()
	if err != nil {
		return nil, Recovery{}, err
	}
	s := &Spool{
		Options: o, keys: o.Keys, lock: lock,
		turn: make(chan struct{}, 1), reading: make(chan struct{}, 1), framers: make(chan *framer, 4),
		above: map[uint64]bool{}, kept: map[uint64][]byte{}, changed: make(chan struct{}), next: 1,
	}
	recovery, err := s.recover()
	if err != nil {
		lock.Close()
		return nil, Recovery{}, fmt.Errorf("open spool: %w", err)
	}
	return s, recovery, nil
}

func (o *Options) setDefaults() error {
	if o.FS == nil {
		return errors.New("open spool: no folder is named")
	}
	for _, key := range o.Keys {
		if len(key) != KeySize {
			return fmt.Errorf("open spool: a key has %d bytes: use %d, such as from: openssl rand -hex %d", len(key), KeySize, KeySize)
		}
	}
	if o.Quota <= 0 {
		o.Quota = 10 << 30
	}
	if o.WhenFull == "" {
		o.WhenFull = Block
	}
	if o.WhenFull != Block && o.WhenFull != Drop {
		return fmt.Errorf("open spool: unknown policy %q: use block or drop", o.WhenFull)
	}
	if o.RetainAfterAck == 0 {
		o.RetainAfterAck = 15 * time.Minute
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 64 << 20
	}
	if o.SyncBytes <= 0 {
		o.SyncBytes = 1 << 20
	}
	if o.SyncDelay <= 0 {
		o.SyncDelay = 20 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	_, err := newFramer(o.Compression)
	return err
}

// AgentUID names this spool for ever: 16 hexadecimal digits, made with it. Together
// with it a sequence number is never given twice.
func (s *Spool) AgentUID() string { return s.agentUID }

func newAgentUID() (string, error) {
	var uid [agentUIDLength / 2]byte
	if _, err := rand.Read(uid[:]); err != nil {
		return "", fmt.Errorf("name spool: %w", err)
	}
	return hex.EncodeToString(uid[:]), nil
}

// Close makes the state durable and lets another process open the spool. Calls that
// wait return ErrClosed.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.wake()
	s.mu.Unlock()
	s.turn <- struct{}{}
	s.reading <- struct{}{}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.save()
	if s.active != nil {
		s.active.file.Close()
	}
	for _, segment := range s.segments {
		segment.closeReader()
	}
	return errors.Join(err, s.lock.Close())
}

// wake lets all who wait look again. It is called with the lock held.
func (s *Spool) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// buffer is recycled memory of at least n bytes' capacity, empty.
func (s *Spool) buffer(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := -1
	for i, b := range s.buffers {
		if cap(b) >= n && (best < 0 || cap(b) < cap(s.buffers[best])) {
			best = i
		}
	}
	if best < 0 {
		if len(s.buffers) > 0 { // grow one instead of keeping both
			s.buffers = s.buffers[:len(s.buffers)-1]
		}
		return make([]byte, 0, n+n/8)
	}
	b := s.buffers[best]
	s.buffers[best] = s.buffers[len(s.buffers)-1]
	s.buffers = s.buffers[:len(s.buffers)-1]
	return b[:0]
}

const (
	keptBuffers    = 4
	maxBufferBytes = 64 << 20
)

// recycle takes a buffer back. It is called with the lock held.
func (s *Spool) recycle(b []byte) {
	if len(s.buffers) < keptBuffers && cap(b) > 0 && cap(b) <= maxBufferBytes {
		s.buffers = append(s.buffers, b)
	}
}
