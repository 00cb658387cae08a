// Package hold keeps legal holds: what must not be deleted while a matter is open, however
// old it is and whoever asks for its erasure.
package hold

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Hold says what is held. Conditions that are empty do not narrow it; all others must
// hold of a row.
type Hold struct {
	UID       schema.UID
	CreatedAt time.Time
	CreatedBy string
	Reason    string
	Tenant    string
	// Users are names, e-mail addresses and ids as they are stored: where a source has
	// pseudonyms, these. One of them is enough. Case does not matter.
	Users []string
	// Entities are what alerts are about: users, apps, clients, credentials, addresses, by
	// id or name. One of them is enough.
	Entities []string
	Product  string
	// Class is an OCSF class_uid; 0 is every class. What has no class is held with it.
	Class uint16
	// From and To bound the event time, [From, To); zero is no bound.
	From, To time.Time
	// ReleasedAt is zero while the hold stands.
	ReleasedAt    time.Time
	ReleasedBy    string
	ReleaseReason string
}

// Times beyond which a hold is not bound, as they are stored.
var (
	startOfTime = time.Unix(0, 0).UTC()
	endOfTime   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Stands says whether the hold has not been released.
func (h *Hold) Stands() bool { return h.ReleasedAt.IsZero() }

// Check says what is wrong with a hold that is to be made.
func (h *Hold) Check() error {
	switch {
	case strings.TrimSpace(h.Reason) == "":
		return errors.New("a hold needs a reason, such as the matter's number: --reason 'Acme v. Globex, 2026-17'")
	case h.Tenant == "" && len(h.Users) == 0 && len(h.Entities) == 0 && h.Product == "" && h.Class == 0 && h.From.IsZero() && h.To.IsZero():
		return errors.New("a hold on everything needs at least its beginning: name --from, or --tenant, --user, --entity, --product or --class")
	case !h.From.IsZero() && !h.To.IsZero() && !h.To.After(h.From):
		return fmt.Errorf("the hold ends at %s, not after its beginning at %s", h.To.UTC().Format(time.RFC3339), h.From.UTC().Format(time.RFC3339))
	case !h.From.IsZero() && (h.From.Before(startOfTime) || h.From.After(endOfTime)) || !h.To.IsZero() && (h.To.Before(startOfTime) || h.To.After(endOfTime)):
		return errors.New("the hold's times are outside the years 1970 to 2099")
	}
	for _, s := range append(append([]string{h.Tenant, h.Product}, h.Users...), h.Entities...) {
		if err := schema.CheckLiteral(s); err != nil {
			return err
		}
	}
	for _, s := range append(append([]string{}, h.Users...), h.Entities...) {
		if strings.TrimSpace(s) == "" {
			return errors.New("a user or an entity without a name would hold nothing")
		}
	}
	return nil
}

// String says in words what is held.
func (h *Hold) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	add("tenant", h.Tenant)
	add("user", strings.Join(h.Users, " or "))
	add("entity", strings.Join(h.Entities, " or "))
	add("product", h.Product)
	if h.Class != 0 {
		add("class", schema.ClassName(h.Class))
	}
	if !h.From.IsZero() {
		add("from", h.From.UTC().Format(time.RFC3339))
	}
	if !h.To.IsZero() {
		add("to", h.To.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, ", ")
}
