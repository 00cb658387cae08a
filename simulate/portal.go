package simulate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// visitors are the customers on the portal, in nginx's combined format.
type visitors struct{ dice dice }

func newVisitors(seed uint64) *visitors { return &visitors{newDice(seed, "visitors")} }

var portalPages = []string{"/", "/login", "/cases", "/cases/new", "/products?season=autumn", "/assets/app.js", "/assets/app.css", "/account", "/favicon.ico"}

func (v *visitors) hour(w *world, from time.Time) {
	d := v.dice
	for range d.around(4 + busy(26, from, -6*time.Hour)) {
		address, agent := visitorAddress(d), browsers[d.below(len(browsers))]
		for _, t := range d.instants(d.between(1, 6), from.Add(d.within(55*time.Minute)), 4*time.Minute) {
			page, status := d.pick(portalPages), 200
			switch n := d.below(1000); {
			case n < 12:
				status, page = 404, "/old/"+d.text(6, hexadecimal)
			case n < 16:
				status = 499
			case n < 18:
				status = 502
			case page == "/login" && n < 80:
				status = 401
			}
			w.visit(t, address, "GET "+page+" HTTP/1.1", status, d.between(300, 60_000), "https://portal."+w.domain+"/", agent)
		}
	}
	if d.perMille(120) { // someone speaks TLS to the plain port
		w.visit(from.Add(d.within(time.Hour)), visitorAddress(d), `\x16\x03\x01\x00\xEE\x01`, 400, 157, "-", "-")
	}
}

func (w *world) visit(when time.Time, address, request string, status, size int, referrer, agent string) {
	w.portal.add(when, func(to []byte) []byte {
		return fmt.Appendf(to, `%s - - [%s] "%s" %d %d "%s" "%s"`, address, when.UTC().Format("02/Jan/2006:15:04:05 -0700"), request, status, size, referrer, agent)
	})
}

// dealers use the ordering service, which nginx logs as JSON.
type dealers struct {
	dice      dice
	names     []string
	addresses []string
}

func newDealers(w *world) *dealers {
	v := &dealers{dice: newDice(w.Seed, "dealers")}
	for i := range 8 {
		v.names = append(v.names, fmt.Sprintf("dealer-%02d", i+1))
		v.addresses = append(v.addresses, numbered(18, 192+i).host(v.dice.between(2, 250)))
	}
	return v
}

type dealerLine struct {
	Time      string `json:"time_iso8601"`
	Address   string `json:"remote_addr"`
	User      string `json:"remote_user"`
	Request   string `json:"request"`
	Status    string `json:"status"`
	Bytes     string `json:"body_bytes_sent"`
	Length    string `json:"request_length"`
	Took      string `json:"request_time"`
	Upstream  string `json:"upstream_response_time"`
	Host      string `json:"http_host"`
	Referrer  string `json:"http_referer"`
	Agent     string `json:"http_user_agent"`
	RequestID string `json:"request_id"`
	TLS       string `json:"ssl_protocol"`
	Cipher    string `json:"ssl_cipher"`
}

func (v *dealers) hour(w *world, from time.Time) {
	d := v.dice
	for i, name := range v.names {
		for _, t := range d.instants(busy(12, from, offices[i%3]), from, time.Hour) {
			status, took := 200, d.between(8, 700)
			if d.perMille(15) {
				status, name = 401, ""
			}
			l := dealerLine{
				Time: t.UTC().Format("2006-01-02T15:04:05+00:00"), Address: v.addresses[i], User: name,
				Request: d.pick([]string{"GET /orders", "POST /orders", "GET /prices?sku=" + d.text(5, "0123456789")}) + " HTTP/2.0",
				Status:  strconv.Itoa(status), Bytes: strconv.Itoa(d.between(120, 30_000)), Length: strconv.Itoa(d.between(200, 1500)),
				Took: fmt.Sprintf("%d.%03d", took/1000, took%1000), Upstream: fmt.Sprintf("%d.%03d", took/1000, took%1000),
				Host: "dealers." + w.domain, Agent: "DealerDesk/5.1", RequestID: d.text(32, hexadecimal),
				TLS: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384",
			}
			name = v.names[i]
			line, err := json.Marshal(l)
			if err != nil {
				panic(err) // strings always encode
			}
			w.dealers.add(t, func(to []byte) []byte { return append(to, line...) })
		}
	}
}
