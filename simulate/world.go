package simulate

import (
	"slices"
	"time"
)

// world is a simulation under way: who lives in it, and the logs they leave.
type world struct {
	Options
	org          string
	domain       string
	people       []*person
	integrations []*integration
	consumers    []*consumer
	actors       []actor
	labels       []Label
	// taken marks the identities (by EntityUID) to which something happens.
	taken map[string]bool
	// attackers counts the incidents that have a network of their own.
	attackers int

	// directory is the Entra tenant.
	directory string
	// apps are the applications in Dynamics.
	apps []*dynamicsApp

	// troubles are those of the services behind the gateway.
	troubles []trouble

	exports *exports
	gateway *lineLog
	portal  *lineLog
	dealers *lineLog
	signIns *lineLog
	audit   *lineLog
	mule    *lineLog
	setup   *lineLog
}

// actor lives hour by hour. It may write into its hour and later, never earlier.
type actor interface {
	hour(w *world, from time.Time)
}

func newWorld(dir string, o Options) (*world, error) {
	w := &world{Options: o, domain: domainOf(o.Company), taken: map[string]bool{}}
	w.org = recordID(prefixOrganization, uint64(newDice(o.Seed, "organization").between(1_000_000, 900_000_000)))
	if slices.Contains(o.Products, Salesforce) || slices.Contains(o.Products, Dynamics) {
		w.hirePeople()
	}
	if slices.Contains(o.Products, Salesforce) {
		w.exports = newExports(dir, o)
		w.installIntegrations()
		if o.Churn {
			w.actors = append(w.actors, newAdministration(w))
			for _, p := range w.people {
				if p.number%6 == 2 {
					w.actors = append(w.actors, newTelephone(w, p))
				}
			}
		}
	}
	if slices.Contains(o.Products, Dynamics) {
		w.registerApps()
	}
	if slices.Contains(o.Products, Kong) {
		w.registerConsumers()
	}
	if slices.Contains(o.Products, Nginx) {
		w.actors = append(w.actors, newVisitors(o.Seed), newDealers(w))
	}
	if err := w.planIncidents(); err != nil {
		return nil, err
	}
	return w, w.openLogs(dir)
}

func (w *world) openLogs(dir string) (err error) {
	open := func(log **lineLog, name, product, stream string) {
		if err == nil && slices.Contains(w.Products, product) {
			*log, err = createLineLog(dir, name, product, stream, w.Options)
		}
	}
	open(&w.gateway, "kong/file.log", Kong, "http-log")
	open(&w.portal, "nginx/access.log", Nginx, "access")
	open(&w.dealers, "nginx/dealers.log", Nginx, "access")
	open(&w.signIns, "entra/sign-ins.json", Dynamics, "SignInLogs")
	open(&w.audit, "dynamics/audit.json", Dynamics, "AuditLog")
	open(&w.mule, "mulesoft/mule-app.json", MuleSoft, "application")
	if w.Churn || slices.ContainsFunc(w.labels, func(l Label) bool { return incidentWritesSetup[l.Kind] }) {
		open(&w.setup, "salesforce/setup-audit-trail.json", Salesforce, "SetupAuditTrail")
	}
	return err
}

// run lives through every hour and writes it when it is over.
func (w *world) run() error {
	for from := w.Start; from.Before(w.end()); from = from.Add(time.Hour) {
		for _, a := range w.actors {
			a.hour(w, from)
		}
		if err := w.exports.flush(from); err != nil {
			return err
		}
		for _, l := range w.lineLogs() {
			if err := l.flush(from); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) lineLogs() []*lineLog {
	return slices.DeleteFunc([]*lineLog{w.gateway, w.portal, w.dealers, w.signIns, w.audit, w.mule, w.setup}, func(l *lineLog) bool { return l == nil })
}

func (w *world) finish() error {
	var first error
	for _, l := range w.lineLogs() {
		if err := l.finish(); first == nil {
			first = err
		}
	}
	return first
}

func (w *world) manifest() Manifest {
	labels := slices.SortedStableFunc(slices.Values(w.labels), func(a, b Label) int { return a.From.Compare(b.From) })
	m := Manifest{Seed: w.Seed, Company: w.Company, From: w.Start, To: w.end(), Tenant: longID(w.org), Incidents: labels}
	if w.exports != nil {
		m.Files = w.exports.files
	}
	for _, l := range w.lineLogs() {
		m.Files = append(m.Files, l.File)
	}
	for _, f := range m.Files {
		m.Bytes += f.Bytes
		if f.Sequence > 0 || f.Product != Salesforce || f.Log == "SetupAuditTrail" {
			m.Events += f.Records
		}
	}
	for _, p := range w.people {
		m.Innocents = append(m.Innocents, Identity{Salesforce, "user", longID(p.id), p.username, p.note})
	}
	m.Innocents = append(m.Innocents, w.dynamicsIdentities()...)
	for i := range min(len(w.people), len(offices)) {
		prefix := officeNetwork(i).prefix()
		m.Innocents = append(m.Innocents, Identity{Salesforce, "network", prefix, prefix, "an office"})
	}
	for _, n := range vpnNetworks {
		if len(w.people) > 0 {
			m.Innocents = append(m.Innocents, Identity{Salesforce, "network", n.prefix(), n.prefix(), "the company's VPN"})
		}
	}
	for _, in := range w.integrations {
		m.Innocents = append(m.Innocents, Identity{Salesforce, "integration", longID(in.id), in.username, in.note})
	}
	for _, c := range w.consumers {
		m.Innocents = append(m.Innocents, Identity{Kong, "integration", c.id, c.username, c.note})
	}
	if slices.Contains(w.Products, MuleSoft) {
		for _, in := range w.integrations {
			if in.flow != "" {
				m.Innocents = append(m.Innocents, Identity{MuleSoft, "integration", in.flow, in.flow, "carries the calls of " + in.username})
			}
		}
	}
	m.Inventory = w.inventory()
	m.Innocents = slices.DeleteFunc(m.Innocents, func(i Identity) bool { return w.taken[i.EntityUID] })
	return m
}

// inventory is the company's list of its integrations, by the names that people use.
func (w *world) inventory() (names []string) {
	for _, in := range w.integrations {
		names = append(names, in.username)
		if in.flow != "" {
			names = append(names, in.flow)
		}
	}
	for _, c := range w.consumers {
		names = append(names, c.username)
	}
	for _, a := range w.apps {
		names = append(names, a.name)
	}
	if slices.Contains(w.Products, Nginx) {
		names = append(names, "dealer-*")
	}
	if w.Churn {
		names = append(names, telephoneClient)
	}
	return names
}
