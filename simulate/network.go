package simulate

import (
	"fmt"
	"strconv"
	"strings"
)

// network is a /24, written without its last number: "198.19.16.".
//
// Every address is from a range that is never assigned. The three ranges for
// documentation are the attackers', so that they stand out; the company and its
// vendors, who need hundreds of networks, live in 198.18.0.0/15 (RFC 2544) and
// 2001:db8::/32.
type network string

// host is an address in the network.
func (n network) host(i int) string { return string(n) + strconv.Itoa(i) }

// prefix is the network as people and rules write it.
func (n network) prefix() string { return string(n) + "0/24" }

func numbered(second, third int) network { return network(fmt.Sprintf("198.%d.%d.", second, third)) }

// homeAddress is where person i works from when at home; every third has IPv6.
func homeAddress(i int, d dice) string {
	if i%3 == 0 {
		return fmt.Sprintf("2001:db8:%x:1::%x", 0x1000+i%0x6000, d.between(2, 0xfff))
	}
	return numbered(18, i*37%128).host(d.between(2, 250))
}

// travelAddress is a hotel's or a train's.
func travelAddress(d dice) string { return numbered(18, 128+d.below(64)).host(d.between(2, 250)) }

// visitorAddress is some customer's.
func visitorAddress(d dice) string {
	if d.perMille(300) {
		return fmt.Sprintf("2001:db8:%x::%x", 0x8000+d.below(0x4000), d.between(2, 0xfff))
	}
	return numbered(18, 192+d.below(64)).host(d.between(2, 250))
}

// prefixOf is the network of an IPv4 address.
func prefixOf(address string) network {
	return network(address[:strings.LastIndexByte(address, '.')+1])
}

// isTravel is whether a network is one of hotels and trains.
func isTravel(n network) bool {
	third, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(string(n), "198.18."), "."))
	return err == nil && third >= 128 && third < 192
}

// leakedAddress is where the i-th of many rented machines stands: each in a network
// of its own.
func leakedAddress(incident, i int) string {
	return fmt.Sprintf("2001:db8:%x::%x", 0xe000+incident*64+i%64, 2+i)
}

func officeNetwork(i int) network { return numbered(19, i%8) }

// vpnNetworks are where the company's VPN comes out, for people everywhere: it
// moves from the first to the second when two thirds of the window are over.
var vpnNetworks = [2]network{"198.19.8.", "198.19.9."}

// cloudNetworks are the two networks from which the vendor of integration i calls.
func cloudNetworks(i int) [2]network {
	return [2]network{numbered(19, 16+2*(i%72)), numbered(19, 17+2*(i%72))}
}

// consumerNetwork is where consumer i of the gateway runs.
func consumerNetwork(i int) network { return numbered(19, 160+i%32) }

// attackerNetwork is the network of the i-th incident that needs one.
func attackerNetwork(i int) network {
	documentation := [...]network{"203.0.113.", "198.51.100.", "192.0.2."}
	if i < len(documentation) {
		return documentation[i]
	}
	return numbered(19, 192+(i-len(documentation))%64)
}
