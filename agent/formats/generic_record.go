package formats

import (
	"math"
	"strconv"
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// genericRecord makes events of records of names and values as any logger writes
// them: the name alone tells what a value means. A carrier (GELF, logfmt, JSON, CSV,
// OTLP, syslog's structured data) calls begin, put or pair for each value, and end;
// it adds the identity itself.
type genericRecord struct {
	// format is the carrier's name; product, vendor and log are for records that do
	// not name theirs. The carrier may set them anew for each record, after begin.
	format, product, vendor, log string
	// tenant is used where the record names none.
	tenant string

	clock     clock
	addresses addresses
	known     memo[genericField]
	levels    memo[schema.Severity]
	outcomes  memo[uint64]
	deeds     memo[genericDeed]

	event *schema.Event
	// values are the present record's, and names what they are called there.
	values, names [genericFields]string
	datadog       bool
}

// newGenericRecord makes the reader of a carrier's records.
func newGenericRecord(format, product string, o Options) genericRecord {
	return genericRecord{format: format, product: product, log: format, tenant: o.Tenant, clock: clock{zone: o.Zone}}
}

// begin starts a record, whose event is empty.
func (r *genericRecord) begin(e *schema.Event) {
	r.event, r.datadog = e, false
	clear(r.values[:])
}

// pair takes a value by its name. The name is classified once for each spelling; a
// carrier that knows its names beforehand uses genericFieldOf and put.
func (r *genericRecord) pair(name, value string) {
	r.put(*r.known.get(name, genericFieldOf), name, value)
}

// put takes a value. Of two values with the same meaning the first counts, and the
// other stays in unmapped under its own name.
func (r *genericRecord) put(field genericField, name, value string) {
	value = strings.TrimSpace(value)
	switch value {
	case "", "-", "null", "(null)", "<nil>", "nil", "{}", "[]":
		return
	}
	switch {
	case field == genericDropped:
	case field == genericUnmapped:
		r.event.AddUnmapped(name, value)
	case field == genericDatadog:
		r.datadog = true
		r.event.AddUnmapped(name, value)
	case r.values[field] == "":
		if strings.HasPrefix(value, `["`) { // a list, as of a header that may stand twice
			first := firstOf(value)
			if len(first)+4 != len(value) && field != genericCredential && field != genericSession {
				r.event.AddUnmapped(name, value)
			}
			value = first
		}
		r.values[field], r.names[field] = value, name
	case field == genericCredential || field == genericSession || r.values[field] == value:
	default:
		r.event.AddUnmapped(name, value)
	}
}

// leave keeps a value whose meaning is another one than its name's under its name.
func (r *genericRecord) leave(field genericField) {
	r.event.AddUnmapped(r.names[field], r.values[field])
}

// first is the value of the first of fields that has one; those behind it are kept
// in unmapped.
func (r *genericRecord) first(fields ...genericField) (value string) {
	for _, field := range fields {
		switch v := r.values[field]; {
		case v == "" || v == value:
		case value == "":
			value = v
		default:
			r.leave(field)
		}
	}
	return value
}

// end fills in the event, except for its identity, or says why it cannot.
func (r *genericRecord) end() *recordFailure {
	e := r.event
	if failure := r.time(); failure != nil {
		return failure
	}
	r.actor()
	r.source()
	call := r.call()
	r.result()
	r.amounts(call)
	r.object()
	r.class(call)
	e.Text[schema.MetadataTenantUID] = r.values[genericTenant]
	e.Text[schema.MetadataProductName] = r.values[genericProduct]
	e.Text[schema.MetadataProductVendorName] = r.values[genericVendor]
	e.Text[schema.MetadataLogName] = r.values[genericLog]
	if r.values[genericTenant] == "" {
		e.Text[schema.MetadataTenantUID] = r.tenant
	}
	if r.values[genericProduct] == "" {
		e.Text[schema.MetadataProductName] = r.product
		if r.values[genericVendor] == "" {
			e.Text[schema.MetadataProductVendorName] = r.vendor
		}
	}
	if r.values[genericLog] == "" {
		e.Text[schema.MetadataLogName] = r.log
	}
	e.Text[schema.MetadataLogFormat] = r.format
	return nil
}

// wayOut is how records can be read whose names are not known.
const wayOut = "describe the log with a mapping in the configuration (docs/formats.md)"

// time reads the best time that the record has.
func (r *genericRecord) time() *recordFailure {
	v := &r.values
	if isClock(v[genericTime]) && v[genericDate] != "" {
		v[genericTime] = v[genericDate] + " " + v[genericTime]
		v[genericDate] = ""
	}
	wrong := ""
	for _, field := range [...]genericField{genericTime, genericDate, genericTime2, genericObserved} {
		text := v[field]
		if text == "" {
			continue
		}
		if r.event.Time != 0 {
			if field != genericObserved {
				r.leave(field)
			}
			continue
		}
		ms, no := r.millis(text)
		switch {
		case no == "":
			r.event.Time = ms
		case wrong == "":
			wrong = no
			r.leave(field)
		}
	}
	switch {
	case r.event.Time != 0:
		return nil
	case wrong == "":
		return &recordFailure{ReasonTime, "the record has no time, or under a name that is not known as one (time, timestamp, @timestamp, ts, datetime and the like are): " + wayOut}
	}
	return &recordFailure{ReasonTime, "the time of the record " + wrong + "; for another way of writing times " + wayOut}
}

// millis reads a time as milliseconds since 1970 UTC; it is never 0. wrong goes on
// after "the time of the record".
func (r *genericRecord) millis(text string) (ms int64, wrong string) {
	if strings.Trim(text, "0.") == "" {
		return 0, "is zero: whatever writes the log does not set it"
	}
	ms, ok := r.clock.millis(text)
	if !ok && len(text) <= 40 && strings.ContainsAny(text, "eE") { // Java writes 1.772442720118E9
		ms, ok = epochFloat(text)
	}
	if !ok {
		if ms, wrong = ipaasMillis(text, r.clock.zone); wrong != "" {
			ms, wrong = crmTimeOf(text, r.clock.zone)
		}
	}
	if wrong == "" && ms == 0 {
		return 0, "is zero: whatever writes the log does not set it"
	}
	return ms, wrong
}

// isClock says whether text is a time of day without a date.
func isClock(text string) bool {
	return len(text) >= 5 && len(text) <= 18 && text[0]-'0' < 10 && (text[2] == ':' || text[1] == ':') && strings.IndexByte(text, '-') < 0
}

// actor fills in who did it, with which application, session and credential.
func (r *genericRecord) actor() {
	e, v := r.event, &r.values
	name, id := v[genericUserName], v[genericUserID]
	if id == "" && isNumber(name) {
		name, id = "", name
	}
	if session := v[genericSession]; strings.HasPrefix(session, "S-1-") { // Windows calls a user's id SID
		if v[genericSession] = ""; id == "" {
			id = session
		} else {
			e.AddUnmapped(r.names[genericSession], session)
		}
	}
	e.Text[schema.ActorUserUID] = id
	e.Text[schema.ActorUserEmailAddr] = v[genericUserEmail]
	if v[genericUserEmail] == "" && strings.IndexByte(name, '@') > 0 {
		e.Text[schema.ActorUserEmailAddr] = name
	}
	if name == "" {
		name = v[genericUserEmail]
	}
	e.Text[schema.ActorUserName] = name
	if kind := v[genericUserType]; kind != "" {
		e.Text[schema.ActorUserType] = kind
		e.Number[schema.ActorUserTypeID] = userTypeOf(kind)
	}
	e.Text[schema.UserName], e.Text[schema.UserUID] = v[genericTargetName], v[genericTargetID]
	e.Text[schema.ActorAppUID] = v[genericAppID]
	if isPinoLevel(v[genericLevel]) && v[genericService] == "" {
		v[genericService], r.names[genericService], v[genericName] = v[genericName], r.names[genericName], ""
	}
	if v[genericName] != "" {
		r.leave(genericName)
	}
	e.Text[schema.ActorAppName] = r.first(genericAppName, genericService)
	e.Text[schema.ActorSessionUID] = v[genericSession]
	e.Text[schema.SessionCredentialUID] = v[genericCredential]
	e.Text[schema.AuthProtocol], e.Text[schema.LogonType] = v[genericAuthProtocol], v[genericLoginType]
	if isTrue(v[genericMFA]) {
		e.Number[schema.IsMFA] = 1
	}
}

// source fills in from where it was done.
func (r *genericRecord) source() {
	e, v := r.event, &r.values
	if peer := v[genericPeer]; peer != "" {
		switch {
		case v[genericSource] == "" && (isAddressList(peer) || r.names[genericPeer] == "remote"):
			v[genericSource] = peer
		case plainName(r.names[genericPeer]) == "client" && e.Text[schema.ActorAppName] == "":
			e.Text[schema.ActorAppName] = peer
		default:
			r.leave(genericPeer)
		}
	}
	if port := v[genericSourcePort]; port != "" {
		setCount(e, schema.SrcEndpointPort, port)
	}
	first, rest, list := strings.Cut(v[genericSource], ",")
	setSource(e, &r.addresses, strings.TrimSpace(first))
	if list && rest != "" {
		r.leave(genericSource)
	}
	if e.Text[schema.SrcEndpointName] == "" {
		e.Text[schema.SrcEndpointName] = v[genericSourceName]
	} else if v[genericSourceName] != "" {
		r.leave(genericSourceName)
	}
	e.Text[schema.HTTPRequestXForwardedFor] = v[genericForwarded]
	e.Text[schema.SrcEndpointLocationCountry], e.Text[schema.SrcEndpointLocationCity] = v[genericCountry], v[genericCity]
	e.Text[schema.HTTPRequestUserAgent] = v[genericUserAgent]
}

// userTypeOf is OCSF's user.type_id for the words by which logs call kinds of
// accounts and roles.
func userTypeOf(kind string) uint64 {
	switch plain := plainName(kind[:min(len(kind), 64)]); {
	case strings.Contains(plain, "service") || strings.Contains(plain, "integration"):
		return schema.UserTypeService
	case strings.Contains(plain, "admin"):
		return schema.UserTypeAdmin
	default:
		switch plain {
		case "application", "app", "machine", "bot", "api", "apiuser", "robot", "workload", "client", "technical", "technicaluser", "apionly":
			return schema.UserTypeService
		case "root", "superuser", "owner":
			return schema.UserTypeAdmin
		case "system":
			return schema.UserTypeSystem
		case "user", "human", "standard", "employee", "internal", "member", "person", "regular":
			return schema.UserTypeUser
		}
	}
	return schema.UserTypeOther
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}

// isPinoLevel says whether a level is one of pino and bunyan: 10 (trace) to 60 (fatal).
func isPinoLevel(level string) bool {
	return len(level) == 2 && level[1] == '0' && level[0] >= '1' && level[0] <= '6'
}

// epochFloat reads seconds or milliseconds since 1970 in exponential form.
func epochFloat(text string) (ms int64, ok bool) {
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n < 1e8 || n > 1e14:
		return 0, false
	case n >= 1e11:
		return int64(n), true
	}
	return int64(math.Round(n * 1000)), true
}
