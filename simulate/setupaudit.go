package simulate

import (
	"encoding/json"
	"fmt"
	"time"
)

// setupLine is a record of Salesforce's SetupAuditTrail, as the API gives it.
type setupLine struct {
	ID      string         `json:"Id"`
	Action  string         `json:"Action"`
	Section string         `json:"Section"`
	Created string         `json:"CreatedDate"`
	By      string         `json:"CreatedById"`
	Display string         `json:"Display"`
	Creator map[string]any `json:"CreatedBy"`
	Org     string         `json:"OrganizationId"`
}

func (w *world) setupAction(d dice, p *person, when time.Time, action, section, display string) {
	l := setupLine{
		ID: longID(anyRecordID(d, "0Ym")), Action: action, Section: section, Created: when.UTC().Format("2006-01-02T15:04:05.000+0000"),
		By: longID(p.id), Display: display, Org: longID(w.org), Creator: map[string]any{"Name": p.name, "Username": p.username},
	}
	line, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings always encode
	}
	w.setup.add(when, func(to []byte) []byte { return append(to, line...) })
}

// administration is what the admins do to the organisation on working days: all of
// it ordinary.
type administration struct{ dice dice }

func newAdministration(w *world) *administration {
	return &administration{newDice(w.Seed, "administration")}
}

var setupChores = [...][3]string{
	{"changedpagelayout", "Customize Cases", "Changed Case page layout Case Layout"},
	{"createdReportFolder", "Report Folders", "Created report folder Returns"},
	{"changedemail", "Manage Users", "Changed email for user %s"},
	{"resetpassword", "Manage Users", "Reset password for user %s"},
	{"unlockeduser", "Manage Users", "Unlocked user %s"},
	{"createdcustomfield", "Customize Orders", "Created custom field: Returned On (Date)"},
	{"changedvalidationrule", "Customize Cases", "Changed validation rule Reason_Required"},
	{"changedListView", "Customize Leads", "Changed list view New leads"},
	{"PermSetAssign", "Manage Users", "Permission set Run Reports: assigned to user %s"},
}

func (a *administration) hour(w *world, from time.Time) {
	d := a.dice
	for _, p := range w.people {
		if p.role != "admin" || p.today.session.key == "" || !inside(p.today.start.Add(3*time.Hour), from) {
			continue
		}
		for _, t := range d.instants(d.below(4), from, time.Hour) {
			c := setupChores[d.below(len(setupChores))]
			display := c[2]
			if display[len(display)-2:] == "%s" {
				display = fmt.Sprintf(display, w.people[d.below(len(w.people))].name)
			}
			w.setupAction(d, p, t, c[0], c[1], display)
		}
		if w.people[0] == p && from.Day() == 12 { // the yearly certificate
			w.setupAction(d, p, from.Add(20*time.Minute), "changedsessiontimeout", "Session Settings", "Changed session timeout")
		}
	}
}
