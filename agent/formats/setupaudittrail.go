package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// setupAuditTrail is Salesforce's SetupAuditTrail: from the API (JSON, or CSV with
// the object's field names), or as downloaded from the page View Setup Audit Trail,
// whose column Action is the sentence that the API calls Display.
var setupAuditTrail = Format{
	Name:   setupAuditTrailObject.format,
	Title:  "Salesforce SetupAuditTrail (JSON or CSV)",
	Detect: setupAuditTrailObject.detect,
	New:    setupAuditTrailObject.decoder,
}

var setupAuditTrailObject = salesforceObject{
	format:    "salesforce-setup-audit-trail",
	object:    "SetupAuditTrail",
	times:     []string{"createddate", "date"},
	needs:     [][]string{{"createddate", "action", "section"}, {"createddate", "action", "display"}, {"date", "user", "action", "section"}},
	languages: setupAuditLanguages,
	columns: []salesforceColumn{
		textColumn("id", schema.MetadataOriginalEventUID),
		idColumn("organizationid", schema.MetadataTenantUID),
		idColumn("createdbyid", schema.ActorUserUID),
		textColumn("createdbyusername", schema.ActorUserName),
		textColumn("createdbyname", schema.ActorUserName),
		textColumn("createdby", schema.ActorUserName),
		textColumn("user", schema.ActorUserName),
		textColumn("action", schema.APIOperation),
		textColumn("display", schema.Message),
		textColumn("section", schema.ResourcesType),
	},
	finish: finishAudit,
}

// finishAudit tells what was changed: by the action's code, or in a download by
// the first words of its sentence.
func finishAudit(r *salesforceReader) {
	e := r.event
	r.outcome.succeeded = true
	action := e.Text[schema.APIOperation]
	if strings.IndexByte(action, ' ') >= 0 && e.Text[schema.Message] == "" {
		e.Text[schema.Message], e.Text[schema.APIOperation] = action, ""
	} else if action != "" {
		e.Text[schema.MetadataEventCode] = action
	}
	plain := plainName(action)
	e.Number[schema.ClassUID] = schema.ClassEntityManagement
	e.Number[schema.ActivityID] = prefixActivity(plain, entityActivities)
	if plainName(e.Text[schema.ResourcesType]) == "manageusers" {
		if activity := prefixActivity(plain, accountActivities); activity != schema.ActivityOther {
			e.Number[schema.ClassUID] = schema.ClassAccountChange
			e.Number[schema.ActivityID] = activity
		}
	}
	setupNames(r)
}

// prefixActivities are activity_id values by how an action's plain name begins
// (createdConnectedApp) or ends (PermSetCreate); the first that fits counts.
type prefixActivities []struct {
	word     string
	activity uint64
}

func prefixActivity(plain string, activities prefixActivities) uint64 {
	for _, a := range activities {
		if strings.HasPrefix(plain, a.word) {
			return a.activity
		}
	}
	for _, a := range activities {
		if strings.HasSuffix(plain, a.word) {
			return a.activity
		}
	}
	return schema.ActivityOther
}

// accountActivities are those of OCSF 3001 Account Change.
var accountActivities = prefixActivities{
	{"createduser", 1}, {"creatednewuser", 1}, {"activateduser", 2}, {"reactivateduser", 2},
	{"changedpassword", 3}, {"resetpassword", 4}, {"deactivateduser", 5}, {"deleteduser", 6},
	{"frozeuser", 9}, {"unfrozeuser", 12}, {"unlockeduser", 12},
}

// entityActivities are those of OCSF 3004 Entity Management.
var entityActivities = prefixActivities{
	{"created", 1}, {"create", 1}, {"added", 1}, {"add", 1}, {"new", 1}, {"inserted", 1}, {"installed", 1}, {"install", 1}, {"generate", 1}, {"upload", 1},
	{"viewed", 2}, {"exported", 2}, {"downloaded", 2},
	{"changed", 3}, {"change", 3}, {"updated", 3}, {"update", 3}, {"edited", 3}, {"modified", 3}, {"rotate", 3}, {"set", 3},
	{"deleted", 4}, {"delete", 4}, {"removed", 4}, {"remove", 4}, {"revoked", 4}, {"destroy", 4}, {"uninstall", 4},
	{"enabled", 8}, {"disabled", 9}, {"activated", 10}, {"deactivated", 11},
}
