package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/collector/token"
)

// AgentURI begins the URI by which a certificate names an agent.
const AgentURI = "crmwatch:agent:"

// serverName is the name of the collector's files, agentPrefix begins those of agents:
// an agent called "ca" does no harm.
const (
	serverName  = "collector"
	agentPrefix = "agent-"
)

// Life bounds, in days, of what is issued.
const (
	DefaultDays = 365
	MaxDays     = 3650
)

// Issued is a certificate that was made, and the files that hold it.
type Issued struct {
	Cert, Key string
	// Name says whose it is.
	Name     string
	NotAfter time.Time
}

// ErrExists is a certificate that is there and was not asked to be renewed.
var ErrExists = errors.New("it is there already: add --renew to make it anew")

// Server makes the collector's certificate for host names and addresses. With renew
// it replaces the one that is there, and names may be empty: those of before then.
func (f *Folder) Server(names []string, days int, renew bool) (Issued, error) {
	if len(names) == 0 && renew {
		cert, err := f.readCertificate(serverName + ".pem")
		if err != nil {
			return Issued{}, err
		}
		names = NamesOf(cert)
	}
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if ip, err := netip.ParseAddr(name); err == nil && ip.Zone() == "" {
			template.IPAddresses = append(template.IPAddresses, ip.Unmap().AsSlice())
			continue
		}
		if err := checkHost(name); err != nil {
			return Issued{}, err
		}
		template.DNSNames = append(template.DNSNames, strings.ToLower(name))
	}
	if len(names) == 0 {
		return Issued{}, errors.New("make server certificate: name a host or an address by which agents reach the collector")
	}
	return f.issue(template, serverName, issued{Names: names}, strings.Join(names, ", "), days, renew)
}

// Agent makes the certificate by which a collector knows an agent.
func (f *Folder) Agent(name string, days int, renew bool) (Issued, error) {
	if err := token.CheckName(name); err != nil {
		return Issued{}, err
	}
	template := &x509.Certificate{
		URIs:        []*url.URL{{Scheme: "crmwatch", Opaque: "agent:" + name}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	return f.issue(template, agentPrefix+name, issued{Agent: name}, "agent "+name, days, renew)
}

var hostName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func checkHost(name string) error {
	if len(name) > 253 || !hostName.MatchString(strings.ToLower(name)) {
		return fmt.Errorf("server name %q: write a host name such as collector.acme.example or an address such as 203.0.113.9, without port", name)
	}
	return nil
}

// issue signs and writes a certificate. It stands in the index before it exists: so
// there is none that could not be revoked.
func (f *Folder) issue(template *x509.Certificate, base string, entry issued, name string, days int, renew bool) (Issued, error) {
	if days < 1 || days > MaxDays {
		return Issued{}, fmt.Errorf("make certificate for %s: a life of %d days is not possible: use 1 to %d", name, days, MaxDays)
	}
	if !renew {
		for _, ext := range []string{".pem", ".key"} {
			if _, err := os.Lstat(f.Path(base + ext)); !errors.Is(err, fs.ErrNotExist) {
				return Issued{}, fmt.Errorf("make %s: %w", f.Path(base+ext), ErrExists)
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Issued{}, fmt.Errorf("make key: %w", err)
	}
	if template.SerialNumber, err = newSerial(); err != nil {
		return Issued{}, err
	}
	now := f.now().UTC().Truncate(time.Second)
	template.NotBefore, template.NotAfter = now.Add(-backdate), now.AddDate(0, 0, days)
	if template.NotAfter.After(f.root.NotAfter) {
		template.NotAfter = f.root.NotAfter
	}
	// The names are in the alternative names, which alone count; this one is for people.
	template.Subject = pkix.Name{CommonName: base}
	template.KeyUsage, template.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	der, err := x509.CreateCertificate(rand.Reader, template, f.root, &key.PublicKey, f.key)
	if err != nil {
		return Issued{}, fmt.Errorf("make certificate for %s: %w", name, err)
	}
	private, err := keyPEM(key)
	if err != nil {
		return Issued{}, err
	}
	entry.Serial, entry.NotAfter = template.SerialNumber.Text(16), template.NotAfter
	f.index.Issued = append(f.index.Issued, entry)
	if err := f.writeIndex(); err != nil {
		return Issued{}, err
	}
	// A reader goes by the certificate's file, so that comes last.
	if err := f.write(base+".key", private); err != nil {
		return Issued{}, err
	}
	if err := f.write(base+".pem", certPEM(der)); err != nil {
		return Issued{}, err
	}
	return Issued{Cert: f.Path(base + ".pem"), Key: f.Path(base + ".key"), Name: name, NotAfter: template.NotAfter}, nil
}

// NamesOf lists the hosts and addresses of a server's certificate.
func NamesOf(cert *x509.Certificate) []string {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// Held is a certificate of the folder, as it stands.
type Held struct {
	Issued
	// Agent is empty for the collector's.
	Agent   string
	Serial  string
	Revoked bool
}

// List finds the certificates of the collector and the agents.
func (f *Folder) List() ([]Held, error) {
	paths, err := filepath.Glob(filepath.Join(globEscape(f.dir), "*.pem"))
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	slices.Sort(paths)
	var held []Held
	for _, path := range paths {
		base := strings.TrimSuffix(filepath.Base(path), ".pem")
		agent, isAgent := strings.CutPrefix(base, agentPrefix)
		if !isAgent && base != serverName {
			continue
		}
		cert, err := f.readCertificate(base + ".pem")
		if err != nil {
			return nil, err
		}
		h := Held{Issued: Issued{Cert: path, Key: f.Path(base + ".key"), NotAfter: cert.NotAfter}, Serial: cert.SerialNumber.Text(16)}
		if h.Name = strings.Join(NamesOf(cert), ", "); isAgent {
			h.Agent, h.Name = agent, "agent "+agent
		}
		h.Revoked = slices.ContainsFunc(f.index.Issued, func(i issued) bool { return i.Serial == h.Serial && !i.Revoked.IsZero() })
		held = append(held, h)
	}
	return held, nil
}

func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// RenewSoon makes every certificate anew that ends within Soon, and the list of
// revocations. Revoked ones stay as they are.
func (f *Folder) RenewSoon(days int) ([]Issued, error) {
	held, err := f.List()
	if err != nil {
		return nil, err
	}
	var made []Issued
	for _, h := range held {
		if h.Revoked || h.NotAfter.Sub(f.now()) > Soon {
			continue
		}
		var one Issued
		if h.Agent != "" {
			one, err = f.Agent(h.Agent, days, true)
		} else {
			one, err = f.Server(nil, days, true)
		}
		if err != nil {
			return made, err
		}
		made = append(made, one)
	}
	return made, f.writeCRL()
}
