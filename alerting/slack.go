package alerting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// SlackOptions configure a Slack notifier. Token and Channel are needed.
type SlackOptions struct {
	// APIURL is the Web API's address, https://slack.com/api/ by default. Plain
	// http is taken for the loopback only.
	APIURL string
	Token  Token
	// Name is the notifier's name, "slack" by default.
	Name string
	// Channel is a channel's id (C0123456789) or its name. With an id, a message
	// whose answer was lost can be looked up from the first one on.
	Channel string
	// Runbook gives the next steps for a rule; nil leaves them out.
	Runbook func(rule string) []string
	// NotSeen lists the rules about an entity type that have no log to look at; nil
	// leaves them out.
	NotSeen func(entityType string) []string
	// Buttons offers in each message what a person can do; only where an
	// interaction.Handler listens.
	Buttons bool
	// HTTPClient is used as given, but without following redirects, which would
	// carry the token elsewhere. The default has a timeout of 15 s and TLS 1.2 or newer.
	HTTPClient *http.Client
	Log        *slog.Logger
}

const (
	slackTimeout = 15 * time.Second
	// slackPace keeps under Slack's limit of about one message a second and channel.
	slackPace = time.Second
	// maxReply is how much of an answer is read: a page of history is the largest.
	maxReply = 16 << 20
	// historyPages is how many pages are searched for a message.
	historyPages = 10
	// clockSkew is how far Slack's clock may differ from ours.
	clockSkew = 5 * time.Minute
)

// Slack is the notifier that posts to one Slack channel: one message an alert,
// updated in place.
type Slack struct {
	api *slack.Client
	// http sends files; it follows no redirect.
	http      *http.Client
	channel   string
	channelID string
	runbook   func(rule string) []string
	notSeen   func(entityType string) []string
	buttons   bool
	log       *slog.Logger
	name      string
}

// NewSlack makes a Slack notifier. It does not connect; Check does.
func NewSlack(o SlackOptions) (*Slack, error) {
	api, client, err := SlackClient(o, "")
	if err != nil {
		return nil, err
	}
	channel := strings.TrimPrefix(o.Channel, "#")
	if channel == "" {
		return nil, errors.New("configure Slack: no channel: give its id (shown at the end of the channel's details, C0123456789) or its name")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Slack{api: api, http: client, channel: channel, runbook: o.Runbook, notSeen: o.NotSeen, buttons: o.Buttons, log: o.Log, name: cmp.Or(o.Name, "slack")}
	if isChannelID(channel) {
		s.channelID = channel
	}
	return s, nil
}

func checkAPIURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("API URL %q is not a URL: use https://slack.com/api/", text)
	}
	if u.User != nil || u.RawQuery != "" {
		return "", errors.New("API URL: it must hold no user, password or query")
	}
	if !keepsSecrets(u) {
		return "", fmt.Errorf("API URL %q would send the token unencrypted: use https", text)
	}
	return strings.TrimSuffix(text, "/") + "/", nil
}

func slackHTTP(client *http.Client) *http.Client {
	own := postClient(client, slackTimeout)
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = boundedReplies{own.Transport}
	return own
}

// boundedReplies keeps a hostile or broken server from filling the memory.
type boundedReplies struct{ next http.RoundTripper }

func (b boundedReplies) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxReply), response.Body}
	}
	return response, err
}

// Name is "slack", unless it was given another.
func (s *Slack) Name() string { return s.name }

// Pace is one second.
func (s *Slack) Pace() time.Duration { return slackPace }

// Post sends an alert with chat.postMessage, once.
func (s *Slack) Post(ctx context.Context, a schema.Alert, repeat Repeat) (Receipt, error) {
	target := s.channel
	if s.channelID != "" {
		target = s.channelID
	}
	channel, ts, err := s.api.PostMessageContext(ctx, target, s.message(a, repeat)...)
	if err != nil {
		return Receipt{}, fmt.Errorf("post to Slack: %w", postError(err))
	}
	if ts == "" || channel == "" {
		return Receipt{}, fmt.Errorf("post to Slack: the answer names no message: %w", ErrOutcomeUnknown)
	}
	s.channelID = channel
	return Receipt{Channel: channel, Message: ts}, nil
}

// Update changes the message with chat.update.
func (s *Slack) Update(ctx context.Context, at Receipt, a schema.Alert, repeat Repeat) error {
	_, ts, _, err := s.api.UpdateMessageContext(ctx, at.Channel, at.Message, s.message(a, repeat)...)
	if err != nil {
		return fmt.Errorf("update in Slack: %w", updateError(err))
	}
	if ts == "" {
		return errors.New("update in Slack: the answer names no message")
	}
	return nil
}

// message says "parse" and "link_names" every time: chat.update has other
// defaults for them than chat.postMessage, under which it would make mentions and
// links of log text.
func (s *Slack) message(a schema.Alert, repeat Repeat) []slack.MsgOption {
	m := BuildMessage(a, MessageOptions{Runbook: s.runbook, NotSeen: s.notSeen, Repeat: repeat, Buttons: s.buttons})
	return []slack.MsgOption{
		slack.MsgOptionText(m.Text, false), slack.MsgOptionBlocks(m.Blocks...), slack.MsgOptionMetadata(m.Metadata),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false),
	}
}

// Find searches conversations.history for the message whose metadata names the alert.
func (s *Slack) Find(ctx context.Context, alert schema.UID, since time.Time) (Receipt, bool, error) {
	if s.channelID == "" {
		return Receipt{}, false, fmt.Errorf("search channel %s: its id is not known yet: %w", s.channel, ErrCannotFind)
	}
	parameters := slack.GetConversationHistoryParameters{
		ChannelID: s.channelID, IncludeAllMetadata: true, Limit: 200,
		Oldest: strconv.FormatInt(since.Add(-clockSkew).Unix(), 10) + ".000000",
	}
	for range historyPages {
		page, err := s.api.GetConversationHistoryContext(ctx, &parameters)
		if err = findError(err); errors.Is(err, ErrCannotFind) {
			s.log.Warn("cannot look in the channel whether an alert was posted", "channel", s.channelID, "alert_uid", alert.String(), "error", err)
		}
		if err != nil {
			return Receipt{}, false, fmt.Errorf("search Slack channel: %w", err)
		}
		for _, m := range page.Messages {
			if m.Metadata.EventType == metadataEvent && m.Metadata.EventPayload["alert_uid"] == alert.String() {
				return Receipt{Channel: s.channelID, Message: m.Timestamp}, true, nil
			}
		}
		if parameters.Cursor = page.ResponseMetaData.NextCursor; parameters.Cursor == "" {
			return Receipt{}, false, nil
		}
	}
	return Receipt{}, false, fmt.Errorf("search Slack channel: too many messages since %s: %w", sayWhen(since), ErrCannotFind)
}

// SlackIdentity is whom a token belongs to and where its messages go.
type SlackIdentity struct{ Team, User, Channel string }

// Check asks Slack whether token and channel are good; it sends no message.
func (s *Slack) Check(ctx context.Context) (SlackIdentity, error) {
	auth, err := s.api.AuthTestContext(ctx)
	if err != nil {
		return SlackIdentity{}, fmt.Errorf("check Slack token: %w", findError(err))
	}
	identity := SlackIdentity{Team: auth.Team, User: auth.User, Channel: channelName(s.channel)}
	if s.channelID == "" {
		return identity, nil
	}
	channel, err := s.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: s.channelID})
	if err != nil {
		return identity, fmt.Errorf("check Slack channel %s: %w", s.channelID, findError(err))
	}
	identity.Channel = channelName(channel.Name)
	switch {
	case channel.IsArchived:
		return identity, fmt.Errorf("check Slack channel %s: %w", identity.Channel, refused("is_archived"))
	case !channel.IsMember:
		return identity, fmt.Errorf("check Slack channel %s: %w", identity.Channel, refused("not_in_channel"))
	}
	return identity, nil
}
