package alerting

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"
)

// changeEvent is the type of the metadata that every reply carries, with the alert's
// uid and version.
const changeEvent = "crmwatch_change"

// Reply posts a change into the thread of an alert's message.
func (s *Slack) Reply(ctx context.Context, at Receipt, c Change, repeat Repeat) error {
	text := c.Text
	if label := repeatLabels[repeat]; label != "" {
		text = label + "\n" + text
	}
	options := []slack.MsgOption{
		slack.MsgOptionTS(at.Message), slack.MsgOptionText(escape(text, maxFallback), false),
		slack.MsgOptionBlocks(slack.NewSectionBlock(plainObject(text, maxSection), nil, nil)),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: changeEvent, EventPayload: map[string]any{
			"alert_uid": c.Alert.String(), "version": strconv.FormatUint(c.Version, 10),
		}}),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false),
	}
	if c.Broadcast {
		options = append(options, slack.MsgOptionBroadcast())
	}
	_, ts, err := s.api.PostMessageContext(ctx, at.Channel, options...)
	if err != nil {
		return fmt.Errorf("reply in Slack: %w", postError(err))
	}
	if ts == "" {
		return fmt.Errorf("reply in Slack: the answer names no message: %w", ErrOutcomeUnknown)
	}
	return nil
}

// FindReply searches the thread for the reply whose metadata names the change.
func (s *Slack) FindReply(ctx context.Context, at Receipt, c Change, since time.Time) (bool, error) {
	parameters := slack.GetConversationRepliesParameters{
		ChannelID: at.Channel, Timestamp: at.Message, IncludeAllMetadata: true, Limit: 200,
		Oldest: strconv.FormatInt(since.Add(-clockSkew).Unix(), 10) + ".000000",
	}
	for range historyPages {
		messages, _, cursor, err := s.api.GetConversationRepliesContext(ctx, &parameters)
		if err = findError(err); err != nil {
			return false, fmt.Errorf("search Slack thread: %w", err)
		}
		for _, m := range messages {
			p := m.Metadata.EventPayload
			if m.Metadata.EventType == changeEvent && p["alert_uid"] == c.Alert.String() && p["version"] == strconv.FormatUint(c.Version, 10) {
				return true, nil
			}
		}
		if parameters.Cursor = cursor; cursor == "" {
			return false, nil
		}
	}
	return false, errors.Join(errors.New("search Slack thread: too many messages"), ErrCannotFind)
}
