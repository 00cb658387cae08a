package formats

import (
	"net/netip"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// Prefix lengths of the networks in x_src_endpoint_network: what one customer
// usually holds of each address family.
const (
	networkBits4 = 24
	networkBits6 = 48
)

// maxAddress is longer than any address with a zone, brackets and a port.
const maxAddress = 128

// addresses fills in where a request came from. It remembers what it has parsed.
// The zero value is ready to use.
type addresses struct{ known memo[address] }

type address struct {
	ip, network string
	port        uint16
}

// set fills SrcEndpointIP (canonical text), SrcEndpointNetwork ("203.0.113.0/24",
// "2001:db8:7::/48") and, if raw has a port, SrcEndpointPort. It returns false and
// leaves e alone when raw is not an IP address. An IPv4 address inside an IPv6 one
// counts as IPv4, and a zone (fe80::1%eth0) is dropped: it means something on one
// host only.
func (a *addresses) set(e *schema.Event, raw string) bool {
	if raw == "" || len(raw) > maxAddress {
		return false
	}
	found := a.known.get(raw, parseAddress)
	if found.ip == "" {
		return false
	}
	e.Text[schema.SrcEndpointIP] = found.ip
	e.Text[schema.SrcEndpointNetwork] = found.network
	if found.port != 0 {
		e.Number[schema.SrcEndpointPort] = uint64(found.port)
	}
	return true
}

// SetSource fills in the address and the network that an event came from. An address
// that is none leaves the event alone.
func SetSource(e *schema.Event, raw string) { new(addresses).set(e, raw) }

// parseAddress reads an IP address, alone or with a port; the result is empty when
// raw is something else.
func parseAddress(raw string) address {
	raw = strings.TrimSpace(raw)
	ip, err := netip.ParseAddr(raw)
	var port uint16
	if err != nil {
		withPort, err := netip.ParseAddrPort(raw)
		if err != nil {
			if ip, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(raw, "["), "]")); err != nil {
				return address{}
			}
		} else {
			ip, port = withPort.Addr(), withPort.Port()
		}
	}
	ip = ip.Unmap().WithZone("")
	bits := networkBits4
	if ip.Is6() {
		bits = networkBits6
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return address{}
	}
	return address{ip: ip.String(), network: network.String(), port: port}
}
