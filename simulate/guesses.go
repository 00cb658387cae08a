package simulate

import (
	"fmt"
	"time"
)

// somebody is a person to whom nothing happens yet, and who has worked for weeks.
func (i *incident) somebody(fits func(*person) bool) (*person, error) {
	w := i.world
	offset := i.dice.below(len(w.people))
	for n := range w.people {
		p := w.people[(offset+n)%len(w.people)]
		if p.hired.IsZero() && p.away == (window{}) && !w.taken[longID(p.id)] && fits(p) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no fitting user is left: give more users")
}

// workday is a day of the window that nobody spends at home.
func (i *incident) workday() int {
	for {
		day := i.day()
		if d := i.world.at(day, 0).Weekday(); d != time.Saturday && d != time.Sunday || i.world.Days < 7 {
			return day
		}
	}
}

// personLabel is about a person, by the names that all logs have for them.
func (i *incident) personLabel(p *person, product string, from, to time.Time) Label {
	l := Label{Product: product, EntityType: "user", EntityUID: longID(p.id), Entity: p.username, From: from, To: to}
	if product == Dynamics {
		l.EntityUID = p.directoryID
		i.world.taken[longID(p.id)] = true
		l.Aliases = []string{longID(p.id)}
	} else if p.directoryID != "" {
		i.world.taken[p.directoryID] = true
		l.Aliases = []string{p.directoryID}
	}
	return l
}

func knownToEntra(p *person) bool    { return p.directoryID != "" }
func typesPassword(p *person) bool   { return !p.sso }
func worksInDynamics(p *person) bool { return p.inDynamics() && p.directoryID != "" }

// planFatigue: somebody has the password, and asks for the second factor until the
// person presses Approve. Every other time at Salesforce.
func planFatigue(i *incident) error {
	w, d := i.world, i.dice
	inEntra := w.signIns != nil || has(w.Products, Dynamics)
	fits := knownToEntra
	if !inEntra || i.ordinal%2 == 1 && has(w.Products, Salesforce) {
		inEntra, fits = false, typesPassword
	}
	p, err := i.somebody(fits)
	if err != nil {
		return err
	}
	address := i.network().host(31)
	begin := w.at(i.day(), time.Hour+d.within(3*time.Hour).Truncate(time.Second))
	end := begin
	for n := range 14 {
		end = begin.Add(time.Duration(n) * 95 * time.Second)
		i.at(end, func(t time.Time) {
			if !inEntra {
				w.login(d, t, login{user: p.id, name: p.username, kind: "A", subKind: "uiup", client: browsers[4], status: loginTwoFactor, session: newSession(d, address, t)})
				return
			}
			s := w.personSignIn(p)
			s.address, s.country, s.agent, s.session, s.code, s.detail = address, "NL", browsers[4], d.uuid(), "500121", "Authentication failed during strong authentication request."
			w.signIn(d, t, s)
		})
	}
	end = end.Add(70 * time.Second)
	i.at(end, func(t time.Time) {
		if !inEntra {
			w.login(d, t, login{user: p.id, name: p.username, kind: "A", subKind: "uiup", client: browsers[4], status: loginSuccess, session: newSession(d, address, t)})
			return
		}
		s := w.personSignIn(p)
		s.address, s.country, s.agent, s.session = address, "NL", browsers[4], d.uuid()
		w.signIn(d, t, s)
	})
	product := Dynamics
	if !inEntra {
		product = Salesforce
	}
	l := i.personLabel(p, product, begin, end.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planStuffing: a list of leaked passwords, from many rented machines, two user agents;
// one password fits.
func planStuffing(i *incident) error {
	w, d := i.world, i.dice
	lucky, err := i.somebody(typesPassword)
	if err != nil {
		return err
	}
	begin := w.at(i.day(), 2*time.Hour+d.within(2*time.Hour).Truncate(time.Minute))
	end := begin
	agents := []string{"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/89.0.4389.90 Safari/537.36", "okhttp/3.12.1"}
	offset, n := d.below(len(w.people)), 0
	for k := 0; n < 46 && k < 3*len(w.people); k++ {
		target := login{name: "customer" + d.text(5, "0123456789") + "@" + w.domain, status: loginUnknown}
		if p := w.people[(offset+k)%len(w.people)]; n%3 != 2 && k < len(w.people) {
			if p.sso || p == lucky {
				continue
			}
			target = login{user: p.id, name: p.username, status: loginPassword}
		}
		target.kind, target.subKind, target.client, target.session.address = "A", "uiup", agents[n%2], leakedAddress(i.number, n)
		end = begin.Add(time.Duration(n)*45*time.Second + d.within(30*time.Second))
		i.at(end, func(t time.Time) { w.login(d, t, target) })
		n++
	}
	end = end.Add(40 * time.Second)
	i.at(end, func(t time.Time) {
		w.login(d, t, login{user: lucky.id, name: lucky.username, kind: "A", subKind: "uiup", client: agents[0], status: loginSuccess,
			session: newSession(d, leakedAddress(i.number, 5), t)})
	})
	of := "Salesforce of " + longID(w.org)
	l := i.personLabel(lucky, Salesforce, begin, end.Add(time.Millisecond))
	w.taken[l.EntityUID] = true
	l.Aliases = append(l.Aliases, l.EntityUID, l.Entity)
	l.EntityType, l.EntityUID, l.Entity = "source", of, "Salesforce"
	i.label(l)
	return nil
}

// planGuess: over a day, from three rented machines, a few passwords for one person; a
// later one fits.
func planGuess(i *incident) error {
	w, d := i.world, i.dice
	p, err := i.somebody(typesPassword)
	if err != nil {
		return err
	}
	begin := w.at(i.day(), time.Hour+d.within(time.Hour).Truncate(time.Second))
	end := begin
	for n := range 9 {
		end = begin.Add(time.Duration(n)*95*time.Minute + d.within(20*time.Minute))
		l := login{user: p.id, name: p.username, kind: "A", subKind: "uiup", client: browsers[4], status: loginPassword}
		l.session.address = leakedAddress(i.number, n%3)
		i.at(end, func(t time.Time) { w.login(d, t, l) })
	}
	end = end.Add(50 * time.Minute)
	i.at(end, func(t time.Time) {
		w.login(d, t, login{user: p.id, name: p.username, kind: "A", subKind: "uiup", client: browsers[4], status: loginSuccess,
			session: newSession(d, leakedAddress(i.number, 3), t)})
	})
	i.label(i.personLabel(p, Salesforce, begin, end.Add(time.Millisecond)))
	return nil
}

// planFrozen: the login of somebody who has left is tried. Every other time at Entra.
func planFrozen(i *incident) error {
	w, d := i.world, i.dice
	inEntra := has(w.Products, Dynamics) && (i.ordinal%2 == 1 || !has(w.Products, Salesforce))
	fits := typesPassword
	if inEntra {
		fits = knownToEntra
	}
	p, err := i.somebody(fits)
	if err != nil {
		return err
	}
	day := i.day()
	p.away = window{w.at(day-3, 0).Add(-12 * time.Hour), w.end().AddDate(0, 0, 2)}
	begin := w.at(day, 4*time.Hour+d.within(4*time.Hour).Truncate(time.Second))
	end := begin
	for n := range 4 {
		end = begin.Add(time.Duration(n) * 7 * time.Minute)
		i.at(end, func(t time.Time) {
			if inEntra {
				s := w.personSignIn(p)
				s.address, s.country, s.session, s.code, s.detail, s.secondFactor = i.network().host(12), "NL", "", "50057", "The user account is disabled.", false
				w.signIn(d, t, s)
				return
			}
			l := login{user: p.id, name: p.username, kind: "A", subKind: "uiup", client: browsers[0], status: "LOGIN_ERROR_USER_FROZEN"}
			l.session.address = i.network().host(12)
			w.login(d, t, l)
		})
	}
	product := Salesforce
	if inEntra {
		product = Dynamics
	}
	l := i.personLabel(p, product, begin, end.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// planTravel: the person signs in at the office, and forty minutes later from another
// continent.
func planTravel(i *incident) error {
	w, d := i.world, i.dice
	p, err := i.somebody(knownToEntra)
	if err != nil {
		return err
	}
	begin := w.at(i.workday(), 11*time.Hour).Add(-p.offset)
	if begin.Before(w.Start) || !begin.Add(time.Hour).Before(w.end()) {
		begin = w.at(i.day(), 12*time.Hour)
	}
	i.at(begin, func(t time.Time) {
		s := w.personSignIn(p)
		s.address, s.country, s.session = p.office, homeCountries[p.place()], d.uuid()
		w.signIn(d, t, s)
	})
	end := begin.Add(38 * time.Minute)
	i.at(end, func(t time.Time) {
		s := w.personSignIn(p)
		s.address, s.country, s.session, s.agent = i.network().host(88), "BR", d.uuid(), browsers[0]
		w.signIn(d, t, s)
	})
	l := i.personLabel(p, Dynamics, begin, end.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}
