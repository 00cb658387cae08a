package simulate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// consumer is a caller of the API gateway, who shows an API key.
type consumer struct {
	kind     string
	id       string // the gateway's, a UUID
	username string
	note     string
	agent    string
	key      string // the secret that it sends
	keyID    string // the credential that the gateway knows it by
	rotates  int    // the day of the window on which the key changes
	places   []string
	rate     int // calls in the busiest hour
	offset   time.Duration
	service  string
	paths    []string
	dice     dice
	number   int
	// heavy is the size of its answers in bytes, where it is not the usual.
	heavy int
}

type consumerKind struct {
	kind, note, agent string
	rate              int
	service           string
	paths             []string
}

var consumerKinds = []consumerKind{
	{"storefront", "one key, always from two networks", "storefront/3.8", 42, "crm", []string{"/crm/contacts", "/crm/contacts/%s", "/crm/cases"}},
	{"warehouse", "its key is rotated halfway", "warehouse-sync/1.4", 24, "erp", []string{"/erp/stock", "/erp/orders/%s/shipment"}},
	{"dealer-api", "runs into the rate limit", "dealers/2.0 python-requests/2.32.3", 18, "crm", []string{"/crm/accounts/%s", "/crm/prices?account=%s"}},
	{"tax-quotes", "", "SFDC-Callout/64.0", 20, "erp", []string{"/erp/tax/quote"}},
	{"mobile-app", "", "AcmeMobile/7.2 okhttp/4.12.0", 26, "crm", []string{"/crm/me", "/crm/cases?status=open"}},
}

func (w *world) registerConsumers() {
	for i := range max(3, w.Options.Integrations*2/3) {
		k := consumerKinds[i%len(consumerKinds)]
		d := newDice(w.Seed, fmt.Sprintf("consumer %d", i))
		c := &consumer{
			kind: k.kind, id: d.uuid(), username: k.kind, note: k.note, agent: k.agent, rate: k.rate, service: k.service, paths: k.paths,
			offset: offices[i%len(offices)], dice: d, number: i, rotates: -1,
			places: []string{consumerNetwork(2 * i).host(d.between(10, 90))},
		}
		if round := i / len(consumerKinds); round > 0 {
			c.username = fmt.Sprintf("%s-%d", k.kind, round+1)
		}
		switch k.kind {
		case "storefront":
			c.places = append(c.places, consumerNetwork(2*i+1).host(d.between(10, 90)))
		case "warehouse":
			c.rotates = w.Days / 2
		}
		c.renewKey()
		w.consumers = append(w.consumers, c)
		w.actors = append(w.actors, c)
	}
	w.actors = append(w.actors, &prober{newDice(w.Seed, "prober")})
}

func (c *consumer) renewKey() { c.key, c.keyID = c.dice.text(32, alphanumeric), c.dice.uuid() }

func (c *consumer) hour(w *world, from time.Time) {
	d := c.dice
	if from.Equal(w.at(c.rotates, 9*time.Hour)) {
		old := *c
		c.renewKey()
		for _, t := range d.instants(d.between(1, 3), from, 2*time.Minute) { // the old key, just revoked
			w.gatewayCall(&old, d, t, c.places[0], c.agent, 401)
		}
	}
	for _, t := range d.instants(d.around(2+busy(c.rate, from, c.offset)), from.Add(2*time.Minute), 58*time.Minute) {
		status := 200
		switch n := d.below(1000); {
		case n < 6:
			status = 404
		case n < 8:
			status = 502
		}
		w.gatewayCall(c, d, t, d.pick(c.places), c.agent, status)
	}
	if c.kind == "dealer-api" && d.perMille(25) {
		for _, t := range d.instants(d.between(4, 12), from.Add(10*time.Minute), time.Minute) {
			w.gatewayCall(c, d, t, c.places[0], c.agent, 429)
		}
	}
}

// prober is the company's own monitor, which has no key and is refused.
type prober struct{ dice dice }

func (p *prober) hour(w *world, from time.Time) {
	w.gatewayCall(&consumer{service: "crm", paths: []string{"/crm/health"}}, p.dice, from.Add(17*time.Minute+p.dice.within(time.Second)),
		officeNetwork(1).host(5), "uptime-check/1.0", 401)
}

// gatewayRecord is one line of the gateway's file-log plugin, in its own words.
type gatewayRecord struct {
	StartedAt     int64           `json:"started_at"`
	ClientIP      string          `json:"client_ip"`
	Request       gatewayRequest  `json:"request"`
	Response      gatewayResponse `json:"response"`
	Latencies     map[string]int  `json:"latencies"`
	UpstreamState string          `json:"upstream_status"`
	Tries         any             `json:"tries"`
	Entity        *gatewayEntity  `json:"authenticated_entity,omitempty"`
	Consumer      *gatewayEntity  `json:"consumer,omitempty"`
	Route         *gatewayName    `json:"route,omitempty"`
	Service       *gatewayName    `json:"service,omitempty"`
	Source        string          `json:"source"`
	Workspace     string          `json:"workspace"`
}

type gatewayRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URI     string            `json:"uri"`
	URL     string            `json:"url"`
	Query   map[string]string `json:"querystring"`
	Headers map[string]string `json:"headers"`
	Size    int               `json:"size"`
	TLS     map[string]string `json:"tls"`
}

type gatewayResponse struct {
	Status  int               `json:"status"`
	Size    int               `json:"size"`
	Headers map[string]string `json:"headers"`
}

type gatewayEntity struct {
	ID         string `json:"id"`
	ConsumerID string `json:"consumer_id,omitempty"`
	Username   string `json:"username,omitempty"`
}

type gatewayName struct {
	Name string `json:"name"`
}

type gatewayTry struct {
	IP      string `json:"ip"`
	Port    int    `json:"port"`
	Start   int64  `json:"balancer_start"`
	Latency int    `json:"balancer_latency"`
}

// gatewayCall writes one call; a caller without an id, or status 401, is nobody
// that the gateway knows.
func (w *world) gatewayCall(c *consumer, d dice, when time.Time, address, agent string, status int) {
	path := d.pick(c.paths)
	uri, query := strings.Replace(path, "%s", longID(anyRecordID(d, prefixAccount)), 1), map[string]string{}
	if _, after, ok := strings.Cut(uri, "?"); ok {
		name, value, _ := strings.Cut(after, "=")
		query[name] = value
	}
	size, took := d.between(400, 9000), d.between(20, 420)
	if c.heavy > 0 {
		size += c.heavy
	}
	if t := w.troubleOf(c.service, when); t.window.holds(when) && status == 200 {
		took += t.slow + t.slow*d.below(30)/100
		if t.status != 0 && d.perMille(850) {
			status, size = t.status, 190
		}
	}
	r := gatewayRecord{
		StartedAt: when.UnixMilli(), ClientIP: address,
		Request: gatewayRequest{ID: d.text(32, hexadecimal), Method: "GET", URI: uri, URL: "https://api." + w.domain + ":443" + uri, Query: query,
			Headers: map[string]string{"host": "api." + w.domain, "user-agent": agent, "accept": "application/json", "authorization": "REDACTED"},
			Size:    d.between(280, 700), TLS: map[string]string{"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "client_verify": "NONE"}},
		Response:  gatewayResponse{status, size, map[string]string{"content-type": "application/json"}},
		Latencies: map[string]int{"kong": d.between(1, 6), "proxy": took, "request": took + 5, "receive": 1},
		Route:     &gatewayName{c.service + "-v1"}, Service: &gatewayName{c.service}, Workspace: "default",
	}
	if c.key != "" {
		r.Request.Headers["apikey"] = c.key
	}
	switch {
	case status == 401 || status == 429:
		r.Tries, r.Source, r.Response.Size = struct{}{}, "exit", 210
		r.Latencies["proxy"], r.Latencies["request"] = -1, 2
	default:
		r.UpstreamState, r.Source = strconv.Itoa(status), "upstream"
		r.Tries = []gatewayTry{{"10.20.0." + strconv.Itoa(5+d.below(3)), 8443, when.UnixMilli() + 2, 0}}
	}
	if status != 401 {
		r.Entity = &gatewayEntity{ID: c.keyID, ConsumerID: c.id}
		r.Consumer = &gatewayEntity{ID: c.id, Username: c.username}
	}
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	w.gateway.add(when, func(to []byte) []byte { return append(to, line...) })
}
