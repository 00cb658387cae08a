package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/audit"
	"github.com/crmwatch/crmwatch/compliance/hold"
	"github.com/crmwatch/crmwatch/compliance/retention"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

type holdCommand struct {
	Add     addHoldCommand     `cmd:"" help:"Hold what matches: it is neither deleted by its age nor erased."`
	List    listHoldsCommand   `cmd:"" help:"List the holds that stand."`
	Release releaseHoldCommand `cmd:"" help:"End a hold: what is due goes from then on."`
}

type addHoldCommand struct {
	alertFlags
	Tenant  string   `placeholder:"NAME" help:"Only of this tenant."`
	User    []string `sep:"none" placeholder:"NAME" help:"Only of this user: a name, an address or an id, as it is stored (crmwatch pseudonym makes a pseudonym); can be repeated."`
	Entity  []string `sep:"none" placeholder:"NAME" help:"Only of this user, app, client, credential or address, by name or id; can be repeated."`
	Product string   `placeholder:"NAME" help:"Only of this product, such as Salesforce."`
	Class   string   `placeholder:"CLASS" help:"Only of this class of OCSF, such as authentication; findings and alerts have none, and are held."`
	From    string   `placeholder:"TIME" help:"Only what happened from then on, such as 2026-03-01 or 2026-03-01T08:00:00Z."`
	To      string   `placeholder:"TIME" help:"Only what happened before."`
	Reason  string   `required:"" help:"Why: the matter, and who asks."`
}

func (addHoldCommand) Help() string {
	return `All that is named must hold of a row. The hold covers events, findings, alerts and quarantine, and lasts until it is
released. What a table does not know counts as covered: records in quarantine have no tenant. The log files themselves,
spools and backups are not held (docs/retention.md).

Example:
  crmwatch hold add --config crmwatch.yaml --tenant acme --user alice@acme.example --from 2026-03-01 --reason 'Acme v. Globex, legal'`
}

func (c *addHoldCommand) hold(now time.Time) (hold.Hold, error) {
	h := hold.Hold{CreatedAt: now, CreatedBy: whoami(), Reason: c.Reason, Tenant: c.Tenant, Users: c.User, Entities: c.Entity, Product: c.Product}
	if _, err := rand.Read(h.UID[:]); err != nil {
		return h, fmt.Errorf("make an id: %w", err)
	}
	if c.Class != "" {
		var known bool
		if h.Class, known = schema.ParseClass(c.Class); !known {
			return h, fmt.Errorf("--class is %q: use %s, or a class_uid of OCSF", c.Class, strings.Join(schema.ClassNames(), ", "))
		}
	}
	for _, flag := range []struct {
		name, text string
		at         *time.Time
	}{{"--from", c.From, &h.From}, {"--to", c.To, &h.To}} {
		if flag.text == "" {
			continue
		}
		at, err := timeOf(flag.text)
		if err != nil {
			return h, fmt.Errorf("%s: %w", flag.name, err)
		}
		*flag.at = at
	}
	return h, h.Check()
}

func (c *addHoldCommand) Run(ctx context.Context, term terminal) error {
	now := time.Now()
	h, err := c.hold(now)
	if err != nil {
		return err
	}
	store, rules, done, err := c.openWithRules(ctx)
	if err != nil {
		return err
	}
	defer done()
	by := audit.Record{At: now, Actor: whoami(), Via: audit.ViaCLI}
	if err := retention.Hold(ctx, store, h, rules, by, now); err != nil {
		return err
	}
	record := holdRecord(h, "hold.add", "Held from being deleted: "+h.String()+". Reason: "+h.Reason, now)
	if err := audit.Write(ctx, store, record); err != nil {
		return err
	}
	fmt.Fprintf(term.out, "hold %s\nholds %s\n", h.UID, alerting.PlainLine(h.String()))
	for _, table := range hold.Tables() {
		covering, err := hold.Covering(ctx, store, table, "")
		if err != nil {
			return err
		}
		for _, held := range covering {
			if held.Hold.UID == h.UID {
				fmt.Fprintf(term.out, "  %-20s %s\n", table, plural(int64(held.Rows), "row"))
			}
		}
	}
	return nil
}

func holdRecord(h hold.Hold, action, detail string, now time.Time) audit.Record {
	return audit.Record{At: now, Tenant: h.Tenant, Actor: whoami(), Via: audit.ViaCLI, Action: action, ObjectType: "legal_hold", Object: h.UID.String(), Detail: detail}
}

// openWithRules is open, with the rules of the configuration; nil where none is named.
func (c *alertFlags) openWithRules(ctx context.Context) (schema.Store, []detectors.Rule, func(), error) {
	var rules []detectors.Rule
	if c.Config != "" {
		var err error
		if _, rules, err = configAndRules(c.Config); err != nil {
			return nil, nil, nil, err
		}
	}
	store, _, done, err := c.open(ctx)
	return store, rules, done, err
}

type listHoldsCommand struct {
	alertFlags
	All  bool `help:"Also those that were released."`
	JSON bool `name:"json" help:"Write one JSON object a line."`
}

// holdLine is a hold as --json prints it.
type holdLine struct {
	UID           string    `json:"hold_uid"`
	CreatedAt     time.Time `json:"created_at"`
	CreatedBy     string    `json:"created_by"`
	Reason        string    `json:"reason"`
	Tenant        string    `json:"tenant,omitempty"`
	Users         []string  `json:"users,omitempty"`
	Entities      []string  `json:"entities,omitempty"`
	Product       string    `json:"product,omitempty"`
	Class         uint16    `json:"class_uid,omitempty"`
	From          time.Time `json:"from,omitzero"`
	To            time.Time `json:"to,omitzero"`
	ReleasedAt    time.Time `json:"released_at,omitzero"`
	ReleasedBy    string    `json:"released_by,omitempty"`
	ReleaseReason string    `json:"release_reason,omitempty"`
}

func (c *listHoldsCommand) Run(ctx context.Context, term terminal) error {
	store, _, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	read := hold.Active
	if c.All {
		read = hold.All
	}
	holds, err := read(ctx, store)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(term.out)
		for _, h := range holds {
			if err := encoder.Encode(holdLine{h.UID.String(), h.CreatedAt.UTC(), h.CreatedBy, h.Reason, h.Tenant, h.Users, h.Entities, h.Product, h.Class, h.From, h.To, h.ReleasedAt, h.ReleasedBy, h.ReleaseReason}); err != nil {
				return fmt.Errorf("write holds: %w", err)
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HOLD\tSTATE\tSINCE (UTC)\tBY\tHOLDS\tREASON")
	for _, h := range holds {
		state := "stands"
		if !h.Stands() {
			state = "released " + h.ReleasedAt.UTC().Format(minuteTime) + " by " + h.ReleasedBy + ": " + h.ReleaseReason
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", h.UID.String()[:8], alerting.PlainLine(state), h.CreatedAt.UTC().Format(minuteTime), alerting.PlainLine(h.CreatedBy), alerting.PlainLine(h.String()), alerting.PlainLine(h.Reason))
	}
	return table.Flush()
}

type releaseHoldCommand struct {
	alertFlags
	Hold   string `arg:"" help:"The hold's id, or its beginning."`
	Reason string `required:"" help:"Why: who has said that the matter is closed."`
}

func (releaseHoldCommand) Help() string {
	return `What the hold covered and no other hold covers goes when it is due: at once, if it is so already.

Example:
  crmwatch hold release --config crmwatch.yaml 1f3a90c2 --reason 'settled, says legal'`
}

func (c *releaseHoldCommand) Run(ctx context.Context, term terminal) error {
	store, rules, done, err := c.openWithRules(ctx)
	if err != nil {
		return err
	}
	defer done()
	h, err := hold.One(ctx, store, c.Hold)
	if err != nil {
		return err
	}
	now := time.Now()
	h.ReleasedAt, h.ReleasedBy, h.ReleaseReason = now, whoami(), c.Reason
	// Who releases is written before anything can go.
	if err := audit.Write(ctx, store, holdRecord(h, "hold.release", "Released: "+h.String()+". Reason: "+c.Reason, now)); err != nil {
		return err
	}
	if err := retention.Release(ctx, store, h, rules, audit.Record{At: now, Actor: whoami(), Via: audit.ViaCLI}, now); err != nil {
		return err
	}
	fmt.Fprintf(term.out, "hold %s is released\n", h.UID)
	return nil
}
