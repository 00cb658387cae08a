package audit

import (
	"fmt"
	"strconv"
	"time"
)

// Refusal is a request that was turned away: a wrong credential, a foreign certificate,
// a statement that somebody may not run.
type Refusal struct {
	At time.Time
	// Action is login.refuse, statement.refuse or connection.refuse.
	Action string
	// Service is what was asked: engine or collector.
	Service string
	// Address is the caller's IP address; empty for a socket of this machine.
	Address string
	// Name is who was claimed to ask. It is not to be trusted.
	Name string
	// Reason says in a few words why, such as "unknown token".
	Reason string
	// Others is how many more there were before, of which nothing else is known.
	Others uint64
}

// Bounds of what strangers can make crmwatch write and keep.
const (
	// tellFirst of the refusals of a source are events of their own, so that rules see a
	// burst and the names in it as they do in any log.
	tellFirst = 20
	// calm is how long a source must be quiet until its refusals are told one by one again.
	calm = 10 * time.Minute
	// sumEvery is how often the rest of a source is told, as one event with its count.
	sumEvery = time.Minute
	// maxSources are told apart; those beyond are one. maxNames are counted a source.
	maxSources, maxNames = 1000, 100
	// maxSingly refusals are told one by one in a minute, whatever the sources.
	maxSingly = 200
	// maxWaiting records wait where the database is away; what comes beyond is counted.
	maxWaiting = 4000
)

// source is who is told apart.
type source struct{ action, service, address string }

// knocking is what is known of a source since it began.
type knocking struct {
	told      int
	last      time.Time
	sumSince  time.Time
	count     uint64
	first     time.Time
	names     map[string]bool
	moreNames bool
	reason    string
}

// others stands for all sources beyond maxSources.
const others = "other addresses"

// gather takes one refusal and returns its record, where it is told by itself.
func (k *knocking) gather(r Refusal, alone bool) (record Record, tell bool) {
	if k.last.IsZero() || r.At.Sub(k.last) >= calm {
		k.told = 0
	}
	k.last = r.At
	if alone && k.told < tellFirst && k.count == 0 && r.Others == 0 {
		k.told++
		return r.record(), true
	}
	if k.count == 0 {
		k.first, k.names, k.moreNames = r.At, map[string]bool{}, false
		if k.sumSince.IsZero() || r.At.Sub(k.sumSince) >= sumEvery {
			k.sumSince = r.At
		}
	}
	k.count += 1 + r.Others
	k.reason = r.Reason
	if len(k.names) < maxNames {
		k.names[r.Name] = true
	} else if !k.names[r.Name] {
		k.moreNames = true
	}
	return Record{}, false
}

// record tells one refusal.
func (r Refusal) record() Record {
	return Record{
		At: r.At, Actor: r.Name, Via: r.Service, Action: r.Action, ObjectType: "service", Object: r.Service, Failed: true,
		Detail:     fmt.Sprintf("The %s refused %s%s: %s.", r.Service, orElse(r.Name, "somebody"), from(r.Address), r.Reason),
		Attributes: map[string]string{"src_endpoint_ip": r.Address, "status_code": r.Reason, "attempts": "1"},
	}
}

// sum tells what was gathered, as one event.
func (k *knocking) sum(s source) Record {
	record := Record{
		At: k.last, Via: s.service, Action: s.action, ObjectType: "service", Object: s.service, Failed: true,
		Attributes: map[string]string{
			"src_endpoint_ip": s.address, "status_code": k.reason, "attempts": strconv.FormatUint(k.count, 10), "names": strconv.Itoa(len(k.names)),
			"since": k.first.UTC().Format(time.RFC3339),
		},
	}
	who := "under more than 100 names"
	switch {
	case k.moreNames:
		record.Attributes["names"] = "more than " + strconv.Itoa(maxNames)
	case len(k.names) == 1:
		for name := range k.names {
			record.Actor, who = name, "as "+name
		}
	default:
		who = fmt.Sprintf("under %d names", len(k.names))
	}
	if s.address == others {
		record.Attributes["src_endpoint_ip"] = ""
		record.Attributes["sources"] = others
	}
	record.Detail = fmt.Sprintf("The %s refused %d requests %s%s since %s: %s.", s.service, k.count, who, from(s.address), k.first.UTC().Format("15:04:05"), k.reason)
	k.count, k.names, k.sumSince = 0, nil, time.Time{}
	return record
}

func from(address string) string {
	if address == "" {
		return ""
	}
	return " from " + address
}
