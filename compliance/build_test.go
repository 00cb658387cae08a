package compliance

import (
	"context"
	"testing"

	"github.com/crmwatch/crmwatch/engine/enginetest"
)

const someLogins = `INSERT INTO events (time, event_uid, class_uid, activity_id, status_id, actor_user_uid, metadata_tenant_uid, metadata_product_name)
SELECT toDateTime64('2026-02-27 00:00:00', 3, 'UTC') + INTERVAL number HOUR, generateUUIDv4(), 3002, 1, if(number % 10 = 0, 2, 1), concat('u', toString(number % 3)), 'acme', 'Salesforce'
FROM numbers(200)`

// Every statement that ships answers on empty tables and says why there is nothing.
func TestBuiltinStatementsOnEmptyTables(t *testing.T) {
	store := enginetest.OpenStore(t)
	s, err := Build(context.Background(), store, Options{Tenant: "acme", Period: march(t), Sections: builtin(t), Controls: knownControls(t), Version: "v1", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for section, answer := range s.Content.answers {
		if answer.Problem != "" {
			t.Errorf("%s, %s: %s", section.ID, answer.ID, answer.Problem)
		}
		if answer.Show != ShowFigures && len(answer.Rows) == 0 && answer.Empty == "" {
			t.Errorf("%s, %s is empty and does not say why", section.ID, answer.ID)
		}
	}
}

func TestBuildAnswersStatements(t *testing.T) {
	store := enginetest.OpenStore(t)
	storeEvents(t, store, someLogins)
	s, err := Build(context.Background(), store, Options{Tenant: "acme", Period: march(t), Sections: builtin(t), Controls: knownControls(t), Version: "v1", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	var logins Answer
	for _, answer := range s.Content.answers {
		if answer.ID == "logins" {
			logins = answer
		}
	}
	if want := "15 of 152 logins failed (9.9 %), by 3 users."; logins.Sentence != want {
		t.Errorf("says %q, want %q (%s)", logins.Sentence, want, logins.Problem)
	}
	if len(logins.Before) != 3 || isNothing(logins.Before[0]) {
		t.Errorf("the month before had 48 logins, told are %v", logins.Before)
	}
	text, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(text); err != nil {
		t.Errorf("its own JSON: %v", err)
	}
}
