package simulate

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// eventLogColumns are those of RestApi and further ones that newer releases and
// the neighbouring types have: 45 in all.
var eventLogColumns = append(strings.Split(strings.TrimSuffix(strings.Join(tableRestAPI.columns, ","), tail), ","), strings.Split(
	"API_VERSION,API_TYPE,API_CLIENT_CATEGORY,CONNECTED_APP_NAME,USER_NAME,COUNTS_AGAINST_API_LIMIT,FORWARDED_FOR_IP,TLS_PROTOCOL,CIPHER_SUITE,NETWORK_ID,BOT_ID,BOT_SESSION_ID,PLANNER_ID"+tail, ",")...)

// eventLogCaller is one integration in the large file: the fields that all its
// rows share, already quoted.
type eventLogCaller struct {
	identity, session, app, network, end string
	version, address                     string
}

// eventLogShape is one sort of call.
type eventLogShape struct {
	method, path, entity, query string
	status                      string
	record                      bool // the path ends in a record's id
	rows, fields                int
}

var eventLogShapes = []eventLogShape{
	{"GET", "query", "Case", "SELECT Id, CaseNumber, Subject, Status, Priority, Origin, Reason, ContactId, AccountId, OwnerId, CreatedDate, ClosedDate, SuppliedEmail, SuppliedName, Language, IsEscalated FROM Case WHERE LastModifiedDate > 2025-08-03T23:50:00Z ORDER BY LastModifiedDate", "200", false, 200, 16},
	{"GET", "query", "Contact", "SELECT Id, FirstName, LastName, Email, Phone, MobilePhone, MailingCity, MailingCountry, LeadSource, AccountId FROM Contact WHERE Email LIKE '%@mail.example'", "200", false, 25, 10},
	{"GET", "query", "Account", "SELECT Id, Name, \"\"Region__c\"\", OwnerId, BillingCity, BillingCountry, Industry, AnnualRevenue, LastActivityDate FROM Account WHERE Type = 'Customer' AND IsDeleted = false", "200", false, 500, 9},
	{"GET", "sobjects/Case/", "Case", "", "200", true, 1, 38},
	{"PATCH", "sobjects/Case/", "Case", "", "204", true, 1, 3},
	{"PATCH", "sobjects/Order/", "Order,OrderItem,PricebookEntry,Product2", "", "204", true, 1, 12},
	{"POST", "sobjects/CaseComment", "CaseComment", "", "201", false, 1, 3},
	{"POST", "query", "CampaignMember", "SELECT Id, CampaignId, ContactId, LeadId, Status, HasResponded, FirstRespondedDate, CreatedDate FROM CampaignMember WHERE CampaignId IN (SELECT Id FROM Campaign WHERE IsActive = true)", "200", false, 200, 8},
	{"GET", "sobjects/Contact/", "Contact", "", "200", true, 1, 41},
	{"GET", "limits", "", "", "200", false, 0, 0},
}

const (
	eventLogCallers = 460
	// withoutCapitals is for ids whose three last letters are AAA.
	withoutCapitals = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// ELF writes one large RestApi EventLogFile for measurements: 45 quoted columns,
// about 640 bytes a row, 460 callers, one row in 100 with a message of two lines,
// times about 50 ms apart from 2025-08-04 on. It returns the rows written.
func ELF(w io.Writer, limit Limit, seed uint64) (rows int64, err error) {
	s, err := newStream(w, limit, seed)
	if err != nil {
		return 0, err
	}
	s.buffer = append(s.buffer, `"`+strings.Join(eventLogColumns, `","`)+"\"\n"...)
	callers := newEventLogCallers(seed)
	clock := stampClock{next: time.Date(2025, 8, 4, 0, 0, 0, 0, time.UTC)}
	for s.more() {
		clock.advance(s.below(100))
		appendEventLogRow(s, &callers[skewed(s, len(callers))], &clock)
		if err := s.wrote(); err != nil {
			return s.rows, err
		}
	}
	return s.rows, s.flush()
}

// skewed draws an index: a few callers make most of the calls.
func skewed(s *stream, n int) int { return s.below(s.below(n) + 1) }

func newEventLogCallers(seed uint64) []eventLogCaller {
	d := newDice(seed, "event log callers")
	org := recordID(prefixOrganization, uint64(d.between(1_000_000, 900_000_000)))
	callers := make([]eventLogCaller, eventLogCallers)
	for i := range callers {
		user := recordID(prefixUser, 30_000_000+uint64(i)*97)
		app := recordID(prefixConnectedApp, 5_000_000+uint64(i%60)*31)
		name := "caller-" + strconv.Itoa(i)
		c := &callers[i]
		c.version = strconv.Itoa(56+i%8) + ".0"
		c.address = cloudNetworks(i)[i%2].host(d.between(10, 240))
		c.identity = `","` + org + `","` + user + `","`
		c.session = `","` + d.text(16, alphanumeric) + `","` + d.text(16, alphanumeric) + `","Standard","`
		c.app = `","` + app + `","client-` + strconv.Itoa(i%60) + `/2025.8 (Linux; amd64)","`
		c.network = `","` + c.version + `","","REST","App ` + strconv.Itoa(i%60) + `","` + name + `@acme.example","1","` +
			c.address + `, 10.0.0.1","TLSv1.3","TLS_AES_256_GCM_SHA384","","","","","`
		c.end = `","` + longID(user) + `","` + c.address + "\",\"\"\n"
	}
	return callers
}

func appendEventLogRow(s *stream, c *eventLogCaller, clock *stampClock) {
	shape := &eventLogShapes[s.below(len(eventLogShapes))]
	rows := shape.rows
	if rows > 1 {
		rows = 1 + s.below(rows)
	}
	draw := s.below(1 << 30)
	run := 12 + rows + draw&63
	failed := draw>>20%100 == 0
	b := append(s.buffer, `"RestApi","`...)
	b = append(b, clock.compact[:]...)
	b = append(b, `","`...)
	b = s.letters(b, 21, alphanumeric)
	b = append(b, '-')
	b = append(b, c.identity...)
	b = strconv.AppendInt(b, int64(run), 10)
	b = append(b, `","`...)
	b = strconv.AppendInt(b, int64(run*2/5), 10)
	b = append(b, `","/services/data/v`...)
	b = append(b, c.version...)
	b = append(b, '/')
	b = append(b, shape.path...)
	if shape.record {
		b = append(b, "5007x00000"...)
		b = s.letters(b, 5, withoutCapitals)
		b = append(b, "AAA"...)
	}
	b = append(b, c.session...)
	state, status, message := "S", shape.status, ""
	if failed {
		state, status, message = "F", "400", "\"\"Required fields are missing: [Pricebook2Id]\n on record line 1\"\""
	}
	b = append(b, state...)
	b = append(b, `","`...)
	b = strconv.AppendInt(b, int64(run)*620_000+int64(draw>>10), 10)
	b = append(b, `","`...)
	b = append(b, shape.method...)
	b = append(b, `","application/json;charset=UTF-8","`...)
	b = append(b, status...)
	b = append(b, `","9999`...)
	for _, n := range [...]int{rows, shape.fields, rows*2 + draw>>6&31, run / 5, draw >> 12 & 1023, 180 + rows*(60+shape.fields*28)} {
		b = append(b, `","`...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	b = append(b, `","`...)
	b = append(b, shape.entity...)
	b = append(b, c.app...)
	b = append(b, message...)
	b = append(b, `","`...)
	b = append(b, shape.query...)
	b = append(b, c.network...)
	b = append(b, clock.iso[:]...)
	s.buffer = append(b, c.end...)
}
