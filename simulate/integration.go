package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// integration is a service account, its connected app, and the vendor's
// machines that use it.
type integration struct {
	number   int
	kind     string
	name     string // the connected app's
	username string
	id       string // the run-as user's, 15 characters
	app      string // the connected app's
	client   string // CLIENT_NAME, what the caller says it is
	agent    string // its user agent
	version  string // of the API
	note     string
	networks [2]network
	dice     dice
	// phase shifts this integration's rhythm against others of its kind.
	phase time.Duration
	// hosts are where its two machines run now; sessions what they hold.
	hosts    [2]int
	sessions [2]session
	// jobs are finished bulk jobs that still lie in Salesforce.
	jobs []bulkJob
	work func(w *world, in *integration, from time.Time)
	// flow is the middleware's application that carries its calls, or empty.
	flow string
	// roams says that its machines come and go in a cloud of a dozen networks.
	roams bool
	// stopped is when it does nothing; fails is when its calls are refused.
	stopped window
	fails   window
	failing func(*call)
}

// integrationKind is what integrations of one kind have in common.
type integrationKind struct {
	kind, name, client, agent, version, note string
	// login is LOGIN_TYPE and LOGIN_SUB_TYPE; every says how long a session lasts.
	login [2]string
	every time.Duration
	work  func(w *world, in *integration, from time.Time)
}

var integrationKinds = []integrationKind{
	{"erp", "ERP Sync", "erp-nightly-sync", "Java/17.0.11", "61.0", "large uploads every night",
		[2]string{"i", "oauthclientcredential"}, 12 * time.Hour, erpHour},
	{"chat", "Support Chat", "chat-widget", "support-chat/4.12", "60.0", "reads cases all day through refresh tokens, from two cloud networks",
		[2]string{"i", "oauthrefreshtoken"}, 2 * time.Hour, chatHour},
	{"bi", "BI Extract", "bi-extract", "bi-extract/9.3 okhttp/4.12.0", "59.0", "describes, counts and bulk-reads every night; deletes its old jobs after three days",
		[2]string{"i", "oauthclientcredential"}, 24 * time.Hour, biHour},
	{"marketing", "Campaign Studio", "campaign-studio", "campaign-studio/2025.7", "62.0", "bursts of calls on Tuesdays and Thursdays",
		[2]string{"i", "oauthrefreshtoken"}, 2 * time.Hour, marketingHour},
	{"finance", "Ledger Connector", "ledger-connector", "Axis/1.4", "58.0", "old SOAP login with a password",
		[2]string{"I", ""}, 12 * time.Hour, financeHour},
	{"release", "Release Pipeline", "release-pipeline", "node-fetch/3.3.2", "63.0", "metadata calls, at night on release days; reads LastPasswordChangeDate of users",
		[2]string{"i", "oauthclientcredential"}, 4 * time.Hour, releaseHour},
}

// installIntegrations makes the service accounts, kind after kind.
func (w *world) installIntegrations() {
	for i := range w.Options.Integrations {
		k := integrationKinds[i%len(integrationKinds)]
		round := i / len(integrationKinds)
		d := newDice(w.Seed, fmt.Sprintf("integration %d", i))
		in := &integration{
			number: i, kind: k.kind, name: k.name, client: k.client, agent: k.agent, version: k.version, note: k.note,
			username: "svc-" + k.kind + "@" + w.domain, work: k.work, dice: d, networks: cloudNetworks(i),
			id: recordID(prefixUser, w.idBase(prefixUser)+uint64(len(w.people)+i)*97), app: recordID(prefixConnectedApp, w.idBase(prefixConnectedApp)+uint64(i)*31),
			hosts: [2]int{d.between(10, 240), d.between(10, 240)},
		}
		if round > 0 {
			in.name = fmt.Sprintf("%s %d", k.name, round+1)
			in.username = fmt.Sprintf("svc-%s-%d@%s", k.kind, round+1, w.domain)
			in.phase = d.within(3 * time.Hour).Truncate(5 * time.Minute)
		}
		if in.kind == "erp" && slices.Contains(w.Products, MuleSoft) {
			in.flow = muleApp(round)
		}
		if w.Churn && in.kind == "chat" && round%4 == 1 {
			in.roams, in.note = true, "its machines come and go in a cloud of a dozen networks"
		}
		w.integrations = append(w.integrations, in)
		w.actors = append(w.actors, in)
	}
}

// idBase is where the organisation's ids of a kind begin.
func (w *world) idBase(prefix string) uint64 {
	return uint64(newDice(w.Seed, "ids "+prefix).between(1_000_000, 900_000_000))
}

func (in *integration) hour(w *world, from time.Time) {
	if in.stopped.holds(from) {
		return
	}
	if from.Hour() == 0 {
		in.restart(from)
		in.deploy(w, from)
	}
	in.renew(w, from)
	in.work(w, in, from)
}

// restart gives a machine a new address now and then, in the network it was in,
// and makes it log in again.
func (in *integration) restart(from time.Time) {
	for i := range in.hosts {
		if in.dice.perMille(90) {
			in.hosts[i] = in.dice.between(10, 240)
			in.sessions[i] = session{}
		}
	}
}

// renew logs in the machines whose session has ended, in the hour's first minute.
func (in *integration) renew(w *world, from time.Time) {
	every := in.profile().every
	for i := range in.sessions {
		if i == 1 && in.kind != "chat" {
			in.sessions[1] = in.sessions[0]
			continue
		}
		if s := in.sessions[i]; s.key == "" || !from.Before(s.since.Truncate(time.Hour).Add(every)) {
			in.sessions[i] = w.serviceLogin(in, from.Add(in.dice.within(time.Minute)), in.machine(i), in.agent)
		}
	}
}

// machine is the address of one of its machines.
func (in *integration) machine(i int) string {
	if in.roams {
		return fmt.Sprintf("2001:db8:%x::%x", 0xc800+16*in.number+in.dice.below(12), in.dice.between(2, 240))
	}
	return in.networks[i].host(in.hosts[i])
}

// deploy brings a new version of the client to every fifth integration, once, and with it
// the next version of the API.
func (in *integration) deploy(w *world, from time.Time) {
	if !w.Churn || in.number%5 != 3 || !from.Equal(w.at(9+in.number*7%17, 0)) {
		return
	}
	if at := strings.LastIndexByte(in.agent, '.'); at >= 0 {
		in.agent = in.agent[:at] + ".99" + in.agent[at+1:]
	}
	in.version = strconv.Itoa(int(in.version[0]-'0')*10+int(in.version[1]-'0')+1) + ".0"
	in.sessions = [2]session{}
}

func (in *integration) profile() integrationKind {
	for _, k := range integrationKinds {
		if k.kind == in.kind {
			return k
		}
	}
	panic("no integration kind " + in.kind)
}

// serviceLogin logs the service account in from an address, and returns the session.
func (w *world) serviceLogin(in *integration, when time.Time, address, agent string) session {
	s := newSession(in.dice, address, when)
	k := in.profile()
	l := login{user: in.id, name: in.username, session: s, kind: k.login[0], subKind: k.login[1], client: agent,
		apiVersion: "9998.0", status: loginSuccess}
	if l.kind == "I" {
		l.apiType, l.apiVersion = "P", in.version
	}
	w.login(in.dice, when, l)
	return s
}

// session is the one a machine uses; integrations with one machine have one.
func (in *integration) session(machine int) session { return in.sessions[machine%2] }
