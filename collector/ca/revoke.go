package ca

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// crlLife is how long a list of revocations counts as fresh.
const crlLife = 365 * 24 * time.Hour

// Revoke ends every certificate that an agent was ever given, and says how many were
// still valid. The collector takes it from CRLFile at the agent's next request.
func (f *Folder) Revoke(agent string) (n int, err error) {
	now := f.now().UTC().Truncate(time.Second)
	known, revoked := false, 0
	for i := range f.index.Issued {
		entry := &f.index.Issued[i]
		if entry.Agent != agent {
			continue
		}
		known = true
		if entry.Revoked.IsZero() && now.Before(entry.NotAfter) {
			entry.Revoked = now
			revoked++
		}
	}
	if !known {
		return 0, fmt.Errorf("agent %s has no certificate of %s: check the name; a token is revoked with: crmwatch collector enroll %s --agents FILE --revoke", agent, f.dir, agent)
	}
	// Written even if nothing is new: it mends a run that was cut off.
	return revoked, f.writeCRL()
}

// CRLUntil is until when the list of revocations counts as fresh.
func (f *Folder) CRLUntil() (time.Time, error) {
	text, err := f.read(CRLFile)
	if err != nil {
		return time.Time{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return time.Time{}, fmt.Errorf("read %s: it holds no list of revocations: run crmwatch certs --renew", f.Path(CRLFile))
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return time.Time{}, fmt.Errorf("read %s: %w", f.Path(CRLFile), err)
	}
	return list.NextUpdate, nil
}

// writeCRL writes a new list of revocations, with what has not expired by itself.
// The index comes first: whatever is cut off, the next list has it.
func (f *Folder) writeCRL() error {
	f.index.CRLNumber++
	if err := f.writeIndex(); err != nil {
		return err
	}
	now := f.now().UTC().Truncate(time.Second)
	template := &x509.RevocationList{Number: big.NewInt(f.index.CRLNumber), ThisUpdate: now.Add(-backdate), NextUpdate: now.Add(crlLife)}
	for _, entry := range f.index.Issued {
		if entry.Revoked.IsZero() || now.After(entry.NotAfter.Add(backdate)) {
			continue
		}
		serial, ok := new(big.Int).SetString(entry.Serial, 16)
		if !ok {
			return fmt.Errorf("read %s: the serial number %q is none", f.Path(indexFile), entry.Serial)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: entry.Revoked})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, f.root, f.key)
	if err != nil {
		return fmt.Errorf("make list of revocations: %w", err)
	}
	return f.write(CRLFile, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}
