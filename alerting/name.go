package alerting

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// maxName is how much of a name is shown, in characters.
const maxName = 200

// maxTitle is how much of an alert's title is shown, in characters.
const maxTitle = 700

// products lists the products in which the story took place.
func products(a schema.Alert) string {
	return shown(strings.Join(productList(a), ", "), maxName)
}

func productList(a schema.Alert) []string {
	var names []string
	for _, f := range a.Findings {
		if f.Product != "" {
			names = addNew(names, []string{f.Product})
		}
	}
	return names
}

func tenantName(a schema.Alert) string {
	if a.TenantUID == "" {
		return ""
	}
	return "tenant " + shown(a.TenantUID, maxName)
}

// idName is what an alert's entity is, with its uid where that is not its name.
func idName(a schema.Alert) string {
	if a.EntityUID == "" || a.EntityUID == a.Entity {
		return shown(a.EntityType, maxName)
	}
	return strings.TrimSpace(shown(a.EntityType, maxName) + " " + shown(a.EntityUID, maxName))
}

func ruleName(rule string) string { return shown(rule, maxName) }
