package simulate

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// dynamicsApp is a program with an identity of its own in Dynamics 365.
type dynamicsApp struct {
	number    int
	name      string // of the service principal and of the application user
	principal string
	client    string
	systemID  string // the application user's
	key       string // the credential that it signs in with
	agent     string
	machine   string
	session   string
	dice      dice
	stopped   window
}

var dynamicsAppKinds = [...]struct{ name, agent string }{
	{"app-portal", "Dataverse-SDK/9.2.49"}, {"app-invoicing", "invoicing/4.2"}, {"app-marketing", "LeadBridge/2.9 (.NET 8)"},
}

func (w *world) registerApps() {
	w.directory = newDice(w.Seed, "directory").uuid()
	for i := range max(2, w.Options.Integrations/8) {
		k := dynamicsAppKinds[i%len(dynamicsAppKinds)]
		d := newDice(w.Seed, fmt.Sprintf("dynamics app %d", i))
		a := &dynamicsApp{number: i, name: k.name, principal: d.uuid(), client: d.uuid(), systemID: d.uuid(), key: d.uuid(), agent: k.agent, dice: d,
			machine: fmt.Sprintf("2001:db8:%x::%x", 0xc100+i, d.between(2, 200))}
		if round := i / len(dynamicsAppKinds); round > 0 {
			a.name = fmt.Sprintf("%s-%d", k.name, round+1)
		}
		w.apps = append(w.apps, a)
		w.actors = append(w.actors, a)
	}
	for _, p := range w.people {
		if p.inDynamics() || p.sso {
			p.directoryID = newDice(w.Seed, fmt.Sprintf("directory %d", p.number)).uuid()
			w.actors = append(w.actors, &clerk{p, newDice(w.Seed, fmt.Sprintf("clerk %d", p.number))})
		}
	}
}

// inDynamics is whether the person works in Dynamics as well.
func (p *person) inDynamics() bool { return p.number%3 == 1 }

// dynamicsIdentities are whom the logs of Entra and Dynamics name.
func (w *world) dynamicsIdentities() (all []Identity) {
	for _, p := range w.people {
		if p.directoryID != "" {
			all = append(all, Identity{Dynamics, "user", p.directoryID, p.username, p.note})
		}
	}
	for _, a := range w.apps {
		all = append(all, Identity{Dynamics, "integration", a.principal, a.name, "an application in Dynamics"})
	}
	return all
}

// deed is one record of Dynamics' audit.
type deed struct {
	user, uid, kind  string // kind is UserType: 0 a person, 6 a program
	address, agent   string
	message, entity  string
	query            string
	results          int
	session          string
	client, clientOf string
}

type deedRecord struct {
	ID           string            `json:"Id"`
	RecordType   int               `json:"RecordType"`
	Created      string            `json:"CreationTime"`
	Operation    string            `json:"Operation"`
	Organization string            `json:"OrganizationId"`
	UserType     int               `json:"UserType"`
	UserKey      string            `json:"UserKey"`
	UserID       string            `json:"UserId"`
	Workload     string            `json:"Workload"`
	Status       string            `json:"ResultStatus"`
	Address      string            `json:"ClientIP"`
	Instance     string            `json:"InstanceUrl"`
	Agent        string            `json:"UserAgent"`
	Flow         string            `json:"CorrelationId"`
	Message      string            `json:"Message"`
	Entity       string            `json:"EntityName"`
	EntityID     string            `json:"EntityId,omitempty"`
	Query        string            `json:"Query,omitempty"`
	Results      string            `json:"QueryResults,omitempty"`
	Access       map[string]string `json:"AppAccessContext,omitempty"`
}

func (w *world) deed(d dice, when time.Time, x deed) {
	r := deedRecord{
		ID: d.uuid(), RecordType: 21, Created: when.UTC().Format("2006-01-02T15:04:05"), Operation: x.message, Organization: w.directory,
		UserKey: x.uid, UserID: x.user, Workload: "CRM", Status: "Succeeded", Address: x.address,
		Instance: "https://" + strings.TrimSuffix(w.domain, ".example") + ".crm4.dynamics.com/", Agent: x.agent, Flow: d.uuid(),
		Message: x.message, Entity: x.entity, Query: x.query,
	}
	if x.kind == "6" {
		r.UserType = 6
	}
	if x.results > 0 {
		r.Results = `["` + strings.TrimSuffix(strings.Repeat(d.text(8, hexadecimal)+`","`, x.results), `","`) + `"]`
	} else {
		r.EntityID = d.uuid()
	}
	if x.session != "" || x.client != "" {
		r.Access = map[string]string{"AADSessionId": x.session, "UniqueTokenId": d.text(22, alphanumeric)}
		if x.client != "" {
			r.Access["ClientAppId"], r.Access["ClientAppName"] = x.client, x.clientOf
		}
	}
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	w.audit.add(when, func(to []byte) []byte { return append(to, line...) })
}

// hour of an application: it signs in anew, and reads and writes by its rhythm.
func (a *dynamicsApp) hour(w *world, from time.Time) {
	if a.stopped.holds(from) {
		return
	}
	d := a.dice
	if a.session == "" || from.Hour()%8 == 0 {
		a.session = d.uuid()
		w.signIn(d, from.Add(d.within(time.Minute)), signIn{app: a, address: a.machine, country: "DE", target: a.name, code: "0"})
	}
	for _, t := range d.instants(d.around(5+busy(10, from, 2*time.Hour)), from.Add(2*time.Minute), 57*time.Minute) {
		x := a.deed("RetrieveMultiple", d.pick([]string{"contact", "account", "lead"}))
		switch n := d.below(100); {
		case n < 55:
			x.query, x.results = "<fetch top='50'><entity name='"+x.entity+"'><attribute name='fullname'/></entity></fetch>", d.between(1, 8)
		case n < 80:
			x.message = "Update"
		case n < 95:
			x.message = "Create"
		default:
			x.message = "Retrieve"
		}
		w.deed(d, t, x)
	}
}

// deed is something that the application does as it always does.
func (a *dynamicsApp) deed(message, entity string) deed {
	return deed{user: a.name + "@acme.onmicrosoft.com", uid: a.systemID, kind: "6", address: a.machine, agent: a.agent, message: message, entity: entity,
		session: a.session, client: a.client, clientOf: a.name}
}

// clerk is what a person does at Entra and in Dynamics.
type clerk struct {
	*person
	dice dice
}

func (c *clerk) hour(w *world, from time.Time) {
	p, d := c.person, c.dice
	if p.today.session.key == "" && !inside(p.today.end, from) {
		return
	}
	if inside(p.today.start, from) {
		p.today.directory = d.uuid()
		first := p.today.start.Add(-90 * time.Second)
		if first.Before(from) {
			first = from
		}
		if d.perMille(60) {
			wrong := w.personSignIn(p)
			wrong.code, wrong.detail, wrong.secondFactor = "50126", "Error validating credentials due to invalid username or password.", false
			w.signIn(d, first, wrong)
		}
		if d.perMille(300) { // the second factor that is asked for
			asked := w.personSignIn(p)
			asked.code, asked.detail = "50074", "Strong Authentication is required."
			asked.flow = d.uuid()
			w.signIn(d, first.Add(20*time.Second), asked)
		}
		w.signIn(d, first.Add(40*time.Second), w.personSignIn(p))
	}
	if w.Churn && p.number%6 == 1 && d.perMille(90) {
		c.telephone(w, from)
	}
	if !p.inDynamics() || !inside(p.today.start.Add(time.Hour), from) && !d.perMille(400) || p.today.directory == "" || p.today.end.Before(from.Add(10*time.Minute)) {
		return
	}
	begin := from
	if begin.Before(p.today.start.Add(2 * time.Minute)) {
		begin = p.today.start.Add(2 * time.Minute)
	}
	for _, t := range d.instants(d.between(1, 5), begin, from.Add(time.Hour).Sub(begin)) {
		if !t.Before(p.today.end) {
			break
		}
		x := w.clerkDeed(p, d.pick([]string{"Retrieve", "Retrieve", "Update", "RetrieveMultiple"}), d.pick([]string{"account", "contact", "incident", "opportunity"}))
		if x.message == "RetrieveMultiple" {
			x.results = d.between(1, 8)
		}
		w.deed(d, t, x)
	}
	if d.perMille(8) {
		x := w.clerkDeed(p, "ExportToExcel", "opportunity")
		w.deed(d, begin.Add(d.within(5*time.Minute)), x)
	}
}

// telephone is the person's application on a telephone, which renews its token from
// wherever it is.
func (c *clerk) telephone(w *world, from time.Time) {
	s := w.personSignIn(c.person)
	s.address = numbered(18, 64+c.dice.below(64)).host(c.dice.between(2, 250))
	s.country, s.agent, s.client = homeCountries[c.place()], "Dynamics365-iOS/16.2", "Mobile Apps and Desktop clients"
	if isTravel(prefixOf(c.today.address)) { // it is where its owner is
		s.country = c.travels
	}
	s.session = "" // of its own
	w.signIn(c.dice, from.Add(c.dice.within(time.Hour)), s)
}

func (w *world) clerkDeed(p *person, message, entity string) deed {
	return deed{user: p.username, uid: p.directoryID, address: p.today.address, agent: p.browser, message: message, entity: entity, session: p.today.directory}
}
