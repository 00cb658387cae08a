package formats

import (
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

func TestAddresses(t *testing.T) {
	cases := []struct {
		raw, ip, network string
		port             uint64
	}{
		{"203.0.113.77", "203.0.113.77", "203.0.113.0/24", 0},
		{" 203.0.113.77 ", "203.0.113.77", "203.0.113.0/24", 0},
		{"203.0.113.77:51234", "203.0.113.77", "203.0.113.0/24", 51234},
		{"2001:0DB8:0007::0001", "2001:db8:7::1", "2001:db8:7::/48", 0},
		{"[2001:db8:7::1]:443", "2001:db8:7::1", "2001:db8:7::/48", 443},
		{"[2001:db8:7::1]", "2001:db8:7::1", "2001:db8:7::/48", 0},
		{"::ffff:198.51.100.4", "198.51.100.4", "198.51.100.0/24", 0},
		{"fe80::1%eth0", "fe80::1", "fe80::/48", 0},
		{raw: ""},
		{raw: "-"},
		{raw: "unix:"},
		{raw: "Salesforce.com IP"},
		{raw: "203.0.113.300"},
		{raw: "203.0.113.7, 198.51.100.1"},
		{raw: strings.Repeat("2", 1000)},
	}
	var a addresses
	for round := range 2 { // the second round answers from memory
		for _, c := range cases {
			var e schema.Event
			ok := a.set(&e, c.raw)
			if ok != (c.ip != "") {
				t.Errorf("round %d: set(%q) = %v", round, c.raw, ok)
			}
			if got := e.Text[schema.SrcEndpointIP]; got != c.ip {
				t.Errorf("round %d: ip of %q = %q, want %q", round, c.raw, got, c.ip)
			}
			if got := e.Text[schema.SrcEndpointNetwork]; got != c.network {
				t.Errorf("round %d: network of %q = %q, want %q", round, c.raw, got, c.network)
			}
			if got := e.Number[schema.SrcEndpointPort]; got != c.port {
				t.Errorf("round %d: port of %q = %d, want %d", round, c.raw, got, c.port)
			}
		}
	}
}
