package audit

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// class is what an act is in OCSF 1.8.0.
type class struct{ class, activity uint64 }

// classOf reads an action as NOUN.VERB. Logins are Authentication (3002), the program's
// life is Application Lifecycle (6002), what is done with collected data is Datastore
// Activity (6005), and all else is Entity Management (3004). A verb that is not known is
// the activity Other.
func classOf(action string) class {
	noun, verb, _ := strings.Cut(action, ".")
	switch noun {
	case "login":
		return class{schema.ClassAuthentication, schema.AuthLogon}
	case "crmwatch":
		return class{schema.ClassApplicationLifecycle, activityOf(verb, lifecycleActivities)}
	case "events", "subject", "command", "statement":
		return class{schema.ClassDatastoreActivity, activityOf(verb, datastoreActivities)}
	}
	return class{schema.ClassEntityManagement, activityOf(verb, entityActivities)}
}

func activityOf(verb string, activities map[string]uint64) uint64 {
	if activity, known := activities[verb]; known {
		return activity
	}
	return schema.ActivityOther
}

// lifecycleActivities are those of OCSF 6002 Application Lifecycle.
var lifecycleActivities = map[string]uint64{"start": 3, "stop": 4, "restart": 5, "migrate": 8}

// datastoreActivities are those of OCSF 6005 Datastore Activity.
var datastoreActivities = map[string]uint64{
	"read": 1, "export": 1, "find": 4, "query": 4, "run": 4, "refuse": 4, "write": 5, "ingest": 5, "load": 5, "erase": 7, "delete": 7, "expire": 7, "list": 8, "encrypt": 9, "decrypt": 10,
}

// entityActivities are those of OCSF 3004 Entity Management.
var entityActivities = map[string]uint64{
	"add": 1, "create": 1, "make": 1, "made": 1, "issue": 1, "open": 1,
	"read": 2, "show": 2, "show_evidence": 2, "list": 2, "verify": 2, "load": 2,
	"change": 3, "update": 3, "acknowledge": 3, "snooze": 3, "resolve": 3, "false_positive": 3, "reopen": 3, "renew": 3, "extend": 3, "send": 3, "post": 3,
	"remove": 4, "delete": 4, "destroy": 4, "erase": 4, "revoke": 4,
	"enroll": 6, "unenroll": 7, "enable": 8, "disable": 9, "activate": 10, "deactivate": 11, "expire": 11, "release": 11, "lift": 11,
}
