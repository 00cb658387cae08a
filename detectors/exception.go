package detectors

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// Exception is what the installation expects of a rule: findings that it covers are
// suppressed, or kept as notes. All the lists that it has must fit a finding; of one
// list, one entry is enough.
type Exception struct {
	// Networks must hold every address that the finding's events came from.
	Networks []KnownNetwork
	// Users and Apps must hold the finding's entity, or whoever its events name.
	Users, Apps []KnownName
	// Reason is shown wherever the exception is counted.
	Reason string
	// From (inclusive) and Until (exclusive) bound the finding's events, in event time;
	// zero is no bound.
	From, Until time.Time
	// Note keeps a finding as an informational one, instead of suppressing it.
	Note bool
}

// KnownNetwork is a range of addresses that the installation knows.
type KnownNetwork struct {
	Prefix netip.Prefix
	// Until is the moment of event time from which it is not known any more; zero is never.
	Until time.Time
}

// KnownName is a user, an app or a client that the installation knows, by its id or
// its name.
type KnownName struct {
	// Pattern is in lower case; * stands for any text.
	Pattern string
	// Until is the moment of event time from which it is not known any more; zero is never.
	Until time.Time
}

// The attributes of a finding that an exception made a note.
const (
	// ExceptionAttribute holds the exception's reason.
	ExceptionAttribute = "exception"
	// SeverityBefore holds the severity that the rule gave.
	SeverityBefore = "severity_before"
)

// covers says whether a finding is what the exception expects.
func (e Exception) covers(f schema.Finding, t trace) bool {
	if !e.From.IsZero() && f.FirstSeen.Before(e.From) || over(e.Until, f.LastSeen) {
		return false
	}
	return (e.Networks == nil || e.coverAddresses(f, t)) &&
		(e.Users == nil || coverNames(e.Users, f, t.users, "user", "integration")) &&
		(e.Apps == nil || coverNames(e.Apps, f, t.apps, "integration", "service"))
}

// over says whether what ends at until has ended at a moment.
func over(until, at time.Time) bool { return !until.IsZero() && !at.Before(until) }

// coverAddresses wants every address to be in a network of the list. Without any
// address nothing is known, and so nothing covered.
func (e Exception) coverAddresses(f schema.Finding, t trace) bool {
	addresses := t.addresses
	if f.EntityType == "network" {
		if _, err := ParseNetwork(f.EntityUID); err == nil {
			addresses = append(slices.Clone(addresses), f.EntityUID)
		}
	}
	return len(addresses) > 0 && !slices.ContainsFunc(addresses, func(address string) bool {
		network, err := ParseNetwork(address)
		return err != nil || !slices.ContainsFunc(e.Networks, func(k KnownNetwork) bool {
			return k.Prefix.Bits() <= network.Bits() && k.Prefix.Contains(network.Addr()) && !over(k.Until, f.LastSeen)
		})
	})
}

// coverNames wants the finding's entity to be on the list, where it is of a fitting
// type, or else somebody of each of the finding's events.
func coverNames(list []KnownName, f schema.Finding, events [][]string, types ...string) bool {
	known := func(name string) bool {
		name = strings.ToLower(name)
		return name != "" && slices.ContainsFunc(list, func(k KnownName) bool {
			return MatchesPattern(k.Pattern, name) && !over(k.Until, f.LastSeen)
		})
	}
	if slices.Contains(types, f.EntityType) && (known(f.EntityUID) || known(f.Entity)) {
		return true
	}
	return len(events) > 0 && !slices.ContainsFunc(events, func(names []string) bool { return !slices.ContainsFunc(names, known) })
}

// ParseNetwork reads an address or a network; an IPv4 address that is written as IPv6
// is taken for what it is.
func ParseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap().WithZone("")
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err == nil && network.Addr().Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	return network, err
}

// MatchesPattern says whether a name is what the pattern says, in which * stands for
// any text.
func MatchesPattern(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, last)
}

// except marks the findings that an exception of the rule suppresses, and makes notes
// of those that it keeps as such.
func except(rule Rule, f schema.Finding, t trace) schema.Finding {
	i := slices.IndexFunc(rule.Exceptions, func(e Exception) bool { return e.covers(f, t) })
	if i < 0 {
		return f
	}
	e := rule.Exceptions[i]
	if !e.Note {
		f.Suppressed = e.Reason
		return f
	}
	f.Attributes = maps.Clone(f.Attributes)
	if f.Attributes == nil {
		f.Attributes = map[string]string{}
	}
	f.Attributes[ExceptionAttribute], f.Attributes[SeverityBefore] = e.Reason, f.Severity.String()
	f.Severity = schema.SeverityInformational
	f.Message += " A note only, by an exception: " + e.Reason
	return f
}

// parted separates the findings that are suppressed from those that are not.
func parted(all []schema.Finding) (findings, suppressed []schema.Finding) {
	for _, f := range all {
		if f.Suppressed != "" {
			suppressed = append(suppressed, f)
		} else {
			findings = append(findings, f)
		}
	}
	return findings, suppressed
}
