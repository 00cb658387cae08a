// Package ca keeps the certificate authority of a house that has none: one folder with
// a root, the collector's certificate, those of the agents, and the list of those that
// were revoked. The collector reads that list through Revocations.
package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The files of a folder, beside NAME.pem and NAME.key of each certificate.
const (
	RootFile    = "ca.pem"
	RootKeyFile = "ca.key"
	CRLFile     = "crl.pem"
	indexFile   = "issued.json"
	lockFile    = ".lock"
)

const (
	// rootLife is how long a root is valid.
	rootLife = 10 * 365 * 24 * time.Hour
	// backdate lets a certificate be used at once by a machine whose clock is behind.
	backdate = time.Hour
	// Soon is how long before its end a certificate should be renewed.
	Soon = 30 * 24 * time.Hour
)

// Folder is an authority on disk. It is for one goroutine, and locked against other
// processes until Close.
type Folder struct {
	dir     string
	now     func() time.Time
	lock    *os.File
	root    *x509.Certificate
	key     crypto.Signer
	index   index
	created bool
}

// index knows every certificate that was ever issued: what it does not know could
// never be revoked.
type index struct {
	Issued []issued `json:"issued"`
	// CRLNumber counts the revocation lists.
	CRLNumber int64 `json:"crl_number"`
}

// issued is one certificate, by its serial number in hexadecimal digits.
type issued struct {
	Serial   string    `json:"serial"`
	Agent    string    `json:"agent,omitempty"`
	Names    []string  `json:"names,omitempty"`
	NotAfter time.Time `json:"not_after"`
	Revoked  time.Time `json:"revoked,omitzero"`
}

// Open opens the authority in dir, and makes folder, root and an empty list of
// revocations if nothing is there. now is the clock; nil means time.Now.
func Open(dir string, now func() time.Time) (_ *Folder, err error) {
	if now == nil {
		now = time.Now
	}
	f := &Folder{dir: filepath.Clean(dir), now: now}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := f.open(); err != nil {
		return nil, err
	}
	_, certErr := os.Lstat(f.Path(RootFile))
	_, keyErr := os.Lstat(f.Path(RootKeyFile))
	switch {
	case certErr == nil && keyErr == nil:
		return f, f.load()
	case errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return f, f.make()
	case certErr == nil:
		return nil, fmt.Errorf("open authority: %s is there and %s is not: bring it back from a backup, or begin anew in an empty folder", f.Path(RootFile), RootKeyFile)
	case keyErr == nil:
		return nil, fmt.Errorf("open authority: %s is there and %s is not: bring it back from a backup, or begin anew in an empty folder", f.Path(RootKeyFile), RootFile)
	}
	return nil, fmt.Errorf("open authority: %w", errors.Join(certErr, keyErr))
}

// open checks and locks the folder.
func (f *Folder) open() error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make folder of certificates: %w", err)
	}
	info, err := os.Lstat(f.dir)
	if err != nil {
		return fmt.Errorf("open folder of certificates: %w", err)
	}
	var stat unix.Stat_t
	if err := unix.Lstat(f.dir, &stat); err != nil {
		return fmt.Errorf("open folder of certificates %s: %w", f.dir, err)
	}
	switch {
	case !info.IsDir():
		return fmt.Errorf("open folder of certificates: %s is no folder: name one that is not a link", f.dir)
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("open folder of certificates: %s belongs to another user: run: chown %d %s", f.dir, os.Geteuid(), f.dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("open folder of certificates: %s has mode %04o: run: chmod 700 %s", f.dir, info.Mode().Perm(), f.dir)
	}
	f.lock, err = os.OpenFile(f.Path(lockFile), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("lock folder of certificates: %w", err)
	}
	if err := unix.Flock(int(f.lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock folder of certificates: %w", err)
	}
	return nil
}

// Close gives the folder free.
func (f *Folder) Close() {
	if f.lock != nil {
		_ = f.lock.Close()
		f.lock = nil
	}
}

// Path is a file of the folder.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// Created says whether Open has made the root.
func (f *Folder) Created() bool { return f.created }

// Root is what Issued is for other certificates.
func (f *Folder) Root() Issued {
	return Issued{Cert: f.Path(RootFile), Key: f.Path(RootKeyFile), Name: f.root.Subject.CommonName, NotAfter: f.root.NotAfter}
}

func (f *Folder) make() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	now := f.now().UTC()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "crmwatch root " + fmt.Sprintf("%x", serial)[:8]},
		NotBefore:    now.Add(-backdate), NotAfter: now.Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make root certificate: %w", err)
	}
	if f.root, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("make root certificate: %w", err)
	}
	f.key, f.created = key, true
	// The root's certificate comes last: the folder counts from then on.
	if err := f.writeCRL(); err != nil {
		return err
	}
	private, err := keyPEM(key)
	if err != nil {
		return err
	}
	if err := f.write(RootKeyFile, private); err != nil {
		return err
	}
	return f.write(RootFile, certPEM(der))
}

func (f *Folder) load() error {
	cert, err := f.readCertificate(RootFile)
	if err != nil {
		return err
	}
	f.root = cert
	text, err := f.read(RootKeyFile)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("read %s: it holds no key in PEM form", f.Path(RootKeyFile))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("read %s: it is not as crmwatch wrote it", f.Path(RootKeyFile))
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return fmt.Errorf("read %s: it is not the key of %s", f.Path(RootKeyFile), RootFile)
	}
	f.key = signer
	if !f.now().Before(cert.NotAfter) {
		return fmt.Errorf("the root %s has expired on %s: begin anew in an empty folder, and put both roots into client_ca_file and ca_file until all agents have changed",
			f.Path(RootFile), cert.NotAfter.Format(time.DateOnly))
	}
	text, err = f.read(indexFile)
	if err != nil {
		return fmt.Errorf("%w (without it nothing can be revoked: bring it back from a backup)", err)
	}
	if err := json.Unmarshal(text, &f.index); err != nil {
		return fmt.Errorf("read %s: it is not as crmwatch wrote it: %w", f.Path(indexFile), err)
	}
	return nil
}

// read refuses links and what others may read.
func (f *Folder) read(name string) ([]byte, error) {
	file, err := os.OpenFile(f.Path(name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if info.Mode().Perm()&0o077 != 0 && filepath.Ext(name) == ".key" {
		return nil, fmt.Errorf("read key %s: others may read it (mode %04o); run: chmod 600 %s", f.Path(name), info.Mode().Perm(), f.Path(name))
	}
	text, err := io.ReadAll(io.LimitReader(file, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path(name), err)
	}
	return text, nil
}

func (f *Folder) readCertificate(name string) (*x509.Certificate, error) {
	text, err := f.read(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("read %s: it holds no certificate in PEM form", f.Path(name))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path(name), err)
	}
	return cert, nil
}

// write replaces a file whole, and syncs it. Its mode is 0600 whatever the umask.
func (f *Folder) write(name string, text []byte) error {
	temp, err := os.CreateTemp(f.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(temp.Name())
	_, err = io.Copy(temp, bytes.NewReader(text))
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), f.Path(name))
	}
	if err == nil {
		err = syncFolder(f.dir)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path(name), err)
	}
	return nil
}

func (f *Folder) writeIndex() error {
	text, err := json.MarshalIndent(f.index, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", indexFile, err)
	}
	return f.write(indexFile, append(text, '\n'))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// newSerial draws 128 random bits; RFC 5280 allows 159, and no zero.
func newSerial() (*big.Int, error) {
	for {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
		if err != nil {
			return nil, fmt.Errorf("draw serial number: %w", err)
		}
		if serial.BitLen() > 64 {
			return serial, nil
		}
	}
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
