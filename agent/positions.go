package agent

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	positionsFile    = "positions.json"
	positionsVersion = 1
	// forgetAfter is how long a file that is gone is remembered: longer than any
	// rotation keeps its copies.
	forgetAfter = 30 * 24 * time.Hour
	// maxPositions bounds the file; the longest unseen are forgotten first.
	maxPositions = 50_000
)

// Positions keeps, on disk, how far every file is read. One agent at a time has it
// open.
type Positions struct {
	// AgentUID names this agent in insert tokens, for ever.
	AgentUID string

	dir  string
	lock *os.File
	mu   sync.Mutex
	byID map[string]SourcePosition
	// spoolUID and sequence say up to which batch of which spool byID is complete.
	spoolUID string
	sequence uint64
}

type positionsContent struct {
	Version  int              `json:"version"`
	AgentUID string           `json:"agent_uid"`
	SpoolUID string           `json:"spool_uid,omitempty"`
	Sequence uint64           `json:"sequence,omitempty"`
	Files    []SourcePosition `json:"files"`
}

// OpenPositions opens the positions in the state folder dir, which it makes with
// mode 0700. A file that cannot be understood is set aside under another name and
// everything is read again: exports collapse with what is stored, because their
// identity is their content; followed logs get the same generation ids again, made
// of inode, birth time and first line, so they collapse too unless a log was
// truncated or copied in between.
func OpenPositions(dir string, log *slog.Logger) (*Positions, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open state folder %s: its mode %04o lets others in: run chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state folder: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock state folder %s: another crmwatch uses it: give each its own", dir)
	}
	p := &Positions{dir: dir, lock: lock, byID: map[string]SourcePosition{}}
	if err := p.read(log); err != nil {
		lock.Close()
		return nil, err
	}
	return p, nil
}

// Dir is the state folder.
func (p *Positions) Dir() string { return p.dir }

// Close lets another agent open the folder.
func (p *Positions) Close() error { return p.lock.Close() }

func (p *Positions) read(log *slog.Logger) error {
	path := filepath.Join(p.dir, positionsFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p.begin()
	}
	if err != nil {
		return fmt.Errorf("read positions: %w", err)
	}
	var content positionsContent
	if err := json.Unmarshal(data, &content); err != nil || content.AgentUID == "" || content.Version < 1 {
		aside := fmt.Sprintf("%s.damaged-%s", path, fingerprint(data)[:8])
		if err := os.Rename(path, aside); err != nil {
			return fmt.Errorf("set damaged positions aside: %w", err)
		}
		log.Error("positions were damaged and are set aside; all files are read again, and what is stored already collapses with it", "kept_as", aside)
		return p.begin()
	}
	if content.Version > positionsVersion {
		return fmt.Errorf("read positions %s: they are of a newer crmwatch (version %d): run that one", path, content.Version)
	}
	p.AgentUID, p.spoolUID, p.sequence = content.AgentUID, content.SpoolUID, content.Sequence
	for _, f := range content.Files {
		p.byID[f.ID] = f
	}
	return nil
}

func (p *Positions) begin() error {
	var uid [8]byte
	if _, err := rand.Read(uid[:]); err != nil {
		return fmt.Errorf("name agent: %w", err)
	}
	p.AgentUID = hex.EncodeToString(uid[:])
	return p.write()
}

// Get returns the durable position with this id.
func (p *Positions) Get(id string) (SourcePosition, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	position, ok := p.byID[id]
	return position, ok
}

// All returns the durable positions of a source, in the order of their ids.
func (p *Positions) All(source string) []SourcePosition {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []SourcePosition
	for _, position := range p.byID {
		if position.Source == source {
			all = append(all, position)
		}
	}
	slices.SortFunc(all, func(a, b SourcePosition) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Commit makes positions durable: when it returns nil, a crash cannot take them
// back. The offset of a generation never goes back, whatever order commits come in.
func (p *Positions) Commit(positions []SourcePosition, now time.Time) error {
	if len(positions) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(positions, 0, now)
	p.forget(now)
	return p.write()
}

// take notes positions. It is called with the lock held.
func (p *Positions) take(positions []SourcePosition, sequence uint64, now time.Time) {
	for _, position := range positions {
		known, ok := p.byID[position.ID]
		if ok && !position.Export && known.Offset > position.Offset {
			continue
		}
		position.SeenAt, position.Sequence = now.Unix(), max(sequence, known.Sequence)
		p.byID[position.ID] = position
	}
}

// Seen notes that files still exist, so that they are not forgotten. It becomes
// durable with the next commit.
func (p *Positions) Seen(ids []string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if position, ok := p.byID[id]; ok {
			position.SeenAt = now.Unix()
			p.byID[id] = position
		}
	}
}

func (p *Positions) forget(now time.Time) {
	oldest := now.Add(-forgetAfter).Unix()
	for id, position := range p.byID {
		if position.SeenAt < oldest {
			delete(p.byID, id)
		}
	}
	if len(p.byID) <= maxPositions {
		return
	}
	all := make([]SourcePosition, 0, len(p.byID))
	for _, position := range p.byID {
		all = append(all, position)
	}
	slices.SortFunc(all, func(a, b SourcePosition) int { return cmp.Compare(a.SeenAt, b.SeenAt) })
	for _, position := range all[:len(all)-maxPositions] {
		delete(p.byID, position.ID)
	}
}

func (p *Positions) write() error {
	content := positionsContent{Version: positionsVersion, AgentUID: p.AgentUID, SpoolUID: p.spoolUID, Sequence: p.sequence, Files: make([]SourcePosition, 0, len(p.byID))}
	for _, position := range p.byID {
		content.Files = append(content.Files, position)
	}
	slices.SortFunc(content.Files, func(a, b SourcePosition) int { return cmp.Compare(a.ID, b.ID) })
	data, err := json.MarshalIndent(content, "", " ")
	if err != nil {
		return fmt.Errorf("write positions: %w", err)
	}
	if err := replaceFile(p.dir, positionsFile, data); err != nil {
		return fmt.Errorf("write positions: %w", err)
	}
	return nil
}

// CoveredBatch is the number of the last batch whose positions are kept in the state
// folder itself, so that its segment is of no more use for them; 0 when none is.
func CoveredBatch(dir string) (uint64, error) {
	data, err := os.ReadFile(filepath.Join(dir, positionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read positions: %w", err)
	}
	var content positionsContent
	if err := json.Unmarshal(data, &content); err != nil {
		return 0, fmt.Errorf("read positions: they are damaged")
	}
	return content.Sequence, nil
}
