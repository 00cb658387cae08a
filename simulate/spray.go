package simulate

import (
	"fmt"
	"time"
)

// planSpray: within an hour, from four addresses of one network, one to three
// passwords for each of up to 25 users, some of whom do not exist. Nobody else
// comes from that network. Every address alone stays below what would be noticed.
func planSpray(i *incident) error {
	w, d := i.world, i.dice
	var known []*person
	for _, p := range w.people {
		if !p.sso {
			known = append(known, p)
		}
	}
	if len(known) < 8 {
		return fmt.Errorf("%d users log in with a password, 8 are needed: give more users", len(known))
	}
	begin := w.at(i.day(), time.Hour*time.Duration(d.between(1, 4))+12*time.Minute)
	if w.Days == 14 && i.ordinal == 0 && i.Name == "password-spray" {
		begin = w.at(10, 3*time.Hour+12*time.Minute)
	}
	targets := min(len(known), 25)
	offset := d.below(len(known))
	var lucky *person
	for n := range 25 {
		target := login{name: fmt.Sprintf("%s@%s", d.pick([]string{"info", "sales", "office", "test", "backup"})+d.text(1, "123456789"), w.domain), status: loginUnknown}
		if n < targets {
			p := known[(offset+n)%len(known)]
			target = login{user: p.id, name: p.username, status: loginPassword}
			if n == targets/2 && i.Name == "password-spray-success" {
				lucky = p
			}
		} else if n >= max(targets+4, 12) {
			break
		}
		target.kind, target.subKind, target.client = "A", "uiup", browsers[0]
		target.session.address = i.network().host(20 + n%4)
		first := begin.Add(time.Duration(n)*2*time.Minute + d.within(time.Minute))
		for try := range d.between(1, 3) {
			i.at(first.Add(time.Duration(try)*15*time.Second+d.within(4*time.Second)), func(t time.Time) { w.login(d, t, target) })
		}
	}
	l := Label{Product: Salesforce, EntityType: "network", EntityUID: i.network().prefix(), Entity: i.network().prefix(), Networks: []string{i.network().prefix()}}
	l.From, l.To = i.steps[0].when, i.steps[len(i.steps)-1].when.Add(time.Millisecond)
	if lucky != nil {
		t := l.To.Add(40 * time.Second)
		i.at(t, func(t time.Time) {
			w.login(d, t, login{user: lucky.id, name: lucky.username, kind: "A", subKind: "uiup", client: browsers[0],
				session: newSession(d, i.network().host(23), t), status: loginSuccess})
		})
		l.To = t.Add(time.Millisecond)
		w.taken[longID(lucky.id)] = true
	}
	i.label(l)
	return nil
}

// planBruteForce: forty wrong passwords in nine minutes, then the right one.
func planBruteForce(i *incident) error {
	w, d := i.world, i.dice
	var target *person
	for n := range w.people {
		p := w.people[(n+i.ordinal+1)%len(w.people)]
		if !p.sso && !w.taken[longID(p.id)] {
			target = p
			break
		}
	}
	if target == nil {
		return fmt.Errorf("no user with a password is left: give more users")
	}
	begin := w.at(i.day(), 2*time.Hour+d.within(3*time.Hour).Truncate(time.Second))
	l := login{user: target.id, name: target.username, kind: "A", subKind: "uiup", client: "Mozilla/5.0 (X11; Linux x86_64)", status: loginPassword}
	l.session.address = i.network().host(99)
	t := begin
	for range 40 {
		i.at(t, func(t time.Time) { w.login(d, t, l) })
		t = t.Add(9*time.Second + d.within(7*time.Second))
	}
	i.at(t, func(t time.Time) {
		l.session, l.status = newSession(d, l.session.address, t), loginSuccess
		w.login(d, t, l)
	})
	i.label(Label{Product: Salesforce, EntityType: "user", EntityUID: longID(target.id), Entity: target.username,
		From: begin, To: t.Add(time.Millisecond), Networks: []string{i.network().prefix()}})
	return nil
}
