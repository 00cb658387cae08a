package simulate

import (
	"strconv"
	"time"
)

// planMassDelete: a service account deletes records by the thousand. Every other time, a
// person in Dynamics.
func planMassDelete(i *incident) error {
	w, d := i.world, i.dice
	begin := w.at(i.day(), 21*time.Hour+9*time.Minute)
	if has(w.Products, Dynamics) && (i.ordinal%2 == 1 || !has(w.Products, Salesforce)) {
		return i.manyDeeds(begin, "Delete", "account", 1400)
	}
	in, err := i.victim("erp", "marketing")
	if err != nil {
		return err
	}
	completed := begin.Add(3 * time.Minute)
	i.at(begin, func(t time.Time) {
		w.runJob(i.disguise(in), in.session(0), bulkJob{anyRecordID(d, prefixBulkJob), "delete", "Contact", in.version, t, completed, 41_300})
	})
	i.label(i.integrationLabel(in, begin, completed.Add(time.Minute)))
	return nil
}

// planOwnership: a person gives a thousand accounts to somebody else.
func planOwnership(i *incident) error {
	return i.manyDeeds(i.world.at(i.day(), 22*time.Hour+3*time.Minute), "Assign", "account", 1300)
}

// manyDeeds is a person who does one thing many times in Dynamics.
func (i *incident) manyDeeds(begin time.Time, message, entity string, times int) error {
	w, d := i.world, i.dice
	p, err := i.somebody(worksInDynamics)
	if err != nil {
		return err
	}
	session := d.uuid()
	i.at(begin.Add(-2*time.Minute), func(t time.Time) {
		s := w.personSignIn(p)
		s.session, s.address, s.country = session, p.office, homeCountries[p.place()]
		w.signIn(d, t, s)
	})
	i.at(begin, func(t time.Time) {
		for n := range times {
			x := w.clerkDeed(p, message, entity)
			x.session, x.address = session, p.office
			w.deed(d, t.Add(time.Duration(n)*1200*time.Millisecond), x)
		}
	})
	i.label(i.personLabel(p, Dynamics, begin.Add(-2*time.Minute), begin.Add(time.Duration(times)*1200*time.Millisecond)))
	return nil
}

// planGrant: somebody who is no admin grants all rights over the data.
func planGrant(i *incident) error {
	w, d := i.world, i.dice
	p, err := i.somebody(func(p *person) bool { return p.role == "operations" || p.role == "manager" })
	if err != nil {
		return err
	}
	begin := w.at(i.workday(), 15*time.Hour).Add(-p.offset)
	if begin.Before(w.Start) || !begin.Add(time.Hour).Before(w.end()) {
		begin = w.at(i.day(), 12*time.Hour)
	}
	end := begin
	for n, right := range []string{"UserPerm: Modify All Data enabled", "UserPerm: View All Data enabled", "UserPerm: Manage Users enabled"} {
		end = begin.Add(time.Duration(n) * 8 * time.Second)
		i.at(end, func(t time.Time) {
			w.exports.add(tablePermissionUpdate, t, w.org, p.id, "REQUEST_ID", requestID(d), "SESSION_KEY", d.text(16, alphanumeric), "LOGIN_KEY", d.text(16, alphanumeric),
				"CONTEXT", "PermissionSet", "UPDATE_TYPE", "update", "PERMISSION_TYPE", "UserPermission",
				"FEATURE_ID", recordID(prefixPermission, w.idBase(prefixPermission)+uint64(40+n)), "DESCRIPTION", right)
		})
	}
	i.label(i.personLabel(p, Salesforce, begin, end.Add(time.Millisecond)))
	return nil
}

// incidentWritesSetup are the incidents that the SetupAuditTrail tells of.
var incidentWritesSetup = map[string]bool{"audit-disabled": true, "new-connected-app": true}

// planAuditOff: an admin's account switches off what records its deeds.
func planAuditOff(i *incident) error {
	return i.setupDeeds([][3]string{
		{"changedfieldhistorytracking", "Customize Cases", "Disabled field history tracking on Case"},
		{"disabledEventMonitoring", "Event Manager", "Disabled event storage of API Event"},
		{"changedTransactionSecurityPolicy", "Transaction Security", "Transaction security policy Large export turned off"},
	})
}

// planNewApp: an app is made, allowed from everywhere, and never asks again.
func planNewApp(i *incident) error {
	return i.setupDeeds([][3]string{
		{"createdConnectedApp", "Connected Apps", "Created connected app Sync Helper"},
		{"changedConnectedAppOauthPolicy", "Connected Apps", "Changed connected app Sync Helper: refresh token is valid until revoked"},
		{"changedConnectedAppIpRelaxation", "Connected Apps", "Changed connected app Sync Helper: relax IP restrictions"},
	})
}

func (i *incident) setupDeeds(deeds [][3]string) error {
	w := i.world
	p, err := i.somebody(func(p *person) bool { return p.role == "admin" })
	if err != nil {
		return err
	}
	begin := w.at(i.day(), 5*time.Hour+i.dice.within(3*time.Hour).Truncate(time.Second))
	end := begin
	for n, deed := range deeds {
		end = begin.Add(time.Duration(n) * 70 * time.Second)
		i.at(end, func(t time.Time) { w.setupAction(i.dice, p, t, deed[0], deed[1], deed[2]) })
	}
	i.label(i.personLabel(p, Salesforce, begin, end.Add(time.Second)))
	return nil
}

// planImpersonation: an admin logs in as a colleague from sales, and exports under that
// name.
func planImpersonation(i *incident) error {
	w, d := i.world, i.dice
	admin, err := i.somebody(func(p *person) bool { return p.role == "admin" })
	if err != nil {
		return err
	}
	w.taken[longID(admin.id)] = true
	other, err := i.somebody(func(p *person) bool { return p.role == "sales" })
	if err != nil {
		return err
	}
	w.taken[longID(other.id)] = true
	begin := w.at(i.day(), 23*time.Hour+d.within(10*time.Minute).Truncate(time.Second))
	as := *other
	as.dice = d
	i.at(begin, func(t time.Time) {
		as.today.address = admin.home
		as.today.session = newSession(d, admin.home, t)
		w.exports.add(tableLoginAs, t, w.org, other.id,
			"REQUEST_ID", requestID(d), "RUN_TIME", strconv.Itoa(d.between(30, 200)), "CPU_TIME", "21", "URI", "/servlet/servlet.su",
			"SESSION_KEY", as.today.session.key, "LOGIN_KEY", as.today.session.login, "CLIENT_IP", admin.home,
			"DELEGATED_USER_ID", admin.id, "DELEGATED_USER_NAME", admin.username, "DELEGATED_USER_ID_DERIVED", longID(admin.id))
		for n := range 34 {
			w.report(&as, t.Add(time.Minute+time.Duration(n)*40*time.Second), "ReportExported")
			w.reportExport(&as, t.Add(time.Minute+time.Duration(n)*40*time.Second+800*time.Millisecond))
		}
	})
	l := i.personLabel(admin, Salesforce, begin, begin.Add(25*time.Minute))
	l.Aliases = append(l.Aliases, longID(other.id), other.username)
	i.label(l)
	return nil
}
