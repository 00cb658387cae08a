package ca

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"time"
)

// maxCRL bounds what is read of a list; 64 MiB are over a million revocations.
const maxCRL = 64 << 20

// Revocations is a file of revocation lists (PEM, one for each CA), read again when it
// changes. A new file that is broken, signed by somebody else, out of date or older
// than the one before leaves what was known, and is logged once.
type Revocations struct {
	path string
	cas  []*x509.Certificate
	now  func() time.Time
	log  *slog.Logger

	mu      sync.Mutex
	stamp   fileStamp                 // of the file that was looked at last
	lists   map[string]revocationList // by the issuer's raw name
	trouble string
	stale   bool
}

type revocationList struct {
	number  *big.Int
	until   time.Time
	serials map[string]bool
}

type fileStamp struct {
	modified, size int64
	inode          uint64
}

// OpenRevocations reads the lists at path, which have to be signed by one of cas. A
// list that is out of date is taken at the start, because what it revokes stays
// revoked. now is the clock; nil means time.Now.
func OpenRevocations(path string, cas []*x509.Certificate, log *slog.Logger, now func() time.Time) (*Revocations, error) {
	if now == nil {
		now = time.Now
	}
	r := &Revocations{path: path, cas: cas, now: now, log: log}
	stamp, err := stampOf(path)
	if err != nil {
		return nil, fmt.Errorf("read revocations: %w", err)
	}
	if r.lists, err = r.read(); err != nil {
		return nil, err
	}
	r.stamp = stamp
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noteAge()
	return r, nil
}

// Revoked says whether a certificate was revoked. It looks whether the file has changed.
func (r *Revocations) Revoked(cert *x509.Certificate) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh()
	r.noteAge()
	return r.lists[string(cert.RawIssuer)].serials[cert.SerialNumber.Text(16)]
}

func (r *Revocations) refresh() {
	stamp, err := stampOf(r.path)
	if err == nil && stamp == r.stamp {
		return
	}
	var lists map[string]revocationList
	if err == nil {
		r.stamp = stamp
		lists, err = r.read()
	}
	if err == nil {
		err = r.follows(lists)
	}
	if err != nil {
		if text := err.Error(); text != r.trouble {
			r.trouble = text
			r.log.Error("the new list of revocations is not usable; the one before counts on", "error", err)
		}
		return
	}
	r.lists, r.trouble, r.stale = lists, "", false
	n := 0
	for _, list := range lists {
		n += len(list.serials)
	}
	r.log.Info("a new list of revocations counts", "revoked", n)
}

// follows refuses a list that would take revocations back.
func (r *Revocations) follows(lists map[string]revocationList) error {
	for issuer, before := range r.lists {
		after, ok := lists[issuer]
		if !ok {
			return fmt.Errorf("read revocations %s: the list of one CA is no longer in it", r.path)
		}
		if after.number.Cmp(before.number) < 0 {
			return fmt.Errorf("read revocations %s: its number %s is below the one before, %s", r.path, after.number, before.number)
		}
	}
	for _, list := range lists {
		if !r.now().Before(list.until) {
			return fmt.Errorf("read revocations %s: it is out of date since %s: run crmwatch certs --renew", r.path, list.until.Format(time.DateOnly))
		}
	}
	return nil
}

// noteAge logs once when the lists in use go out of date.
func (r *Revocations) noteAge() {
	for _, list := range r.lists {
		if !r.stale && !r.now().Before(list.until) {
			r.stale = true
			r.log.Error("the list of revocations is out of date; what it revokes stays revoked: run crmwatch certs --renew",
				"file", r.path, "since", list.until.UTC().Format(time.DateOnly))
		}
	}
}

func (r *Revocations) read() (map[string]revocationList, error) {
	f, err := os.Open(r.path)
	if err != nil {
		return nil, fmt.Errorf("read revocations: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCRL+1))
	if err != nil {
		return nil, fmt.Errorf("read revocations %s: %w", r.path, err)
	}
	if len(text) > maxCRL {
		return nil, fmt.Errorf("read revocations %s: it is larger than %d MiB", r.path, maxCRL>>20)
	}
	lists := map[string]revocationList{}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("read revocations %s: it holds a %s", r.path, block.Type)
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read revocations %s: %w", r.path, err)
		}
		if err := r.signed(list); err != nil {
			return nil, fmt.Errorf("read revocations %s: %w", r.path, err)
		}
		parsed := revocationList{number: list.Number, until: list.NextUpdate, serials: map[string]bool{}}
		if parsed.number == nil {
			parsed.number = new(big.Int)
		}
		for _, entry := range list.RevokedCertificateEntries {
			parsed.serials[entry.SerialNumber.Text(16)] = true
		}
		lists[string(list.RawIssuer)] = parsed
	}
	if len(lists) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, fmt.Errorf("read revocations %s: it holds no list of revocations in PEM form, or more than that", r.path)
	}
	return lists, nil
}

func (r *Revocations) signed(list *x509.RevocationList) error {
	for _, authority := range r.cas {
		if bytes.Equal(authority.RawSubject, list.RawIssuer) && list.CheckSignatureFrom(authority) == nil {
			return nil
		}
	}
	return errors.New("it is not signed by the CA of the agents")
}

func stampOf(path string) (fileStamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileStamp{}, err
	}
	return fileStamp{modified: info.ModTime().UnixNano(), size: info.Size(), inode: inodeOf(info)}, nil
}
