package schema

import "time"

// AlertAction is what happens to an alert.
type AlertAction string

// The actions that a person may ask for.
const (
	ActionAcknowledge   AlertAction = "acknowledge"
	ActionSnooze        AlertAction = "snooze"
	ActionResolve       AlertAction = "resolve"
	ActionFalsePositive AlertAction = "false_positive"
	ActionReopen        AlertAction = "reopen"
)

// The actions that happen by themselves.
const (
	// ActionOpen: the first finding came.
	ActionOpen AlertAction = "open"
	// ActionJoin: findings joined, or another alert did.
	ActionJoin AlertAction = "join"
	// ActionRaise: the severity rose; a snooze ends by it.
	ActionRaise AlertAction = "raise"
	// ActionAbovePeak: an episode rose to twice the peak of which people were told; a snooze
	// ends by it.
	ActionAbovePeak AlertAction = "above_peak"
	// ActionMerge: the alert goes on in an earlier one.
	ActionMerge AlertAction = "merge"
	// ActionWake: a snooze is over.
	ActionWake AlertAction = "wake"
	// ActionAutoResolve: nothing joined for the set time.
	ActionAutoResolve AlertAction = "auto_resolve"
)

// ViaItself marks what no person asked for; ViaCLI and ViaSlack where one did.
const (
	ViaItself = "crmwatch"
	ViaCLI    = "cli"
	ViaSlack  = "slack"
)

// AlertRequest is what a person asks to be done with an alert.
type AlertRequest struct {
	// UID tells one request from another; the same request twice is done once.
	UID   UID
	At    time.Time
	Alert UID
	// Action is one of those that a person may ask for.
	Action AlertAction
	// Actor is who asks, as people are shown it: "root@soc-1", "Mira (U0123ABC)".
	Actor string
	Via   string
	Note  string
	// Until is the end of a snooze.
	Until time.Time
}

// AlertTransition is one thing that has happened to an alert, or was refused.
type AlertTransition struct {
	UID   UID
	Alert UID
	At    time.Time
	// Version is the alert's version that it made, 0 where it was refused.
	Version      uint64
	Action       AlertAction
	From, To     AlertStatus
	FromSeverity Severity
	ToSeverity   Severity
	Actor        string
	Via          string
	Note         string
	Until        time.Time
	// Findings are those that joined.
	Findings []UID
	// Refused is why nothing was done; empty where it was.
	Refused string
}
