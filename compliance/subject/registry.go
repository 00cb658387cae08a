// Package subject finds, hands out and erases what is stored of one person: the rights
// of access and erasure of articles 15 and 17 of the GDPR.
package subject

// use says what a column can hold of a person.
type use uint8

const (
	// plain columns hold nothing of a person, or nothing that says whose it is.
	plain use = iota
	// identity columns hold who somebody is, and nothing else.
	identity
	// text columns may name somebody: whole, as a part between line ends, or as a word.
	text
	// place columns hold where somebody is and with what: the person's only in rows in
	// which the person acts, and only where nobody else has the same value.
	place
	// tool columns are place columns whose value begins with the name of a program.
	tool
	// eventUID and the like are identities of rows, and lists of them. They are hashes
	// of what the rows hold, or held: whoever knows the rest could try names until one
	// fits.
	eventUID
	findingUID
	alertUID
	// rowUID is such a hash to which nothing else refers.
	rowUID
	// contentHash is a hash of what a row says, which other rows repeat.
	contentHash
	// textHash is the SHA-256 of the column content, in hexadecimal digits, and amended
	// counts how often an erasure has changed the row.
	textHash
	amended
)

// table is what is known of a table: the uses of its columns that are no numbers and no
// times.
type table struct {
	name    string
	columns map[string]use
	// about says what a row is, for the person who asks.
	about string
	// own says that rows which name the person are the person's own: erased by delete.
	own bool
}

// tables are all tables of the database. TestRegistryKnowsEveryColumn fails when a
// migration adds a table or a column that is missing here.
var tables = []table{
	{name: "events", own: true, about: "what happened in the CRM and around it, one record of a log a row", columns: map[string]use{
		"event_uid": eventUID, "actor_user_uid": identity, "actor_user_name": identity, "actor_user_email_addr": identity,
		"user_uid": identity, "user_name": identity,
		"src_endpoint_ip": place, "src_endpoint_name": place, "x_src_endpoint_network": place, "src_endpoint_location_city": place,
		"http_request_x_forwarded_for": place, "http_request_user_agent": tool,
		"actor_app_uid": text, "actor_app_name": text, "x_actor_client_name": text, "actor_idp_uid": text,
		"metadata_correlation_uid": text, "metadata_original_event_uid": text, "dst_endpoint_hostname": text,
		"http_request_url_path": text, "http_request_url_query_string": text, "http_request_referrer": text,
		"resources_name": text, "resources_uid": text, "query_info_query_string": text, "status_detail": text, "message": text,
		"x_source_file": text, "raw_data": text, "unmapped": text,
		"metadata_tenant_uid": plain, "metadata_product_name": plain, "metadata_product_vendor_name": plain, "metadata_log_name": plain,
		"metadata_log_format": plain, "metadata_event_code": plain, "actor_user_type": plain, "x_actor_client_category": plain,
		"actor_session_uid": plain, "actor_session_uid_alt": plain, "session_credential_uid": plain, "src_endpoint_location_country": plain,
		"dst_endpoint_ip": plain, "http_request_http_method": plain, "http_request_version": plain, "http_response_content_type": plain,
		"api_operation": plain, "api_version": plain, "api_service_name": plain, "resources_type": plain, "status_code": plain,
		"logon_type": plain, "x_logon_sub_type": plain, "auth_protocol": plain, "tls_version": plain, "tls_cipher": plain,
		"x_source_name": plain, "metadata_version": plain,
	}},
	{name: "quarantine", about: "records of logs that could not be understood", columns: map[string]use{
		"quarantine_uid": rowUID, "x_source_name": plain, "x_source_file": text, "metadata_log_format": plain,
		"reason": plain, "detail": text, "content": text,
	}},
	{name: "findings", about: "what a rule found about an identity in a stretch of time", columns: map[string]use{
		"finding_uid": findingUID, "rule": plain, "title": text, "message": text, "metadata_tenant_uid": plain, "metadata_product_name": plain,
		"entity_type": plain, "entity_uid": text, "entity": text, "attack": plain, "attributes": text, "evidence": eventUID,
		"evidence_sql": text, "controls": plain,
	}},
	{name: "suppressed_findings", about: "what would be a finding, had the configuration not excepted it", columns: map[string]use{
		"finding_uid": findingUID, "reason": text, "rule": plain, "message": text, "metadata_tenant_uid": plain, "metadata_product_name": plain,
		"entity_type": plain, "entity_uid": text, "entity": text, "evidence": eventUID,
	}},
	{name: "alerts", about: "findings that were put together for the people who watch", columns: map[string]use{
		"alert_uid": alertUID, "status": plain, "merged_into": alertUID, "title": text, "metadata_tenant_uid": plain, "entity_type": plain,
		"entity_uid": text, "entity": text, "finding_uids": findingUID, "attack": plain, "content_hash": contentHash,
		"status_by": text, "status_note": text, "status_before": plain, "request_uid": plain, "risen": plain,
	}},
	{name: "alert_requests", about: "what people asked to be done with an alert", columns: map[string]use{
		"request_uid": plain, "alert_uid": alertUID, "action": plain, "actor": text, "via": plain, "note": text, "state": plain, "reason": text,
	}},
	{name: "alert_transitions", about: "what happened to an alert", columns: map[string]use{
		"alert_uid": alertUID, "transition_uid": rowUID, "action": plain, "from_status": plain, "to_status": plain, "actor": text, "via": plain,
		"note": text, "finding_uids": findingUID, "refused": text,
	}},
	{name: "notifications", about: "who was told of an alert, and how far that has come", columns: map[string]use{
		"alert_uid": alertUID, "notifier": plain, "state": plain, "repeat": plain, "channel": text, "message_id": plain, "content_hash": contentHash,
		"reason": text, "reply_state": plain, "digest_uid": plain,
	}},
	{name: "silences", about: "what was muted, by whom and why", columns: map[string]use{
		"silence_uid": rowUID, "author": text, "reason": text, "matchers": text, "ended_by": text,
	}},
	{name: "rule_seen", own: true, about: "when an identity showed a value first and last", columns: map[string]use{
		"rule": plain, "tenant": plain, "product": plain, "entity_uid": text, "value": text,
	}},
	{name: "rule_steps", own: true, about: "steps of an identity that a rule puts together", columns: map[string]use{
		"rule": plain, "tenant": plain, "product": plain, "entity_uid": text, "step": plain, "event_uid": eventUID, "value": text, "entity": text,
	}},
	{name: "rule_activity", own: true, about: "when an identity did something", columns: map[string]use{
		"rule": plain, "tenant": plain, "product": plain, "entity_uid": text,
	}},
	{name: "event_facets", own: true, about: "which values an identity showed on which day", columns: map[string]use{
		"kind": plain, "tenant": plain, "product": plain, "log": plain, "uid": text, "value": text,
	}},
	{name: "event_hours", own: true, about: "how much an identity did in an hour", columns: map[string]use{
		"tenant": plain, "product": plain, "format": plain, "log": plain, "uid": text, "app": text, "mail": text, "service": plain, "host": text,
		"name": text, "object_records": text, "object_bytes": text, "named": text, "alone": text, "named_by": text, "paired_by": plain, "heard": plain,
	}},
	{name: "event_days", own: true, about: "how much an identity did on a day", columns: map[string]use{
		"tenant": plain, "product": plain, "log": plain, "uid": text,
	}},
	{name: "event_partners", own: true, about: "how many calls of an identity two products tell of", columns: map[string]use{
		"sort": plain, "tenant": plain, "product": plain, "who": text, "through": plain, "carriers": plain,
	}},
	{name: "event_changes", own: true, about: "how many records an identity changed on a day", columns: map[string]use{
		"tenant": plain, "product": plain, "uid": text,
	}},
	{name: "event_peaks", own: true, about: "how much an identity did in each hour of a day", columns: map[string]use{
		"tenant": plain, "product": plain, "uid": text, "calls_name": text, "bytes_name": text, "records_name": text,
	}},
	{name: "event_callers", own: true, about: "in which hours of a day an identity called an API", columns: map[string]use{
		"tenant": plain, "product": plain, "who": text, "name": text,
	}},
	{name: "event_reads", own: true, about: "what an identity read of an object in the hours of a day", columns: map[string]use{
		"tenant": plain, "product": plain, "uid": text, "object": text,
	}},
	{name: "event_logins", own: true, about: "logins of an identity that did not succeed, by hour", columns: map[string]use{
		"tenant": plain, "product": plain, "log": plain, "code": plain, "network": text, "uid": text, "name": text,
	}},
	{name: "event_services", about: "how much was called of a service in an hour", columns: map[string]use{
		"tenant": plain, "product": plain, "format": plain, "log": plain, "service": plain, "host": text, "heard": plain,
	}},
	{name: "summaries", about: "what auditors were given about a period", columns: map[string]use{
		"summary_uid": plain, "amended": amended, "tenant_uid": plain, "period": plain, "made_by": text, "made_for": plain, "content": text,
		"content_hash": textHash, "chain_head": plain, "file_names": plain, "file_hashes": plain,
	}},
	// The chain holds hashes, and who did what to it. Nothing in it is ever changed.
	{name: "evidence_chain", about: "hashes that prove what was in the tables when", columns: map[string]use{
		"kind": plain, "subject_uid": plain, "content": plain, "content_hash": plain, "previous_hash": plain, "entry_hash": plain,
		"public_key": plain, "signature": plain,
	}},
	{name: "summary_posts", about: "who was told of a summary", columns: map[string]use{
		"summary_uid": plain, "notifier": plain, "state": plain, "repeat": plain, "channel": text, "message_id": plain, "file_state": plain,
		"file_id": plain, "reason": text,
	}},
	{name: "posture_results", about: "what the checks of the posture said", columns: map[string]use{
		"check_id": plain, "title": plain, "metadata_tenant_uid": plain, "metadata_product_name": plain, "verdict": plain, "reason": text,
		"evidence": text, "controls": plain,
	}},
	{name: "known_settings", about: "the settings that crmwatch ran with last", columns: map[string]use{
		"name": plain, "actor": text, "sha256": plain, "settings": text, "before_sha256": plain, "before": text,
	}},
	{name: "legal_holds", about: "what must not be deleted while a matter is open", columns: map[string]use{
		"hold_uid": plain, "created_by": text, "reason": text, "metadata_tenant_uid": plain, "users": text, "entities": text,
		"metadata_product_name": plain, "released_by": text, "release_reason": text,
	}},
	{name: "retention_rules", about: "how long what is kept", columns: map[string]use{
		"applied_by": text, "what": plain, "metadata_tenant_uid": plain,
	}},
	{name: "rule_runs", about: "what a run of a rule did", columns: map[string]use{"rule": plain, "error": text}},
	{name: "rule_coverage", about: "what a rule could look at", columns: map[string]use{
		"rule": plain, "metadata_tenant_uid": plain, "metadata_product_name": plain, "sight": plain, "log_types": plain, "missing": plain,
	}},
	{name: "source_lateness", about: "how late logs came", columns: map[string]use{
		"metadata_tenant_uid": plain, "metadata_product_name": plain, "metadata_log_name": plain,
	}},
	{name: "watermarks", about: "up to where rules have looked", columns: map[string]use{"rule": plain}},
	{name: "self_tests", about: "tests of the rules on invented events", columns: map[string]use{"rule": plain, "test": plain, "problem": plain}},
	{name: "leaders", about: "which instance evaluates the rules", columns: map[string]use{"name": plain, "holder": plain, "state": plain}},
	{name: "deliveries", about: "what agents have delivered", columns: map[string]use{
		"agent_uid": plain, "agent": plain, "events_hash": plain, "quarantine_hash": plain,
	}},
	{name: "schema_migrations", about: "the steps that made these tables", columns: map[string]use{"name": plain}},
	{name: "erasures", about: "that data were erased, without the data", columns: map[string]use{
		"erasure_uid": plain, "actor": text, "reason": text, "method": plain, "state": plain, "subject_hmac": plain, "counts": plain,
	}},
}

// actorColumns are those by which a row is the person's own act.
var actorColumns = []string{"actor_user_uid", "actor_user_name", "actor_user_email_addr"}

// beside are columns that name one person together.
var beside = [][]string{actorColumns, {"user_uid", "user_name"}}
