package simulate

import (
	"fmt"
	"strings"
	"time"
)

// person is someone with a desk, working hours, a browser, and habits.
type person struct {
	number   int
	id       string // 15 characters
	name     string
	username string
	role     string
	note     string
	browser  string
	// sso people log in through the identity provider, and type no password here.
	sso    bool
	offset time.Duration // local time minus UTC
	office string
	home   string
	vpn    int       // its host number in the VPN's networks
	hired  time.Time // the first day at work
	dice   dice
	today  workday
	// directoryID is the person's at Entra, where they are known there; travels is the
	// country of their journeys.
	directoryID, travels string
	// away are days without work: leave.
	away window
}

// place is the person's office.
func (p *person) place() int {
	if p.number%5 == 0 {
		return 0
	}
	return p.number % len(offices)
}

// workday is what a person does today, in UTC.
type workday struct {
	planned    time.Time // the local midnight that it is for
	start, end time.Time
	arrived    bool
	address    string
	session    session
	// forgets is how many wrong passwords precede the first right one.
	forgets int
	locked  bool
	asked   string // the challenge that the login is met with, if any
	paused  time.Time
	clicks  bool // logs out by hand in the evening
	// directory is the day's session at Entra.
	directory string
}

var firstNames = [...]string{"Ada", "Bruno", "Carla", "Daniel", "Elif", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Liam",
	"Mara", "Nils", "Olga", "Pablo", "Rosa", "Stefan", "Tilda", "Umar", "Vera", "Willem", "Yara", "Zeno"}

var lastNames = [...]string{"Abel", "Berg", "Castro", "Dahl", "Engel", "Fischer", "Grant", "Hansen", "Ito", "Jansen", "Keller", "Lund",
	"Moreau", "Novak", "Okafor", "Pereira", "Quist", "Rossi", "Sato", "Tanner", "Ueda", "Varga", "Winter", "Zeller"}

var browsers = [...]string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
}

// offices are in three zones. Their distance from UTC is fixed, so that no time
// zone database, which differs between machines, changes a byte.
var offices = [...]time.Duration{-6 * time.Hour, 2 * time.Hour, 8 * time.Hour}

var roles = [...]string{"admin", "operations", "service", "sales", "sales", "service", "finance", "manager", "sales", "service"}

// domainOf is where the company's addresses are: "Acme Outdoor" has acme.example.
func domainOf(company string) string {
	first, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(company)), " ")
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, first)
	if letters == "" {
		letters = "company"
	}
	return letters + ".example"
}

func (w *world) hirePeople() {
	base := w.idBase(prefixUser)
	for i := range w.Options.Users {
		d := newDice(w.Seed, fmt.Sprintf("person %d", i))
		first := firstNames[i%len(firstNames)]
		last := lastNames[(i/len(firstNames)+i)%len(lastNames)]
		login := strings.ToLower(first + "." + last)
		if round := i / (len(firstNames) * len(lastNames)); round > 0 {
			login = fmt.Sprintf("%s%d", login, round+1)
		}
		p := &person{number: i}
		place := p.place()
		*p = person{
			number: i, id: recordID(prefixUser, base+uint64(i)*97), name: first + " " + last, username: login + "@" + w.domain,
			role: roles[i%len(roles)], browser: browsers[d.below(len(browsers))], sso: i%4 == 3, offset: offices[place],
			office: officeNetwork(place).host(10 + i%3), home: homeAddress(i, d), vpn: 20 + i%4, dice: d, travels: [...]string{"FR", "GB", "JP"}[i%3],
		}
		if w.Churn && i%7 == 3 {
			from := w.at(3+i%17, 0)
			p.away = window{from, from.AddDate(0, 0, 14)}
		}
		if p.role == "finance" || p.role == "operations" {
			p.note = "exports many reports at the turn of the month"
		}
		if i%23 == 11 {
			p.hired, p.note = w.at(w.Days/2, 0), "starts halfway"
		}
		w.people = append(w.people, p)
		w.actors = append(w.actors, p)
	}
}

func (p *person) hour(w *world, from time.Time) {
	midnight := from.Add(p.offset).Truncate(24 * time.Hour).Add(-p.offset)
	if !p.today.planned.Equal(midnight) {
		p.today = p.plan(w, midnight)
	}
	p.arrive(w, from)
	p.pause(w, from)
	p.act(w, from)
	p.leave(w, from)
}

// plan draws the day that begins at the local midnight.
func (p *person) plan(w *world, midnight time.Time) workday {
	d := p.dice
	day := workday{planned: midnight, clicks: d.perMille(550), forgets: 0}
	if p.away.holds(midnight) {
		return day
	}
	weekend := midnight.Add(p.offset).Weekday() == time.Saturday || midnight.Add(p.offset).Weekday() == time.Sunday
	if weekend && !d.perMille(40) || d.perMille(70) || midnight.Before(p.hired) {
		return day
	}
	day.start = midnight.Add(7*time.Hour + 30*time.Minute + d.within(2*time.Hour))
	day.end = day.start.Add(8*time.Hour + d.within(90*time.Minute))
	if weekend {
		day.end = day.start.Add(2 * time.Hour)
	}
	switch n := d.below(1000); {
	case n < 560:
		day.address = p.office
	case n < 800:
		day.address = p.home
	case n < 985:
		day.address = w.vpn(midnight).host(p.vpn)
	default:
		day.address = travelAddress(d)
	}
	if !p.sso {
		switch n := d.below(1000); {
		case n < 8:
			day.forgets, day.locked = 5, true
		case n < 80:
			day.forgets = d.between(1, 2)
		}
		if d.perMille(150) {
			day.asked = d.pick([]string{loginTwoFactor, loginChallenge})
		}
	}
	day.paused = day.start.Add(4*time.Hour + d.within(40*time.Minute))
	if d.perMille(450) {
		day.paused = time.Time{}
	}
	return day
}

// arrive logs the person in, after what they mistyped and what they were asked.
func (p *person) arrive(w *world, from time.Time) {
	if p.today.arrived || !inside(p.today.start, from) {
		return
	}
	p.today.arrived = true
	t := p.today.start
	failed := session{address: p.today.address}
	for range p.today.forgets {
		p.login(w, t, failed, loginPassword)
		t = t.Add(6*time.Second + p.dice.within(20*time.Second))
	}
	if p.today.locked {
		p.login(w, t, failed, loginLockout)
		t = t.Add(16*time.Minute + p.dice.within(5*time.Minute))
	}
	p.today.session = newSession(p.dice, p.today.address, t)
	if p.today.asked != "" {
		p.login(w, t, p.today.session, p.today.asked)
		t = t.Add(9*time.Second + p.dice.within(25*time.Second))
	}
	p.login(w, t, p.today.session, loginSuccess)
}

func (p *person) login(w *world, when time.Time, s session, status string) {
	l := login{user: p.id, name: p.username, session: s, kind: "A", subKind: "uiup", client: p.browser, status: status}
	if p.sso {
		l.kind, l.subKind = "8", ""
	}
	w.login(p.dice, when, l)
}

// pause is lunch: for about half of the people the session times out meanwhile.
func (p *person) pause(w *world, from time.Time) {
	if p.today.session.key == "" || p.today.paused.IsZero() || !inside(p.today.paused, from) || !p.today.paused.Before(p.today.end) {
		return
	}
	w.logout(p, p.today.paused, "0")
	back := p.today.paused.Add(20*time.Minute + p.dice.within(30*time.Minute))
	p.today.session = newSession(p.dice, p.today.address, back)
	p.login(w, back, p.today.session, loginSuccess)
}

func (p *person) leave(w *world, from time.Time) {
	if inside(p.today.end, from) && p.today.session.key != "" {
		if p.today.clicks {
			w.logout(p, p.today.end, "1")
		}
		p.today.session = session{}
	}
}

// inside is whether t lies in the hour that starts at from.
func inside(t, from time.Time) bool { return !t.Before(from) && t.Before(from.Add(time.Hour)) }
