package simulate

import (
	"strconv"
	"time"
)

// act is what a person does in one hour at work.
func (p *person) act(w *world, from time.Time) {
	begin, end := p.today.session.since, p.today.end
	if begin.Before(from) {
		begin = from
	}
	if end.After(from.Add(time.Hour)) {
		end = from.Add(time.Hour)
	}
	span := end.Sub(begin)
	if p.today.session.key == "" || span < 10*time.Minute {
		return
	}
	begin, span = begin.Add(time.Minute), span-2*time.Minute
	d := p.dice
	reports, exports := d.below(3), 0
	switch p.role {
	case "operations", "finance":
		reports += d.below(3)
		if d.perMille(60) {
			exports = 1
		}
		if monthTurn(from.Add(p.offset)) {
			reports, exports = reports*2, exports+d.below(3)
		}
	case "manager":
		reports += d.below(2)
	case "admin":
		p.administer(w, begin, span)
	}
	for _, t := range d.instants(reports, begin, span) {
		w.report(p, t, "ReportRunFromLightning")
	}
	for _, t := range d.instants(exports, begin, span) {
		w.report(p, t, "ReportExported")
		w.reportExport(p, t.Add(800*time.Millisecond))
	}
	if d.perMille(180) {
		w.contentTransfer(p, begin.Add(d.within(span)))
	}
	if (p.role == "sales" || p.role == "service") && d.perMille(220) {
		w.apexCallout(p, begin.Add(d.within(span)))
	}
	if d.perMille(6) {
		w.apexException(d, begin.Add(d.within(span)), p.id, "OrderPricing")
	}
}

// administer is the rare work of an admin: a permission granted, a colleague
// helped by logging in as them.
func (p *person) administer(w *world, begin time.Time, span time.Duration) {
	d := p.dice
	if d.perMille(12) {
		permission := d.pick([]string{"UserPerm: Run Reports enabled", "UserPerm: Export Reports enabled", "EntityPerm: Read on \"Invoice\" enabled"})
		w.exports.add(tablePermissionUpdate, begin.Add(d.within(span)), w.org, p.id,
			"REQUEST_ID", requestID(d), "SESSION_KEY", p.today.session.key, "LOGIN_KEY", p.today.session.login,
			"CONTEXT", "PermissionSet", "UPDATE_TYPE", "update", "PERMISSION_TYPE", "UserPermission",
			"FEATURE_ID", recordID(prefixPermission, w.idBase(prefixPermission)+uint64(d.below(12))), "DESCRIPTION", permission)
	}
	often := 10
	if w.Churn { // a few of the admins are the help desk
		often = 0
		if p.number%50 == 0 {
			often = 60
		}
	}
	if d.perMille(often) && len(w.people) > 1 {
		other := w.people[(p.number+1+d.below(len(w.people)-1))%len(w.people)]
		if w.Churn && other.role == "admin" {
			other = w.people[(other.number+1)%len(w.people)]
		}
		s := newSession(d, p.today.address, begin)
		w.exports.add(tableLoginAs, begin.Add(d.within(span)), w.org, other.id,
			"REQUEST_ID", requestID(d), "RUN_TIME", strconv.Itoa(d.between(30, 200)), "CPU_TIME", "21", "URI", "/servlet/servlet.su",
			"SESSION_KEY", s.key, "LOGIN_KEY", p.today.session.login, "CLIENT_IP", p.today.address,
			"DELEGATED_USER_ID", p.id, "DELEGATED_USER_NAME", p.username, "DELEGATED_USER_ID_DERIVED", longID(p.id))
	}
}

var reportNames = []string{"Open pipeline", "Cases \"at risk\"", "Invoices overdue", "Returns by store, last week", "New accounts", "Service levels"}

// report writes a Report row; exports have an origin that begins "ReportExported".
func (w *world) report(p *person, when time.Time, origin string) {
	d := p.dice
	which := d.below(len(reportNames))
	id := recordID(prefixReport, w.idBase(prefixReport)+uint64(which))
	rows, columns := d.between(4, 1800), d.between(5, 16)
	run := 90 + rows/3 + d.below(300)
	w.exports.add(tableReport, when, w.org, p.id,
		"REQUEST_ID", requestID(d), "RUN_TIME", strconv.Itoa(run), "CPU_TIME", strconv.Itoa(run/3), "URI", "/"+id,
		"SESSION_KEY", p.today.session.key, "LOGIN_KEY", p.today.session.login, "USER_TYPE", "Standard", "REQUEST_STATUS", "S",
		"DB_TOTAL_TIME", strconv.Itoa(run*500_000+d.below(90_000)), "REPORT_ID", id, "REPORT_ID_DERIVED", longID(id),
		"ENTITY_NAME", [...]string{"Opportunity", "Case", "Invoice__c", "Order", "Account", "Case"}[which],
		"DISPLAY_TYPE", d.pick([]string{"D", "S", "H"}), "ROW_COUNT", strconv.Itoa(rows), "NUMBER_COLUMNS", strconv.Itoa(columns),
		"UI_NUMBER_COLUMNS", strconv.Itoa(columns), "NUMBER_BUCKETS", "0", "NUMBER_EXCEPTION_FILTERS", "0",
		"AVERAGE_ROW_SIZE", strconv.Itoa(columns*18), "ORIGIN", origin, "DB_BLOCKS", strconv.Itoa(rows*2),
		"DB_CPU_TIME", strconv.Itoa(run/8), "CLIENT_IP", p.today.address, "URI_ID_DERIVED", longID(id))
}

func (w *world) reportExport(p *person, when time.Time) {
	d := p.dice
	which := d.below(len(reportNames))
	id := recordID(prefixReport, w.idBase(prefixReport)+uint64(which))
	w.exports.add(tableReportExport, when, w.org, p.id,
		"REQUEST_ID", requestID(d), "RUN_TIME", strconv.Itoa(d.between(300, 2500)), "CPU_TIME", "140", "URI", "/"+id,
		"SESSION_KEY", p.today.session.key, "LOGIN_KEY", p.today.session.login, "CLIENT_INFO", p.browser,
		"REPORT_DESCRIPTION", "("+reportNames[which]+")", "CLIENT_IP", p.today.address, "URI_ID_DERIVED", longID(id))
}

func (w *world) contentTransfer(p *person, when time.Time) {
	d := p.dice
	document, version := anyRecordID(d, prefixDocument), anyRecordID(d, prefixVersion)
	kind := d.pick([]string{"VersionDownloadAction", "VersionRenditionDownload", "VersionRenditionDownload", "saveVersion"})
	preview := ""
	if kind == "VersionRenditionDownload" {
		preview = "THUMB720BY480"
	}
	w.exports.add(tableContentTransfer, when, w.org, p.id,
		"REQUEST_ID", requestID(d), "DOCUMENT_ID", document, "VERSION_ID", version, "SIZE_BYTES", strconv.Itoa(d.between(8_000, 4_000_000)),
		"FILE_TYPE", d.pick([]string{"PDF", "PNG", "EXCEL_X", "WORD_X"}), "FILE_PREVIEW_TYPE", preview, "TRANSACTION_TYPE", kind,
		"DOCUMENT_ID_DERIVED", longID(document), "VERSION_ID_DERIVED", longID(version))
}

// apexCallout is Salesforce asking another system while a person saves.
func (w *world) apexCallout(p *person, when time.Time) {
	d := p.dice
	took, status, success := d.between(40, 900), "200", "1"
	if d.perMille(15) {
		took, status, success = 10_000, "503", "0"
	}
	w.exports.add(tableApexCallout, when, w.org, p.id,
		"REQUEST_ID", requestID(d), "CPU_TIME", strconv.Itoa(took/12), "URI", "CALLOUT-LOG",
		"SESSION_KEY", p.today.session.key, "LOGIN_KEY", p.today.session.login, "TYPE", "REST", "METHOD", "POST",
		"SUCCESS", success, "STATUS_CODE", status, "TIME", strconv.Itoa(took), "REQUEST_SIZE", strconv.Itoa(d.between(200, 2400)),
		"RESPONSE_SIZE", strconv.Itoa(d.between(90, 5200)), "URL", "https://api."+w.domain+"/erp/tax/quote", "CLIENT_IP", p.today.address)
}

// logout writes a Logout row: byHand is "1" for a click and "0" for a timeout.
func (w *world) logout(p *person, when time.Time, byHand string) {
	w.exports.add(tableLogout, when, w.org, p.id,
		"REQUEST_ID", requestID(p.dice), "USER_TYPE", "Standard", "SESSION_TYPE", "", "SESSION_LEVEL", "1", "BROWSER_TYPE", "13050000",
		"PLATFORM_TYPE", "1015", "RESOLUTION_TYPE", "9999", "APP_TYPE", "1000", "CLIENT_VERSION", "9999", "API_VERSION", "9999.0",
		"USER_INITIATED_LOGOUT", byHand, "SESSION_KEY", p.today.session.key, "LOGIN_KEY", p.today.session.login, "CLIENT_IP", p.today.address)
}
