// Package token keeps the tokens by which a collector knows its agents: only their
// SHA-256, in a file that several collectors may share.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Prefix begins every token, so that scanners for leaked secrets find them.
const Prefix = "cwa_"

var agentName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CheckName says what an agent may be called.
func CheckName(name string) error {
	if !agentName.MatchString(name) {
		return fmt.Errorf("agent name %q: use 1 to 64 of a-z, 0-9, dot, dash, underscore, beginning with a letter or digit", name)
	}
	return nil
}

type entry struct {
	Agent   string    `json:"agent"`
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
	// Expires is when a token that was replaced ends; zero for none.
	Expires time.Time `json:"expires,omitzero"`
}

type content struct {
	Agents []entry `json:"agents"`
}

// File is a file of tokens. It is read again when it changes.
type File struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	stamp   [2]int64
	entries []entry
}

// Open opens the file, which must be there and for its owner only.
func Open(path string) (*File, error) {
	f := &File{path: path, now: time.Now}
	if err := f.refresh(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) refresh() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("open agents file: %w (make it with: crmwatch enroll AGENT --agents %s)", err, f.path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("agents file %s has mode %04o: run: chmod 600 %s", f.path, info.Mode().Perm(), f.path)
	}
	stamp := [2]int64{info.ModTime().UnixNano(), info.Size()}
	f.mu.Lock()
	defer f.mu.Unlock()
	if stamp == f.stamp {
		return nil
	}
	c, err := read(f.path)
	if err != nil {
		return err
	}
	f.stamp, f.entries = stamp, c.Agents
	return nil
}

func read(path string) (c content, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read agents file: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read agents file %s: it is not as crmwatch wrote it: %w", path, err)
	}
	return c, nil
}

// Authenticate says which agent a token belongs to. Every known token is compared,
// and in constant time, so that the time tells nothing. A file that cannot be read
// any more leaves the tokens as they were.
func (f *File) Authenticate(token string) (agent string, ok bool) {
	_ = f.refresh()
	sum := sha256.Sum256([]byte(token))
	given := []byte(hex.EncodeToString(sum[:]))
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if subtle.ConstantTimeCompare(given, []byte(e.SHA256)) == 1 && (e.Expires.IsZero() || now.Before(e.Expires)) {
			agent, ok = e.Agent, true
		}
	}
	return agent, ok
}

// Enroll makes a new token for an agent and returns it: it is shown once and kept
// nowhere. What the agent had before stays valid for overlap, 0 for not at all.
func Enroll(path, agent string, overlap time.Duration) (string, error) {
	if err := CheckName(agent); err != nil {
		return "", err
	}
	var random [32]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	token := Prefix + base64.RawURLEncoding.EncodeToString(random[:])
	sum := sha256.Sum256([]byte(token))
	now := time.Now().UTC().Truncate(time.Second)
	err := change(path, func(c *content) error {
		c.end(agent, now.Add(overlap), now)
		c.Agents = append(c.Agents, entry{Agent: agent, SHA256: hex.EncodeToString(sum[:]), Created: now})
		return nil
	})
	return token, err
}

// Revoke ends all tokens of an agent at once.
func Revoke(path, agent string) error {
	return change(path, func(c *content) error {
		before := len(c.Agents)
		now := time.Now()
		if c.end(agent, now, now); len(c.Agents) == before {
			return fmt.Errorf("agent %s has no token in %s", agent, path)
		}
		return nil
	})
}

// end lets an agent's tokens expire, and forgets those that have.
func (c *content) end(agent string, when, now time.Time) {
	var kept []entry
	for _, e := range c.Agents {
		if e.Agent == agent && (e.Expires.IsZero() || e.Expires.After(when)) {
			e.Expires = when
		}
		if e.Expires.IsZero() || e.Expires.After(now) {
			kept = append(kept, e)
		}
	}
	c.Agents = kept
}

// change rewrites the file under a lock, so that it is whole at every moment.
func change(path string, edit func(*content) error) error {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("lock agents file: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock agents file: %w", err)
	}
	c, err := read(path)
	if err != nil {
		return err
	}
	if err := edit(&c); err != nil {
		return err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write agents file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".agents-*")
	if err != nil {
		return fmt.Errorf("write agents file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write agents file: %w", err)
	}
	return nil
}
