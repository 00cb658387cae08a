package detectors

import (
	"fmt"
	"strings"
)

// identity is by what an event names who acts, in the order in which rules look.
const identity = `multiIf(actor_user_uid != '', actor_user_uid, actor_user_name != '', actor_user_name, actor_app_uid != '', actor_app_uid, session_credential_uid)`

// facet is one kind of values: those of the events that fulfil a condition. Where an event
// has several, each is the list of them, and uid and value speak of one as x.
type facet struct{ kind, where, uid, value, each string }

// served are calls, and logins that succeeded.
const served = `(class_uid IN (6003, 4002) OR class_uid = 3002 AND activity_id = 1 AND status_id = 1)`

// Thing is what a call was for: an object or else an endpoint, and the kind of
// operation. The first two parts of a path that hold no digit are the endpoint: no
// ids, no versions.
const thing = `concat(multiIf(resources_type = 'sobject', lower(resources_name), resources_type IN ('job', 'report', 'named_credential'), '', lower(resources_type)) AS object, '|',
    if(object != '' OR resources_type = 'job', '', arrayStringConcat(arraySlice(arrayFilter(s -> s != '' AND NOT match(s, '[0-9]'),
        splitByChar('/', lower(replaceOne(left(http_request_url_path, 120), '/services/data', '')))), 1, 2), '/')), '|',
    if(class_uid = 6003, toString(activity_id), ''))`

// credentials are the tokens, keys and sessions that an event names.
const credentials = `[toString(session_credential_uid), toString(actor_session_uid), toString(actor_session_uid_alt)]`

// way is how somebody logged in, for what looks at weak ways.
const way = `if(concat(x_logon_sub_type, auth_protocol, logon_type, tls_version, tls_cipher) = '', '',
    arrayStringConcat([toString(x_logon_sub_type), toString(auth_protocol), toString(logon_type), toString(tls_version), toString(tls_cipher)], '|'))`

// looks names what a call looks around for: the steps of reconnaissance.
const looks = `multiIf(
    match(query, '(?i)\\bselect\\s+count\\s*\\('), 'row counts',
    match(path, '/(sobjects|entitydefinitions|settings/modules|crm/v3/schemas)/?$') OR api_operation = 'describeGlobal', 'list of objects',
    match(path, '/(describe(/\\w+)?|settings/fields|crm/v3/properties/\\w+)/?$') OR startsWith(api_operation, 'describe'), 'fields of objects',
    match(resources_name, '(?i)(^|[,; ])organization([,; ]|$)') OR match(query, '(?i)\\bfrom\\s+organization\\b') OR match(path, '/sobjects/organization(/|$)'), 'organisation',
    match(path, '/(limits|account-info/v3/api-usage.*)/?$'), 'limits',
    match(resources_name, '(?i)(^|[,; ])user([,; ]|$)') OR match(query, '(?i)\\bfrom\\s+user\\b') OR match(path, '/(sobjects/user|settings/v3/users|users)(/|$)'), 'users',
    '')`

const mayLook = `class_uid IN (6003, 4002)
    AND (multiSearchAny(lower(http_request_url_path) AS path, ['sobjects', 'describe', 'limits', 'entitydefinitions', 'settings/', 'users', 'crm/v3/schemas', 'crm/v3/properties', 'api-usage'])
        OR startsWith(api_operation, 'describe') OR match(resources_name, '(?i)organization|user')
        OR multiSearchAnyCaseInsensitive(if(query_info_query_string != '' OR position(http_request_url_query_string, 'q=') = 0, query_info_query_string,
            decodeURLFormComponent(http_request_url_query_string)) AS query, ['count(', 'count (', 'organization', 'from user']))`

// client is the family of the program that calls. Salesforce writes a number for the
// client of an API call: it names none.
const client = `multiIf(match(http_request_user_agent, '^[0-9.]*$'), '',
    position(http_request_user_agent, 'Edg/') > 0, 'edge', position(http_request_user_agent, 'Firefox/') > 0, 'firefox',
    position(http_request_user_agent, 'Chrome/') > 0, 'chrome', position(http_request_user_agent, 'Safari/') > 0, 'safari',
    startsWith(http_request_user_agent, 'Mozilla'), 'browser', lower(extract(http_request_user_agent, '^[^/ ;(]+')))`

// used are the names of what was used: session, key, app and account. They are told apart
// by vendor, not by identity.
const used = `[toString(actor_session_uid), toString(session_credential_uid), toString(actor_app_uid), toString(actor_user_uid), lower(actor_user_name), lower(actor_app_name)]`

// ended are the names under which something may be used that was logged out, removed,
// disabled or revoked.
const ended = `[toString(actor_session_uid), toString(user_uid), lower(user_name), toString(session_credential_uid), toString(resources_uid),
    toString(unmapped['TargetAppId']), lower(resources_name)]`

const vendor = "if(metadata_product_vendor_name != '', metadata_product_vendor_name, metadata_product_name)"

// reassigned is a record that got another owner.
const reassigned = `(lower(api_operation) IN ('assign', 'assigned', 'owner changed', 'change owner', 'ownerchanged', 'reassigned', 'mass transfer', 'transferred')
    OR metadata_event_code = 'assigned_user_id' OR resources_uid IN ('hubspot_owner_id', 'OwnerId'))`

// accepted are logins that succeeded, and agentOfLogin is with which user agent, after a +
// where the log calls them interactive.
const (
	accepted     = "class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND metadata_log_name != 'IdentityVerificationEvent'"
	agentOfLogin = "concat(if(logon_type_id = 2 OR x_logon_sub_type = 'Browser', '+', '-'), http_request_user_agent)"
)

var facets = []facet{
	{"network", served, identity, "x_src_endpoint_network", ""},
	{"client", served, identity, "http_request_user_agent", ""},
	{"API version", served, identity, "api_version", ""},
	{"client id", served, identity, "actor_app_uid", ""},
	{"way", "(class_uid = 3002 AND activity_id = 1 AND status_id = 1 OR class_uid = 6003 AND status_id != 2)", identity, way, ""},
	{"accepted network", "status_id = 1 AND http_response_code < 400 AND " + served, identity, "x_src_endpoint_network", ""},
	{"login network", "class_uid = 3002 AND activity_id = 1 AND status_id = 1",
		"x", "x_src_endpoint_network", "[lower(actor_user_uid), lower(actor_user_name)]"},
	// By the name alone where there is one (+), so that nobody is at home in a namesake's network.
	{"named login network", "class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND x_src_endpoint_network != '' AND (actor_user_uid != '' OR actor_user_name != '')",
		"if(actor_user_name != '', lower(actor_user_name), actor_user_uid)", "concat(if(actor_user_name != '', '+', '-'), x_src_endpoint_network)", ""},
	{"home network", "class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND (actor_user_uid != '' OR actor_user_name != '')", "''", "x_src_endpoint_network", ""},
	{"interactive login", "class_uid = 3002 AND activity_id = 1 AND status_id = 1 AND logon_type_id = 2 AND x_src_endpoint_network != ''", identity, "'yes'", ""},
	{"thing", "class_uid IN (6003, 4002) AND status_id != 2 AND src_endpoint_name = ''", identity, thing, ""},
	{"bulk", "class_uid IN (6003, 4002) AND (startsWith(metadata_log_name, 'BulkApi') OR position(http_request_url_path, '/jobs/query') > 0)", identity, "'yes'", ""},
	{"deleted job", "class_uid = 6003 AND activity_id = 4 AND resources_type = 'job'", identity,
		"left(if(resources_uid != '', resources_uid, extract(http_request_url_path, '/jobs/(?:query|ingest)/(\\w{15,18})')), 15)", ""},
	{"refusal", "class_uid = 6003 AND status_id = 2 AND (http_response_code IN (400, 401) OR status_code != '')", "''",
		"if(http_response_code IN (400, 401), left(concat(status_code, ' ', status_detail, ' ', message), 200), status_code)", ""},
	{"refused login", "class_uid = 3002 AND status_id = 2", "''", "left(concat(status_code, '\\n', status_detail, ' ', message), 400)", ""},
	{"impersonation", "class_uid = 3002 AND activity_id = 7 AND account_switch_type_id = 2", identity, "'yes'", ""},
	{"any client", "class_uid IN (3002, 6003, 6001, 6006, 4002)", "''", "http_request_user_agent", ""},
	{"place", "x_src_endpoint_network != ''", identity, "x_src_endpoint_network", ""},
	{"tool", "x_src_endpoint_network != ''", identity, client, ""},
	{"place of a credential", "x_src_endpoint_network != ''", identity, "concat(x, '\\n', x_src_endpoint_network)", credentials},
	{"tool of a credential", "x_src_endpoint_network != '' AND http_request_user_agent != ''", identity, "concat(x, '\\n', " + client + ")", credentials},
	{"look", mayLook, identity, looks, ""},
	{"use", "(class_uid IN (6003, 6001, 6006, 4002, 3001, 3004, 3005) AND status_id != 2 AND http_response_code < 400 OR class_uid = 3002 AND activity_id = 1 AND status_id = 1)", vendor, "x", used},
	{"credential", "(session_credential_uid != '' OR actor_app_uid != '') AND status_id != 2 AND (class_uid = 6003 OR class_uid = 3002 AND activity_id = 1 AND logon_type_id != 2)",
		vendor, "if(session_credential_uid != '', concat('key ', session_credential_uid), concat('app ', actor_app_uid))", ""},
	{"login", accepted, "x", agentOfLogin, "[toString(actor_user_uid), lower(actor_user_name)]"},
	// The name alone where there is one: an id may have had another name before.
	{"named login", accepted + " AND (actor_user_uid != '' OR actor_user_name != '')", "if(actor_user_name != '', lower(actor_user_name), actor_user_uid)", agentOfLogin, ""},
	{"call", "class_uid = 6003 AND (actor_user_uid != '' OR actor_user_name != '')", "if(actor_user_uid != '', actor_user_uid, lower(actor_user_name))",
		"concat(x_src_endpoint_network, '\\n', http_request_user_agent, ' ', actor_app_name)", ""},
	{"reassignment", "class_uid IN (6003, 6005, 3004) AND " + reassigned, "''", "'yes'", ""},
	{"end", "status_id != 2 AND (class_uid = 3002 AND activity_id = 2 OR class_uid = 3001 AND activity_id NOT IN (1, 2, 12) OR class_uid = 3004 AND activity_id IN (4, 9, 11))",
		vendor, "x", ended},
	{"name", "actor_user_uid != '' AND actor_user_name != ''", "actor_user_uid", "actor_user_name", ""},
	{"audited key", "class_uid = 3004 AND session_credential_uid != ''", "''", "'yes'", ""},
}

// facetsByKind digests what arrived in a stretch of event time, reading it for each kind:
// of many events that takes a third of the time, because a kind groups few columns.
var facetsByKind = func() string {
	var parts []string
	for _, f := range facets {
		each := ""
		if f.each != "" {
			each = fmt.Sprintf("\nARRAY JOIN arrayDistinct(arrayFilter(e -> e != '', %s)) AS x", f.each)
		}
		parts = append(parts, fmt.Sprintf(`SELECT '%s' AS kind, toDate(time) AS day, metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_name AS log,
    toString(%s) AS uid, toString(%s) AS value, min(time) AS first, max(time) AS last
FROM events%s
WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ingested_at > {arrived_from:DateTime64(3)} AND %s
GROUP BY day, tenant, product, log, uid, value
HAVING value != ''`, f.kind, f.uid, f.value, each, f.where))
	}
	return "INSERT INTO event_facets (kind, day, tenant, product, log, uid, value, first, last)\n" + strings.Join(parts, "\nUNION ALL\n")
}()

// facetsStatement does the same, reading the events once.
var facetsStatement = func() string {
	parts := make([]string, len(facets))
	for i, f := range facets {
		one := fmt.Sprintf("('%s', toString(%s), toString(%s))", f.kind, f.uid, f.value)
		if f.each == "" {
			one = "[" + one + "]"
		} else {
			one = fmt.Sprintf("arrayMap(x -> %s, arrayDistinct(arrayFilter(x -> x != '', %s)))", one, f.each)
		}
		parts[i] = fmt.Sprintf("if(%s, %s, [])", f.where, one)
	}
	return `INSERT INTO event_facets (kind, day, tenant, product, log, uid, value, first, last)
SELECT shown.1 AS kind, day, tenant, product, log, shown.2 AS uid, shown.3 AS value, min(time) AS first, max(time) AS last
FROM
(
    SELECT time, toDate(time) AS day, metadata_tenant_uid AS tenant, metadata_product_name AS product, metadata_log_name AS log,
        arrayJoin(arrayFilter(f -> f.3 != '', arrayConcat(
            ` + strings.Join(parts, ",\n            ") + `))) AS shown
    FROM events
    WHERE time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)} AND ingested_at > {arrived_from:DateTime64(3)}
)
GROUP BY kind, day, tenant, product, log, uid, value`
}()
