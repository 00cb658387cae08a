package simulate

import "time"

// planRecon: days of looking around from the integration's own network, then its first
// bulk export. Nothing is deleted.
func planRecon(i *incident) error {
	in, err := i.victim("marketing", "chat")
	if err != nil {
		return err
	}
	w, d := i.world, i.dice
	first := max(4, i.day()-4)
	if w.Days < 12 {
		first = w.Days / 2
	}
	first = min(first, max(0, w.Days-4))
	scale := time.Duration(min(w.Days, 12)) * time.Hour / 6 // a day, or less of it in a short window
	begin := w.at(first, 9*time.Hour+17*time.Minute)
	ask := func(when time.Time, c call) {
		i.at(when, func(t time.Time) {
			thief := i.disguise(in)
			thief.client = in.client
			w.rest(thief, in.session(0), t, c)
		})
	}
	ask(begin, call{method: "GET", path: "sobjects/"})
	ask(begin.Add(40*time.Second), call{method: "GET", path: "limits/"})
	ask(begin.Add(3*scale), call{method: "GET", path: "sobjects/Contact/describe", entity: "Contact"})
	ask(begin.Add(3*scale+time.Minute), call{method: "GET", path: "sobjects/Opportunity/describe", entity: "Opportunity"})
	for n, entity := range []string{"Account", "Contact", "Opportunity", "User"} {
		ask(begin.Add(5*scale+time.Duration(n)*7*time.Second), call{method: "GET", path: "query", entity: entity, rows: 1, query: "SELECT COUNT() FROM " + entity})
	}
	export := begin.Add(10 * scale)
	took := 4 * time.Minute
	i.at(export, func(t time.Time) {
		thief := i.disguise(in)
		w.runJob(thief, in.session(0), bulkJob{anyRecordID(d, prefixBulkJob), "query", "Contact", in.version, t, t.Add(took), 412_906})
	})
	i.label(i.integrationLabel(in, begin, export.Add(took+time.Minute)))
	return nil
}

// planJobDeleted: an upload's service account exports once, and the job is gone a moment
// later.
func planJobDeleted(i *incident) error {
	in, err := i.victim("erp", "marketing")
	if err != nil {
		return err
	}
	w, d := i.world, i.dice
	begin := w.at(i.day(), 12*time.Hour+8*time.Minute)
	completed := begin.Add(100 * time.Second)
	deleted := completed.Add(55 * time.Second)
	i.at(begin, func(t time.Time) {
		thief := i.disguise(in)
		j := bulkJob{anyRecordID(d, prefixBulkJob), "query", "Account", in.version, t, completed, 88_412}
		w.runJob(thief, in.session(0), j)
		w.deleteBulkJob(thief, in.session(0), j, deleted)
	})
	i.label(i.integrationLabel(in, begin, deleted.Add(time.Second)))
	return nil
}

// planExportBurst: somebody who will leave exports one report after the other.
func planExportBurst(i *incident) error {
	p, err := i.somebody(func(p *person) bool { return p.role == "sales" || p.role == "service" })
	if err != nil {
		return err
	}
	w, d := i.world, i.dice
	begin := w.at(i.workday(), 18*time.Hour+30*time.Minute).Add(-p.offset)
	if begin.Before(w.Start) || !begin.Add(2*time.Hour).Before(w.end()) {
		begin = w.at(i.day(), 12*time.Hour)
	}
	thief := *p
	thief.dice = d
	i.at(begin, func(t time.Time) {
		thief.today.address = p.home
		thief.today.session = newSession(d, p.home, t)
		w.login(d, t, login{user: p.id, name: p.username, session: thief.today.session, kind: "A", subKind: "uiup", client: p.browser, status: loginSuccess})
	})
	end := begin
	for n := range 48 {
		end = begin.Add(time.Minute + time.Duration(n)*50*time.Second)
		i.at(end, func(t time.Time) {
			w.report(&thief, t, "ReportExported")
			w.reportExport(&thief, t.Add(800*time.Millisecond))
		})
	}
	i.label(i.personLabel(p, Salesforce, begin, end.Add(time.Second)))
	return nil
}

// planCreeping: a little more in every hour of a day, so that no hour stands out.
func planCreeping(i *incident) error {
	in, err := i.victim("marketing", "chat")
	if err != nil {
		return err
	}
	w, d := i.world, i.dice
	begin := w.at(i.day(), time.Hour+5*time.Minute)
	end := begin
	for hour := range 21 {
		for n := range 4 {
			end = begin.Add(time.Duration(hour)*time.Hour + time.Duration(n)*11*time.Minute + d.within(3*time.Minute))
			i.at(end, func(t time.Time) {
				thief := i.disguise(in)
				thief.client = in.client
				w.rest(thief, in.session(0), t, call{method: "GET", path: "query", entity: "Lead", rows: 2000, fields: 4, query: "SELECT Id, Email, Status, LeadSource FROM Lead ORDER BY Id LIMIT 2000"})
			})
		}
	}
	i.label(i.integrationLabel(in, begin, end.Add(time.Second)))
	return nil
}

// planWide: the usual object, with all of its fields.
func planWide(i *incident) error {
	in, err := i.victim("chat")
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 11*time.Hour+2*time.Minute)
	end := begin
	for n := range 40 {
		end = begin.Add(time.Duration(n) * time.Minute)
		i.at(end, func(t time.Time) {
			thief := i.disguise(in)
			thief.client = in.client
			w.rest(thief, in.session(0), t, call{method: "GET", path: "query", entity: "Case", rows: 200, fields: 190, query: "SELECT FIELDS(ALL) FROM Case ORDER BY CreatedDate DESC LIMIT 200"})
		})
	}
	i.label(i.integrationLabel(in, begin, end.Add(time.Second)))
	return nil
}

// planPayload: a caller of the gateway takes answers of a quarter of a megabyte each.
func planPayload(i *incident) error {
	c, err := i.consumer()
	if err != nil {
		return err
	}
	w := i.world
	begin := w.at(i.day(), 10*time.Hour+3*time.Minute)
	end := begin
	for hour := range 2 {
		for n := range 500 {
			end = begin.Add(time.Duration(hour)*time.Hour + time.Duration(n)*6*time.Second)
			i.at(end, func(t time.Time) {
				heavy := *c
				heavy.heavy = 260_000
				w.gatewayCall(&heavy, i.dice, t, c.places[0], c.agent, 200)
			})
		}
	}
	i.label(Label{Product: Kong, EntityType: "integration", EntityUID: c.id, Entity: c.username, From: begin, To: end.Add(time.Second)})
	return nil
}
