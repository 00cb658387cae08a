package alerting

import (
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// TrialRule is the rule of messages that people send to see whether they arrive.
const TrialRule = "notify-test"

// Trial is an alert that says of itself that nothing has happened.
func Trial(by string, now time.Time) schema.Alert {
	now = now.UTC().Truncate(time.Second)
	f := schema.Finding{
		DetectedAt: now, Rule: TrialRule, Severity: schema.SeverityInformational, Title: "Test message",
		Message:    "Sent by `crmwatch notify test`. Nothing has happened, and nothing needs to be done: alerts arrive where this message stands.",
		EntityType: "notifier", Entity: by, EntityUID: by, WindowFrom: now, WindowTo: now, FirstSeen: now, LastSeen: now,
	}
	f.UID = schema.FindingUID(f.Rule, "", f.EntityType, f.EntityUID, now)
	return schema.Alert{
		UID: schema.HashUID("trial", by, now.Format(time.RFC3339Nano)), Version: 1, UpdatedAt: now, Status: schema.AlertOpen, Severity: f.Severity,
		Title: "TEST: nothing has happened", EntityType: f.EntityType, EntityUID: by, Entity: by, FirstSeen: now, LastSeen: now,
		FindingUIDs: []schema.UID{f.UID}, Findings: []schema.Finding{f},
	}
}

func isTrial(a schema.Alert) bool { return len(a.Findings) == 1 && a.Findings[0].Rule == TrialRule }
