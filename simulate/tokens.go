package simulate

import (
	"slices"
	"time"
)

func has(words []string, word string) bool { return slices.Contains(words, word) }

// lead is a query that marketing's integrations make all day.
func lead(d dice) call {
	return call{method: "GET", path: "query", entity: "Lead", rows: d.between(20, 120), fields: 9, query: "SELECT Id, Name, Email, Phone, Company FROM Lead WHERE Status = 'Open'"}
}

// asProgram is a person as the API sees them: an identity that calls.
func (p *person) asProgram(w *world, d dice, client, app string) *integration {
	return &integration{id: p.id, username: p.username, client: client, name: client, app: app, version: "62.0", dice: d}
}

// planHijack: a copied session of Dynamics, used from elsewhere by a script while its
// owner works on.
func planHijack(i *incident) error {
	w, d := i.world, i.dice
	p, err := i.somebody(worksInDynamics)
	if err != nil {
		return err
	}
	begin := w.at(i.workday(), 12*time.Hour).Add(-p.offset)
	if begin.Before(w.Start) || !begin.Add(2*time.Hour).Before(w.end()) {
		begin = w.at(i.day(), 12*time.Hour)
	}
	session, own := "", p.office
	i.at(begin, func(t time.Time) {
		if session, own = p.today.directory, p.today.address; session == "" || own == "" {
			session, own = d.uuid(), p.office
			s := w.personSignIn(p)
			s.session, s.address, s.country = session, own, homeCountries[p.place()]
			w.signIn(d, t, s)
		}
	})
	end := begin
	for n := range 40 {
		end = begin.Add(2*time.Minute + time.Duration(n)*80*time.Second)
		i.at(end, func(t time.Time) {
			x := w.clerkDeed(p, "RetrieveMultiple", "contact")
			x.session, x.address, x.agent, x.results = session, i.network().host(63), "python-requests/2.31.0", 8
			x.query = "<fetch top='5000'><entity name='contact'/></fetch>"
			w.deed(d, t, x)
			if n%4 == 1 {
				mine := w.clerkDeed(p, "Retrieve", "account")
				mine.session, mine.address = session, own
				w.deed(d, t.Add(30*time.Second), mine)
			}
		})
	}
	l := i.personLabel(p, Dynamics, begin, end.Add(time.Minute))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planNewClient: a script runs with the integration's token, on the integration's own
// machine.
func planNewClient(i *incident) error {
	in, err := i.victim("bi", "erp", "marketing")
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 16*time.Hour+40*time.Minute)
	i.at(begin, func(t time.Time) {
		s := w.attackerLogin(i, in, t, in.networks[0].host(in.hosts[0]), "python-httpx/0.27.0")
		for n := range 15 {
			w.probe(i, in, s, t.Add(time.Duration(n+1)*30*time.Second), call{method: "GET", path: "query", entity: "Order", rows: i.dice.between(20, 120), fields: 9, query: "SELECT Id, OrderNumber, Status, TotalAmount FROM Order WHERE Status = 'Draft'"})
		}
	})
	i.label(i.integrationLabel(in, begin, begin.Add(10*time.Minute)))
	return nil
}

// planNewNetwork: the integration's token is used from elsewhere, with the client that it
// always has.
func planNewNetwork(i *incident) error {
	in, err := i.victim("bi", "marketing", "chat")
	if err != nil {
		return err
	}
	w := i.world
	thief := i.disguise(in)
	thief.client = in.client
	begin := w.at(i.day(), 7*time.Hour+25*time.Minute)
	i.at(begin, func(t time.Time) {
		thief.version = in.version
		s := w.serviceLogin(thief, t, i.network().host(44), in.agent)
		for n := range 20 {
			w.rest(thief, s, t.Add(time.Duration(n+1)*15*time.Second), lead(i.dice))
		}
	})
	l := i.integrationLabel(in, begin, begin.Add(6*time.Minute))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planAfterLogout: a person logs out, and their session goes on elsewhere.
func planAfterLogout(i *incident) error {
	w, d := i.world, i.dice
	p, err := i.somebody(typesPassword)
	if err != nil {
		return err
	}
	begin := w.at(i.workday(), 17*time.Hour).Add(-p.offset)
	if begin.Before(w.Start) || !begin.Add(4*time.Hour).Before(w.end()) {
		begin = w.at(i.day(), 14*time.Hour)
	}
	thief := p.asProgram(w, d, "", "")
	var s session
	i.at(begin, func(t time.Time) {
		s = newSession(d, p.office, t)
		w.login(d, t, login{user: p.id, name: p.username, session: s, kind: "A", subKind: "uiup", client: p.browser, status: loginSuccess})
	})
	out := begin.Add(25 * time.Minute)
	i.at(out, func(t time.Time) {
		w.exports.add(tableLogout, t, w.org, p.id, "REQUEST_ID", requestID(d), "USER_TYPE", "Standard", "SESSION_LEVEL", "1", "BROWSER_TYPE", "13050000",
			"USER_INITIATED_LOGOUT", "1", "SESSION_KEY", s.key, "LOGIN_KEY", s.login, "CLIENT_IP", p.office)
	})
	again := out.Add(80 * time.Minute)
	i.at(again, func(t time.Time) {
		s.address = i.network().host(29)
		for n := range 12 {
			w.rest(thief, s, t.Add(time.Duration(n)*40*time.Second), call{method: "GET", path: "query", entity: "Account", rows: 200, fields: 8, query: "SELECT Id, Name, Phone, AnnualRevenue FROM Account"})
		}
	})
	l := i.personLabel(p, Salesforce, begin, again.Add(9*time.Minute))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planLegacy: the integration's password, in the simplest flow that takes one.
func planLegacy(i *incident) error {
	in, err := i.victim("bi", "marketing", "erp")
	if err != nil {
		return err
	}
	w := i.world
	thief := i.disguise(in)
	begin := w.at(i.day(), 19*time.Hour+12*time.Minute)
	i.at(begin, func(t time.Time) {
		s := newSession(i.dice, i.network().host(71), t)
		w.login(i.dice, t, login{user: in.id, name: in.username, session: s, kind: "i", subKind: "oauthpassword", client: "curl/8.9.1", apiVersion: "9998.0", status: loginSuccess})
		for n := range 6 {
			w.rest(thief, s, t.Add(time.Duration(n+1)*9*time.Second), lead(i.dice))
		}
	})
	l := i.integrationLabel(in, begin, begin.Add(2*time.Minute))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planInteractive: somebody logs in as the service account, with a browser.
func planInteractive(i *incident) error {
	in, err := i.victim("finance", "release", "erp")
	if err != nil {
		return err
	}
	w, d := i.world, i.dice
	begin := w.at(i.day(), 20*time.Hour+d.within(2*time.Hour).Truncate(time.Second))
	i.at(begin, func(t time.Time) {
		w.login(d, t, login{user: in.id, name: in.username, session: newSession(d, i.network().host(37), t), kind: "A", subKind: "uiup", client: browsers[1], status: loginSuccess})
	})
	l := i.integrationLabel(in, begin, begin.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}
