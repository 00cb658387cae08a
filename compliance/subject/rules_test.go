package subject_test

import (
	"slices"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/compliance/subject"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// attacks are twelve guesses of alice's password and a login, from where nobody else is;
// a spray over fifteen people of whom she is one, from an address of all; and a day on
// which she reads a hundred times as much as on the eleven days before.
var attacks = []string{
	`INSERT INTO events (time, event_uid, ingested_at, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id, status_code,
    actor_user_uid, actor_user_name, src_endpoint_ip, x_src_endpoint_network)
SELECT toDateTime64('2026-03-10 09:00:00', 3, 'UTC') + number * 20 AS time, generateUUIDv4(number), time + 60, 'acme', 'Salesforce', 'Login', 3002, 1,
    if(number < 12, 2, 1), if(number < 12, 'LOGIN_ERROR_INVALID_PASSWORD', 'LOGIN_NO_ERROR'), '0057x000001AbCdAAK', 'Alice@acme.example', '203.0.113.7', '203.0.113.0/24'
FROM numbers(13)`,
	`INSERT INTO events (time, event_uid, ingested_at, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id, status_code,
    actor_user_name, src_endpoint_ip, x_src_endpoint_network)
SELECT toDateTime64('2026-03-11 09:00:00', 3, 'UTC') + number * 20 AS time, generateUUIDv4(number), time + 60, 'acme', 'Salesforce', 'Login', 3002, 1,
    2, 'LOGIN_ERROR_INVALID_PASSWORD', if(number = 7, 'alice@acme.example', concat('user', toString(number), '@acme.example')), '198.51.100.9', '198.51.100.0/24'
FROM numbers(15)`,
	`INSERT INTO events (time, event_uid, ingested_at, metadata_tenant_uid, metadata_product_name, metadata_log_name, class_uid, activity_id, status_id,
    actor_user_uid, actor_user_name, resources_name, x_rows_processed)
SELECT toDateTime64('2026-03-01 12:00:00', 3, 'UTC') + number * 86400 AS time, generateUUIDv4(number), time + 60, 'acme', 'Salesforce', 'API', 6003, 2, 1,
    '0057x000001AbCdAAK', 'alice@acme.example', 'Contact', if(number = 11, 200000, 2000)
FROM numbers(12)`,
}

// TestRulesFindTheSameOfTheToken replays rules before and after: what they find then is
// what is stored, with the same identities and the same evidence.
func TestRulesFindTheSameOfTheToken(t *testing.T) {
	store := enginetest.OpenStore(t)
	for _, statement := range attacks {
		if err := store.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
	all, err := detectors.Load()
	if err != nil {
		t.Fatal(err)
	}
	// The last compares addresses with networks of attackers, where tokens stand now.
	chosen := []string{"brute-force", "password-spray", "rows-spike-day", "known-attacker-clients"}
	rules := slices.DeleteFunc(all, func(r detectors.Rule) bool { return !slices.Contains(chosen, r.ID) })
	replay := func() []schema.Finding {
		t.Helper()
		found, err := detectors.NewRunner(store, rules, detectors.Options{}).Replay(t.Context(), detectors.Window{
			From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := replay()
	if err := detectors.SaveFindings(t.Context(), store, before); err != nil {
		t.Fatal(err)
	}
	if _, err := subject.Erase(t.Context(), store, subject.Erasing{Subject: alice(t), Actor: "bob@soc-1", Reason: "request 3", Folder: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	after := replay()
	var fired []string
	for _, was := range before {
		fired = append(fired, was.Rule)
		i := slices.IndexFunc(after, func(f schema.Finding) bool { return f.Rule == was.Rule && f.WindowFrom.Equal(was.WindowFrom) })
		if i < 0 {
			t.Errorf("%s does not find again what it found at %s", was.Rule, was.FirstSeen)
			continue
		}
		is := after[i]
		if is.Count != was.Count || is.Severity != was.Severity || !is.FirstSeen.Equal(was.FirstSeen) || !is.LastSeen.Equal(was.LastSeen) || len(is.Evidence) != len(was.Evidence) {
			t.Errorf("%s:\nbefore %+v\nafter  %+v", was.Rule, was, is)
		}
	}
	if slices.Sort(fired); !slices.Equal(slices.Compact(fired), []string{"brute-force", "password-spray", "rows-spike-day"}) {
		t.Errorf("fired have %v", fired)
	}
	stored, err := detectors.LoadFindings(t.Context(), store, detectors.FindingFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != len(before) || len(stored) != len(before) {
		t.Errorf("%d findings before, %d after, %d are stored", len(before), len(after), len(stored))
	}
	for _, is := range after {
		i := slices.IndexFunc(stored, func(f schema.Finding) bool { return f.UID == is.UID })
		if i < 0 {
			t.Errorf("%s finds %s of %s, which is not stored", is.Rule, is.UID, is.EntityUID)
			continue
		}
		for _, uid := range is.Evidence {
			if !slices.Contains(stored[i].Evidence, uid) {
				t.Errorf("%s finds with event %s, which the stored finding does not have", is.Rule, uid)
				break
			}
		}
	}
}
