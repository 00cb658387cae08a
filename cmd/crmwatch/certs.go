package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/collector/ca"
)

type certsCommand struct {
	Dir    string   `required:"" placeholder:"DIR" help:"Folder of the authority; made if it is not there (mode 0700)."`
	Server []string `placeholder:"HOST" help:"A name or address by which agents reach the collector; may be repeated."`
	Agent  []string `placeholder:"NAME" help:"An agent that gets a certificate; may be repeated."`
	Days   int      `default:"365" help:"How long what is made is valid."`
	Renew  bool     `help:"Replace what is there. Without --server and --agent: everything that ends within 30 days."`
	Revoke []string `placeholder:"NAME" help:"Refuse all certificates of this agent from now on; may be repeated."`
}

func (certsCommand) Help() string {
	return `Makes a root once, then certificates: for the collector's TLS, and for agents in place of a token. Keep the folder
on one machine, and ca.key nowhere else. Without any option but --dir, lists what there is.

Example:
  crmwatch certs --dir certs --server collector.acme.example --server 203.0.113.9 --agent web-1
  crmwatch certs --dir certs --revoke web-1
  crmwatch certs --dir certs --renew`
}

func (c *certsCommand) Run(term terminal) error {
	if len(c.Revoke) > 0 && (len(c.Server) > 0 || len(c.Agent) > 0 || c.Renew) {
		return errors.New("--revoke stands alone: make certificates in another run")
	}
	if c.Days < 1 || c.Days > ca.MaxDays {
		return fmt.Errorf("--days %d is not possible: use 1 to %d", c.Days, ca.MaxDays)
	}
	folder, err := ca.Open(c.Dir, nil)
	if err != nil {
		return err
	}
	defer folder.Close()
	if len(c.Revoke) > 0 {
		return c.revoke(folder, term)
	}
	made, err := c.make(folder)
	// What was made before a mistake is told too.
	c.tell(folder, made, term.out)
	if err != nil {
		return err
	}
	return c.warn(folder, term, len(made.all) == 0)
}

// madeCertificates is what one run has made.
type madeCertificates struct {
	all    []ca.Issued
	server *ca.Issued
	agents map[string]ca.Issued
}

func (c *certsCommand) make(folder *ca.Folder) (made madeCertificates, err error) {
	made.agents = map[string]ca.Issued{}
	if folder.Created() {
		root := folder.Root()
		root.Name = "the root: " + root.Name
		made.all = append(made.all, root)
	}
	if c.Renew && len(c.Server) == 0 && len(c.Agent) == 0 {
		renewed, err := folder.RenewSoon(c.Days)
		made.all = append(made.all, renewed...)
		return made, err
	}
	if len(c.Server) > 0 {
		server, err := folder.Server(c.Server, c.Days, c.Renew)
		if err != nil {
			return made, err
		}
		made.server = &server
		made.all = append(made.all, server)
	}
	for _, name := range c.Agent {
		agent, err := folder.Agent(name, c.Days, c.Renew)
		if err != nil {
			return made, err
		}
		made.agents[name] = agent
		made.all = append(made.all, agent)
	}
	return made, nil
}

// tell says what was made and what to do with it.
func (c *certsCommand) tell(folder *ca.Folder, made madeCertificates, w io.Writer) {
	if len(made.all) == 0 {
		return
	}
	fmt.Fprintln(w, "Made:")
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, one := range made.all {
		fmt.Fprintf(table, "  %s\t%s\tuntil %s\n", one.Cert, one.Name, one.NotAfter.UTC().Format(time.DateOnly))
	}
	_ = table.Flush()
	if folder.Created() {
		fmt.Fprintf(w, "\nWho has %s can pose as any agent and as the collector: keep it here, and a copy offline.\n", folder.Root().Key)
	}
	if made.server != nil {
		fmt.Fprintf(w, "\nIn collector.yaml:\n  listen: 0.0.0.0:8443\n  tls:\n    cert_file: %s\n    key_file: %s\n    client_ca_file: %s\n    crl_file: %s\n",
			absolute(made.server.Cert), absolute(made.server.Key), absolute(folder.Root().Cert), absolute(folder.Path(ca.CRLFile)))
	}
	host := "collector.acme.example"
	if len(c.Server) > 0 {
		host = c.Server[0]
	}
	for _, name := range c.Agent {
		one, ok := made.agents[name]
		if !ok {
			continue
		}
		cert, key := filepath.Base(one.Cert), filepath.Base(one.Key)
		fmt.Fprintf(w, "\nOn %s: copy %s, %s and %s there (mode 0600); in its agent.yaml:\n  ship:\n    collector: %s\n    ca_file: ./%s\n    cert_file: ./%s\n    key_file: ./%s\n",
			name, ca.RootFile, cert, key, collectorURL(host), ca.RootFile, cert, key)
	}
}

// warn names what ends soon; it lists everything when all is set.
func (c *certsCommand) warn(folder *ca.Folder, term terminal, all bool) error {
	held, err := folder.List()
	if err != nil {
		return err
	}
	until, err := folder.CRLUntil()
	if err != nil {
		return err
	}
	root := folder.Root()
	held = append(held, ca.Held{Issued: ca.Issued{Cert: root.Cert, Name: "the root: " + root.Name, NotAfter: root.NotAfter}},
		ca.Held{Issued: ca.Issued{Cert: folder.Path(ca.CRLFile), Name: "list of revocations", NotAfter: until}})
	table := tabwriter.NewWriter(term.out, 0, 8, 2, ' ', 0)
	for _, h := range held {
		note := ""
		if h.Revoked {
			note = "revoked"
		}
		if all {
			fmt.Fprintf(table, "%s\t%s\tuntil %s\t%s\n", h.Cert, h.Name, h.NotAfter.UTC().Format(time.DateOnly), note)
		}
		if left := time.Until(h.NotAfter); !h.Revoked && left < ca.Soon {
			fmt.Fprintf(term.err, "crmwatch: %s\n", endsSoon(h.Cert, h.NotAfter, left)+"; run: crmwatch certs --dir "+c.Dir+" --renew")
		}
	}
	return table.Flush()
}

// endsSoon says how a certificate that has to be renewed stands.
func endsSoon(file string, end time.Time, left time.Duration) string {
	if left <= 0 {
		return fmt.Sprintf("%s has ended on %s", file, end.UTC().Format(time.DateOnly))
	}
	return fmt.Sprintf("%s ends on %s, in %s", file, end.UTC().Format(time.DateOnly), plural(int(left/(24*time.Hour)), "day"))
}

func (c *certsCommand) revoke(folder *ca.Folder, term terminal) error {
	for _, name := range c.Revoke {
		n, err := folder.Revoke(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "Revoked %s of agent %s in %s.\n", plural(n, "certificate"), name, folder.Path(ca.CRLFile))
	}
	fmt.Fprintf(term.out, "A collector whose tls.crl_file that is refuses them from the next request on; copy the file to other collectors.\n"+
		"A token that an agent also has ends with: crmwatch collector enroll %s --agents FILE --revoke\n", c.Revoke[0])
	return nil
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
