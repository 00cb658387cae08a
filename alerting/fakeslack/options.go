package fakeslack

import "time"

// Channel is a channel of the workspace.
type Channel struct {
	// ID begins with C, as Slack's do.
	ID, Name string
	// NotMember: the app was not invited.
	NotMember bool
	Archived  bool
}

// Options configure a server; the zero value has the channel #security-alerts
// (C0SECURITY1) and takes any bot token.
type Options struct {
	// Token is the only token taken; "" takes every token that begins with xoxb-.
	Token    string
	Channels []Channel
	// Users are DefaultUsers where none are given.
	Users  []User
	Groups []UserGroup
	// WithoutScopes are permissions that the app lacks, such as files:write.
	WithoutScopes []string
	// Clock stamps messages; time.Now by default.
	Clock func() time.Time
	// OnMessage is called with every message that was posted or updated, once it
	// stands in its channel, and with what one person is told.
	OnMessage func(Message)
	// AppToken is the only app-level token taken; "" takes every one.
	AppToken string
	// InteractivityURL and CommandURL get interactions and slash commands as requests
	// that are signed with SigningSecret; "" sends them by Socket Mode.
	InteractivityURL, CommandURL, SigningSecret string
	// VerificationToken stands in every payload: Slack still sends it, and it is a secret.
	VerificationToken string
	// Team is the workspace that interactions say they come from, TeamID by default.
	Team string
	// AckWithin is how long an interaction waits for its acknowledgement, 3 s by default.
	AckWithin time.Duration
	// OnConnect is called when a Socket Mode connection has been greeted.
	OnConnect func()
}

// DefaultChannel is the channel that a server has when none is given.
var DefaultChannel = Channel{ID: "C0SECURITY1", Name: "security-alerts"}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if len(o.Channels) == 0 {
		o.Channels = []Channel{DefaultChannel}
	}
	if len(o.Users) == 0 {
		o.Users = DefaultUsers
	}
	if o.Team == "" {
		o.Team = TeamID
	}
	if o.AckWithin == 0 {
		o.AckWithin = 3 * time.Second
	}
	return o
}
