// Package simulate writes the logs of an invented company: its Salesforce
// organisation, its API gateway and its web server, with ordinary people and
// integrations at work and the incidents that were asked for. The same options
// give the same bytes on every machine.
package simulate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The products whose logs can be written.
const (
	Salesforce = "salesforce"
	Kong       = "kong"
	Nginx      = "nginx"
	Dynamics   = "dynamics" // Dynamics 365 and the Entra sign-ins before it
	MuleSoft   = "mulesoft"
)

// Products lists them all.
func Products() []string { return []string{Salesforce, Kong, Nginx, Dynamics, MuleSoft} }

// Options say what to simulate. The zero value of a field means what its
// comment says; see Example for a good start.
type Options struct {
	Seed uint64
	// Start is the first day; the time of day is dropped. Required.
	Start time.Time
	// Days is how many days, at least 1.
	Days int
	// Users are people, Integrations are service accounts with a connected app.
	Users, Integrations int
	// Incidents are names from Incidents(); a name may be given several times,
	// each for another victim.
	Incidents []string
	// Products are the logs to write; none means all.
	Products []string
	// Company is the invented company's name; empty is "Acme Outdoor".
	Company string
	// Churn adds what changes in a company over weeks: people on leave, and with
	// telephones, new versions of clients, integrations that roam in a cloud, jobs
	// that are run again, administrators' work on the organisation.
	Churn bool
	// Daily writes each day's twin of the hourly EventLogFiles.
	Daily bool
	// Truth is where the manifest is written as JSON, outside the log folder;
	// empty is nowhere.
	Truth string
}

func (o Options) end() time.Time { return o.Start.AddDate(0, 0, o.Days) }

// at is a time of the window, counted from its start.
func (o Options) at(days int, rest time.Duration) time.Time {
	return o.Start.AddDate(0, 0, days).Add(rest)
}

// checked fills in what is empty, and says what is wrong.
func (o Options) checked(dir string) (Options, error) {
	if o.Start.IsZero() {
		return o, fmt.Errorf("no start: give the first day to simulate")
	}
	o.Start = o.Start.UTC().Truncate(24 * time.Hour)
	if o.Days < 1 || o.Days > 3660 {
		return o, fmt.Errorf("%d days: give 1 to 3660", o.Days)
	}
	if o.Users < 1 || o.Users > 20000 {
		return o, fmt.Errorf("%d users: give 1 to 20000", o.Users)
	}
	if o.Integrations < 0 || o.Integrations > 1000 {
		return o, fmt.Errorf("%d integrations: give 0 to 1000", o.Integrations)
	}
	if o.Company == "" {
		o.Company = "Acme Outdoor"
	}
	if len(o.Products) == 0 {
		o.Products = Products()
	}
	for _, p := range o.Products {
		if !slices.Contains(Products(), p) {
			return o, fmt.Errorf("unknown product %q: use %s", p, strings.Join(Products(), ", "))
		}
	}
	for _, name := range o.Incidents {
		if _, ok := incidentKind(name); !ok {
			return o, fmt.Errorf("unknown incident %q: use %s", name, strings.Join(IncidentNames(), ", "))
		}
	}
	if o.Truth != "" {
		inside, err := isInside(dir, o.Truth)
		if err != nil {
			return o, err
		}
		if inside {
			return o, fmt.Errorf("the truth file %s would lie among the logs in %s: put it elsewhere", o.Truth, dir)
		}
	}
	return o, nil
}

func isInside(dir, path string) (bool, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false, fmt.Errorf("find folder %s: %w", dir, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return false, fmt.Errorf("find truth file %s: %w", path, err)
	}
	relative, err := filepath.Rel(dir, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator)), nil
}

// Write fills dir, which must be new or empty, with logs:
//
//	salesforce/hourly/2025-08-04T09_Login_Hourly_1.csv   EventLogFile, by type, hour and Sequence
//	salesforce/daily/2025-08-04_Login_Daily_0.csv        the same events by day (Options.Daily)
//	kong/file.log                                        the gateway, JSON lines
//	nginx/access.log, nginx/dealers.log                  the portal: combined, and JSON lines
//	entra/sign-ins.json, dynamics/audit.json             JSON lines, as the diagnostic settings and the activity API write
//	mulesoft/mule-app.json                               the runtime's log of its applications, JSON lines
//	salesforce/setup-audit-trail.json                    where Options.Churn or an incident writes to it
//
// Exports carry the time of their delivery as modification time. Memory holds
// the hours under way, so the size of the logs is bounded by the disk alone.
func Write(dir string, o Options) (Manifest, error) {
	o, err := o.checked(dir)
	if err != nil {
		return Manifest{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Manifest{}, fmt.Errorf("create log folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Manifest{}, fmt.Errorf("read log folder: %w", err)
	}
	if len(entries) > 0 {
		return Manifest{}, fmt.Errorf("folder %s is not empty: give a new one", dir)
	}
	w, err := newWorld(dir, o)
	if err != nil {
		return Manifest{}, err
	}
	runErr := w.run()
	if err := w.finish(); runErr == nil {
		runErr = err
	}
	if runErr != nil {
		return Manifest{}, runErr
	}
	m := w.manifest()
	if o.Truth != "" {
		err = m.write(o.Truth)
	}
	return m, err
}
