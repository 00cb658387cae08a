package simulate

import (
	"fmt"
	"slices"
	"time"
)

// planRefused: old tokens are tried until one works. Every other time, keys of the
// gateway.
func planRefused(i *incident) error {
	w, d := i.world, i.dice
	address := i.network().host(52)
	begin := w.at(i.day(), 15*time.Hour+4*time.Minute)
	end := begin
	if has(w.Products, Kong) && (i.ordinal%2 == 1 || !has(w.Products, Salesforce)) {
		c, err := i.consumer()
		if err != nil {
			return err
		}
		stolen := *c
		for n := range 24 {
			status := 401
			if n >= 14 {
				status = 200
			}
			end = begin.Add(time.Duration(n) * 20 * time.Second)
			i.at(end, func(t time.Time) { w.gatewayCall(&stolen, d, t, address, "Go-http-client/2.0", status) })
		}
		i.label(Label{Product: Kong, EntityType: "integration", EntityUID: c.id, Entity: c.username, From: begin, To: end.Add(time.Millisecond), Networks: []string{i.network().prefix()}})
		return nil
	}
	in, err := i.victim("marketing", "chat", "erp")
	if err != nil {
		return err
	}
	thief := i.disguise(in)
	thief.client = in.client
	for n := range 9 {
		end = begin.Add(time.Duration(n) * 25 * time.Second)
		i.at(end, func(t time.Time) {
			w.rest(thief, newSession(d, address, t), t, call{method: "GET", path: "query", entity: "", status: 401, exception: "\"INVALID_SESSION_ID: Session expired or invalid\""})
		})
	}
	end = end.Add(3 * time.Minute)
	i.at(end, func(t time.Time) {
		s := w.attackerLogin(i, in, t, address, in.agent)
		for n := range 8 {
			w.rest(thief, s, t.Add(time.Duration(n+1)*4*time.Second), lead(d))
		}
	})
	l := i.integrationLabel(in, begin, end.Add(time.Minute))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// consumer is a caller of the gateway to whom nothing happens yet.
func (i *incident) consumer() (*consumer, error) {
	w := i.world
	at := slices.IndexFunc(w.consumers, func(c *consumer) bool { return c.kind != "storefront" && c.rotates < 0 && !w.taken[c.id] })
	if at < 0 {
		return nil, fmt.Errorf("no consumer of the gateway is left: give more integrations")
	}
	return w.consumers[at], nil
}

// planReplay: a code that was used is used again, from elsewhere. Every other time it is
// an integration's refresh token at Salesforce.
func planReplay(i *incident) error {
	w, d := i.world, i.dice
	address := i.network().host(18)
	begin := w.at(i.day(), 9*time.Hour+d.within(6*time.Hour).Truncate(time.Second))
	end := begin.Add(4 * time.Minute)
	if has(w.Products, Dynamics) && (i.ordinal%2 == 0 || !has(w.Products, Salesforce)) {
		p, err := i.somebody(knownToEntra)
		if err != nil {
			return err
		}
		for _, t := range []time.Time{begin, end} {
			i.at(t, func(t time.Time) {
				s := w.personSignIn(p)
				s.address, s.country, s.session, s.code, s.detail = address, "NL", "", "54005", "OAuth2 Authorization code was already redeemed."
				w.signIn(d, t, s)
			})
		}
		l := i.personLabel(p, Dynamics, begin, end.Add(time.Millisecond))
		l.Networks = []string{i.network().prefix()}
		i.label(l)
		return nil
	}
	in, err := i.victim("marketing", "chat")
	if err != nil {
		return err
	}
	for _, t := range []time.Time{begin, end} {
		i.at(t, func(t time.Time) {
			l := login{user: in.id, name: in.username, kind: "i", subKind: "oauthrefreshtoken", client: in.agent, status: "LOGIN_OAUTH_NONCE_REPLAY"}
			l.session.address = address
			w.login(d, t, l)
		})
	}
	l := i.integrationLabel(in, begin, end.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}
