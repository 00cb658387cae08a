package schema

// OCSF 1.8.0 class_uid values that crmwatch uses.
const (
	ClassAccountChange        = 3001
	ClassAuthentication       = 3002
	ClassEntityManagement     = 3004
	ClassUserAccess           = 3005
	ClassGroupManagement      = 3006
	ClassHTTPActivity         = 4002
	ClassWebResources         = 6001
	ClassApplicationLifecycle = 6002
	ClassAPIActivity          = 6003
	ClassDatastoreActivity    = 6005
	ClassFileHosting          = 6006
	ClassApplicationError     = 6008
	ClassDetectionFinding     = 2004
)

// OwnProduct is the metadata_product_name of what is done with crmwatch itself.
const OwnProduct = "crmwatch"

// OCSF status_id values. A challenge (MFA asked, not yet answered) is Other:
// it is neither a success nor a failed guess.
const (
	StatusUnknown = 0
	StatusSuccess = 1
	StatusFailure = 2
	StatusOther   = 99
)

// ActivityOther is OCSF's activity_id for an activity the class does not list.
const ActivityOther = 99

// OCSF 3002 Authentication activity_id values.
const (
	AuthLogon         = 1
	AuthLogoff        = 2
	AuthAccountSwitch = 7
)

// OCSF 6003 API Activity activity_id values (also 3004's first four).
const (
	APICreate = 1
	APIRead   = 2
	APIUpdate = 3
	APIDelete = 4
)

// OCSF user.type_id values.
const (
	UserTypeUser    = 1
	UserTypeAdmin   = 2
	UserTypeSystem  = 3
	UserTypeService = 4
	UserTypeOther   = 99
)

// OCSF action_id values of the security_control profile.
const (
	ActionAllowed = 1
	ActionDenied  = 2
)

// Severity is OCSF's severity_id.
type Severity uint8

// The severities that crmwatch gives.
const (
	SeverityUnknown       Severity = 0
	SeverityInformational Severity = 1
	SeverityLow           Severity = 2
	SeverityMedium        Severity = 3
	SeverityHigh          Severity = 4
	SeverityCritical      Severity = 5
)

var severityNames = [...]string{"unknown", "informational", "low", "medium", "high", "critical"}

// String is the severity's name in lower case.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return severityNames[0]
}

// ParseSeverity reads a severity's name; "info" is short for informational.
func ParseSeverity(name string) (Severity, bool) {
	if name == "info" {
		return SeverityInformational, true
	}
	for i, known := range severityNames {
		if i > 0 && known == name {
			return Severity(i), true
		}
	}
	return SeverityUnknown, false
}
