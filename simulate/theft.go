package simulate

import "time"

// The clients of the campaign, from public advisories.
const (
	clientVerify = "python-requests/2.32.4"
	clientRecon  = "Python/3.11 aiohttp/3.12.15"
	clientBulk   = "Salesforce-Multi-Org-Fetcher/1.0"
)

// planTheft follows the campaign of August 2025 step by step: the gaps between
// days shrink with a window of less than two weeks, those between calls do not.
// The probing comes from the vendor's own cloud networks; only the export and
// the deletion come from elsewhere. No login fails.
func planTheft(i *incident) error {
	in, err := i.victim("chat", "marketing", "bi")
	if err != nil {
		return err
	}
	w := i.world
	first := 5
	if last := w.Days - 9; last > first {
		first = min(7, last)
		first += i.dice.below(last - first + 1)
	}
	when := func(day, hour, minute, second int) time.Time {
		offset := time.Duration(first+day)*24*time.Hour + time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
		if w.Days < 14 {
			offset = (offset * time.Duration(w.Days) / 14).Truncate(time.Minute)
		}
		return w.Start.Add(offset + time.Duration(second)*time.Second + i.dice.within(time.Second))
	}
	cloud := in.networks[1].host(251)
	hosting := i.network().host(77)
	var s session
	enter := func(address, client string) func(time.Time) {
		return func(t time.Time) {
			s = w.attackerLogin(i, in, t, address, client)
		}
	}
	get := func(path, entity string) func(time.Time) {
		return func(t time.Time) { w.probe(i, in, s, t, call{method: "GET", path: path, entity: entity}) }
	}
	query := func(entity, soql string, rows, fields int) func(time.Time) {
		return func(t time.Time) {
			w.probe(i, in, s, t, call{method: "GET", path: "query", entity: entity, query: soql, rows: rows, fields: fields})
		}
	}

	begin := when(0, 11, 51, 3)
	i.at(begin, enter(cloud, clientVerify))
	i.at(begin.Add(900*time.Millisecond), get("", ""))

	listing := when(3, 22, 14, 8)
	i.at(listing, enter(cloud, clientVerify))
	i.at(listing.Add(time.Second), get("sobjects/", ""))

	describe := when(4, 19, 33, 11)
	i.at(describe, enter(cloud, clientRecon))
	i.at(describe.Add(2*time.Second), get("sobjects/Case/describe", "Case"))
	i.at(describe.Add(14*time.Second), query("Case", "SELECT Id, CaseNumber, Subject, Description, Comments, SuppliedEmail, SuppliedPhone, ContactEmail FROM Case ORDER BY CreatedDate DESC", 2000, 8))

	counting := when(5, 0, 17, 36)
	i.at(counting, enter(cloud, clientRecon))
	i.at(counting.Add(4*time.Second), query("Account", "SELECT COUNT() FROM Account", 1, 0))
	i.at(counting.Add(14*time.Second), query("Contact", "SELECT COUNT() FROM Contact", 1, 0))
	i.at(counting.Add(20*time.Second), query("User", "SELECT COUNT() FROM User", 1, 0))

	history := when(5, 4, 34, 2)
	i.at(history, enter(cloud, clientRecon))
	i.at(history.Add(3*time.Second), query("CaseHistory", "SELECT Id, CaseId, Field, OldValue, NewValue, CreatedDate FROM CaseHistory ORDER BY CreatedDate DESC LIMIT 5000", 5000, 6))

	limits := when(5, 11, 9, 10)
	i.at(limits, enter(cloud, clientRecon))
	i.at(limits.Add(4*time.Second), query("Organization", "SELECT Id, Name, OrganizationType, InstanceName, IsSandbox FROM Organization", 1, 5))
	i.at(limits.Add(11*time.Second), query("User", "SELECT Id, Username, Email, LastLoginDate FROM User WHERE IsActive = true ORDER BY LastLoginDate DESC LIMIT 20", 20, 4))
	i.at(limits.Add(12*time.Second), get("limits/", ""))

	again := when(7, 19, 28, 5)
	i.at(again, enter(cloud, clientRecon))
	i.at(again.Add(2*time.Second), query("Case", "SELECT COUNT() FROM Case", 1, 0))

	export := when(8, 11, 11, 23)
	created, completed := export.Add(33*time.Second), export.Add(3*time.Minute+55*time.Second)
	deleted := completed.Add(24 * time.Second)
	i.at(export, func(t time.Time) {
		s := w.attackerLogin(i, in, t, hosting, clientBulk)
		j := bulkJob{anyRecordID(i.dice, prefixBulkJob), "query", "Case", "58.0", created, completed, 2_134_877}
		thief := i.disguise(in)
		w.runJob(thief, s, j)
		w.deleteBulkJob(thief, s, j, deleted)
	})

	l := i.integrationLabel(in, begin, deleted.Add(time.Millisecond))
	l.Networks = []string{i.network().prefix()}
	i.label(l)
	return nil
}

// disguise is the integration as its attacker plays it: the same identity, but
// another client, and chance of its own, so that the owner's calls stay the same.
func (i *incident) disguise(in *integration) *integration {
	thief := *in
	thief.dice, thief.client, thief.flow = i.dice, "", ""
	thief.fails = window{}
	return &thief
}

func (w *world) attackerLogin(i *incident, in *integration, when time.Time, address, client string) session {
	return w.serviceLogin(i.disguise(in), when, address, client)
}

// probe is a call that the attacker makes with API version 58.0.
func (w *world) probe(i *incident, in *integration, s session, when time.Time, c call) {
	c.version = "58.0"
	w.rest(i.disguise(in), s, when, c)
}
