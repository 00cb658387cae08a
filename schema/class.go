package schema

import (
	"slices"
	"strconv"
	"strings"
)

// classNames are the names of OCSF's classes, as its schema has them, of those that
// crmwatch uses.
var classNames = map[uint16]string{
	ClassAccountChange: "account_change", ClassAuthentication: "authentication", ClassEntityManagement: "entity_management",
	ClassUserAccess: "user_access", ClassGroupManagement: "group_management", ClassHTTPActivity: "http_activity",
	ClassWebResources: "web_resources_activity", ClassAPIActivity: "api_activity", ClassDatastoreActivity: "datastore_activity",
	ClassFileHosting: "file_hosting", ClassApplicationError: "application_error", ClassDetectionFinding: "detection_finding",
	ClassApplicationLifecycle: "application_lifecycle",
}

// ClassName is the name of a class, or its number where crmwatch has no name for it.
func ClassName(class uint16) string {
	if name, known := classNames[class]; known {
		return name
	}
	return ClassText(class)
}

// ClassText is a class in SQL.
func ClassText(class uint16) string { return strconv.Itoa(int(class)) }

// ParseClass reads the name of a class or its class_uid.
func ParseClass(text string) (class uint16, ok bool) {
	text = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "_")
	for class, name := range classNames {
		if name == text {
			return class, true
		}
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil && n >= 1000
}

// ClassNames lists the names that ParseClass reads.
func ClassNames() []string {
	names := make([]string, 0, len(classNames))
	for _, name := range classNames {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
