package simulate

import (
	"fmt"
	"time"
)

// telephoneClient is what the application calls itself.
const telephoneClient = "SfdcMobileChatteriOS"

// telephone is the CRM's application on the telephone of a person: it renews its token
// and calls the API from wherever the person is, also in the evening.
type telephone struct {
	owner *person
	dice  dice
	// session lasts for some hours.
	session session
}

func newTelephone(w *world, p *person) *telephone {
	return &telephone{owner: p, dice: newDice(w.Seed, fmt.Sprintf("telephone %d", p.number))}
}

func (t *telephone) hour(w *world, from time.Time) {
	p, d := t.owner, t.dice
	local := from.Add(p.offset).Hour()
	if local < 7 || local > 21 || p.away.holds(from) || from.Before(p.hired) || !d.perMille(130) {
		return
	}
	if t.session.key == "" || from.Sub(t.session.since) > 6*time.Hour {
		address := numbered(18, 64+d.below(64)).host(d.between(2, 250))
		if d.perMille(400) {
			address = p.home
		}
		t.session = newSession(d, address, from.Add(d.within(5*time.Minute)))
		w.login(d, t.session.since, login{user: p.id, name: p.username, session: t.session, kind: "i", subKind: "oauthrefreshtoken",
			client: "SalesforceMobileSDK/12.1.0 iOS/18.5 (iPhone15,3) Salesforce/252.010", apiVersion: "9998.0", status: loginSuccess})
	}
	as := p.asProgram(w, d, telephoneClient, recordID(prefixConnectedApp, w.idBase(prefixConnectedApp)+70_001))
	for _, when := range d.instants(d.between(1, 4), from.Add(6*time.Minute), 50*time.Minute) {
		w.rest(as, t.session, when, call{method: "GET", path: "ui-api/records/" + longID(anyRecordID(d, prefixAccount)), entity: d.pick([]string{"Account", "Opportunity", "Contact"}), rows: 1, fields: 20})
	}
}
