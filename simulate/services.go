package simulate

import (
	"fmt"
	"time"
)

// erpHour: orders all day, and the night's upload of master data at 01:15.
func erpHour(w *world, in *integration, from time.Time) {
	s := in.session(0)
	for _, t := range in.dice.instants(in.dice.around(6+busy(14, from, 0)), from.Add(2*time.Minute), 57*time.Minute) {
		c := call{method: "PATCH", path: "sobjects/Order/External_Number__c/ORD-" + in.dice.text(7, "0123456789"), entity: "Order", rows: 1, fields: 12, status: 204}
		if in.dice.perMille(15) {
			c.status, c.rows = 400, 0
			c.exception = "\"Required fields are missing: [Pricebook2Id]\n on record line 1\""
		}
		w.rest(in, s, t, c)
	}
	night := time.Hour + 15*time.Minute + in.phase
	if !inHour(from, night) || from.Weekday() == time.Sunday {
		return
	}
	start := appointment(from, night)
	for _, entity := range []string{"Account", "Product2", "PricebookEntry", "Order", "OrderItem"} {
		took := time.Duration(in.dice.between(40, 200)) * time.Second
		j := w.runBulkJob(in, s, "upsert", entity, start, took, in.dice.between(2_000, 60_000))
		start = j.completed.Add(in.dice.within(20 * time.Second))
	}
}

// chatHour: the support chat looks up, writes and comments on cases around the
// clock, from both of its machines.
func chatHour(w *world, in *integration, from time.Time) {
	d := in.dice
	for _, t := range d.instants(d.around(12+busy(48, from, 0)), from.Add(2*time.Minute), 57*time.Minute) {
		id := longID(anyRecordID(d, prefixCase))
		c := call{method: "GET", path: "query", entity: "Case", fields: 9, rows: d.between(1, 25)}
		switch n := d.below(100); {
		case n < 45:
			c.query = "SELECT Id, CaseNumber, Subject, Status, Priority, ContactId FROM Case WHERE ContactId = '" + longID(anyRecordID(d, prefixContact)) + "' ORDER BY CreatedDate DESC LIMIT 25"
		case n < 60:
			c.query, c.entity = "SELECT Id, FirstName, LastName, AccountId FROM Contact WHERE Email = 'customer"+d.text(5, "0123456789")+"@mail.example'", "Contact"
			c.rows, c.fields = d.below(2), 4
		case n < 63: // customers ask how to reset their password
			c.query, c.entity = "SELECT Id, Title, Summary FROM Knowledge__kav WHERE Title LIKE '%"+d.pick([]string{"reset password", "warranty", "return label", "tent pole"})+"%'", "Knowledge__kav"
			c.fields = 3
		case n < 75:
			c = call{method: "GET", path: "sobjects/Case/" + id, entity: "Case", rows: 1, fields: 38}
		case n < 88:
			c = call{method: "PATCH", path: "sobjects/Case/" + id, entity: "Case", rows: 1, fields: 3, status: 204}
		default:
			c = call{method: "POST", path: "sobjects/CaseComment", entity: "CaseComment", rows: 1, fields: 3, status: 201}
		}
		if d.perMille(12) {
			c.status, c.rows, c.exception = 404, 0, "\"The requested resource does not exist\""
		}
		w.rest(in, in.session(d.below(2)), t, c)
	}
}

// biObjects are what the BI extraction copies every night.
var biObjects = []struct {
	entity  string
	records int
}{{"Account", 41_000}, {"Contact", 120_000}, {"Opportunity", 36_000}, {"Case", 260_000}, {"User", 900}}

// biHour: list, describe, count and bulk-read at 03:30, every night the same;
// jobs older than three days are deleted at 05:10.
func biHour(w *world, in *integration, from time.Time) {
	s, d := in.session(0), in.dice
	if night := 3*time.Hour + 30*time.Minute + in.phase; inHour(from, night) {
		t := appointment(from, night)
		w.rest(in, s, t, call{method: "GET", path: "limits/"})
		w.rest(in, s, t.Add(time.Second), call{method: "GET", path: "sobjects/"})
		for _, o := range biObjects {
			t = t.Add(2*time.Second + d.within(4*time.Second))
			w.rest(in, s, t, call{method: "GET", path: "sobjects/" + o.entity + "/describe", entity: o.entity})
			t = t.Add(time.Second + d.within(2*time.Second))
			w.rest(in, s, t, call{method: "GET", path: "query", entity: o.entity, query: "SELECT COUNT() FROM " + o.entity, rows: 1})
		}
		for _, o := range biObjects {
			records := d.around(o.records)
			j := w.runBulkJob(in, s, "query", o.entity, t.Add(10*time.Second), time.Duration(20+records/2500)*time.Second, records)
			in.jobs = append(in.jobs, j)
			t = j.completed.Add(5 * time.Second)
			if w.Churn && d.perMille(25) { // the extraction's database was busy: once more
				j = w.runBulkJob(in, s, "query", o.entity, t.Add(3*time.Minute), time.Duration(20+records/2500)*time.Second, records)
				in.jobs = append(in.jobs, j)
				t = j.completed.Add(5 * time.Second)
			}
		}
	}
	if morning := 5*time.Hour + 10*time.Minute + in.phase; inHour(from, morning) {
		t := appointment(from, morning)
		for len(in.jobs) > 0 && in.jobs[0].completed.Before(from.AddDate(0, 0, -3)) {
			in.jobs[0].version = in.version
			w.deleteBulkJob(in, s, in.jobs[0], t)
			in.jobs = in.jobs[1:]
			t = t.Add(time.Second)
		}
	}
}

// marketingHour: a few polls an hour, and the mailings of Tuesday and Thursday at
// ten, some of which run into the rate limit.
func marketingHour(w *world, in *integration, from time.Time) {
	s, d := in.session(0), in.dice
	for _, t := range d.instants(d.between(4, 9), from.Add(2*time.Minute), 57*time.Minute) {
		since := t.Add(-10 * time.Minute).UTC().Format("2006-01-02T15:04:05Z")
		w.rest(in, s, t, call{method: "GET", path: "query", entity: "Lead", rows: d.below(12), fields: 14,
			query: "SELECT Id, Email, Status, LeadSource FROM Lead WHERE SystemModstamp > " + since})
	}
	mailing := 10*time.Hour + in.phase
	if day := from.Weekday(); !inHour(from, mailing) || day != time.Tuesday && day != time.Thursday {
		return
	}
	for _, t := range d.instants(d.around(450), appointment(from, mailing).Add(3*time.Minute), 20*time.Minute) {
		c := call{method: "POST", path: "composite/sobjects", entity: "CampaignMember", rows: d.between(50, 200), fields: 5}
		if d.perMille(8) {
			c.status, c.rows, c.exception = 403, 0, "\"REQUEST_LIMIT_EXCEEDED: ConcurrentRequests limit exceeded.\""
		}
		w.rest(in, s, t, c)
	}
}

// financeHour: the ledger reads and writes invoices every quarter of an hour on
// working days, over SOAP.
func financeHour(w *world, in *integration, from time.Time) {
	s, d := in.session(0), in.dice
	local := from.Add(-6 * time.Hour)
	if day := local.Weekday(); day == time.Saturday || day == time.Sunday || local.Hour() < 6 || local.Hour() > 19 {
		return
	}
	for quarter := range 4 {
		t := from.Add(time.Duration(quarter)*15*time.Minute + 3*time.Minute + d.within(40*time.Second))
		w.soap(in, s, t, "query", "Invoice__c", d.between(5, 120))
		for range d.below(4) {
			t = t.Add(time.Second + d.within(2*time.Second))
			w.soap(in, s, t, "upsert", "Invoice__c", d.between(1, 40))
		}
	}
}

// releaseHour: builds look at the organisation in working hours, a release goes
// out on Wednesday evening, and the morning check reads who changed a password.
func releaseHour(w *world, in *integration, from time.Time) {
	s, d := in.session(0), in.dice
	working := busy(6, from, 2*time.Hour)
	for _, t := range d.instants(d.below(working+1), from.Add(2*time.Minute), 57*time.Minute) {
		w.metadata(in, s, t, d.pick([]string{"describeMetadata", "listMetadata", "checkDeployStatus", "retrieve"}))
	}
	if inHour(from, 6*time.Hour+in.phase) && working > 0 {
		w.rest(in, s, from.Add(7*time.Minute), call{method: "GET", path: "query", entity: "User", rows: 40, fields: 4,
			query: "SELECT Id, Username, LastPasswordChangeDate FROM User WHERE IsActive = true AND LastPasswordChangeDate < LAST_N_DAYS:90"})
	}
	if from.Weekday() == time.Wednesday && inHour(from, 20*time.Hour) {
		w.metadata(in, s, from.Add(5*time.Minute), "deploy")
		for i := range d.between(20, 45) {
			w.metadata(in, s, from.Add(5*time.Minute+time.Duration(i+1)*20*time.Second), "checkDeployStatus")
		}
	}
	if d.perMille(30) {
		w.apexException(d, from.Add(d.within(time.Hour)), in.id, fmt.Sprintf("ReleaseSmokeTest%d", d.between(1, 9)))
	}
}
