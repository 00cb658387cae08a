package alerting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"
)

// noticeEvent is the type of the metadata that notices carry, with the summary's uid and version.
const noticeEvent = "crmwatch_summary"

func (s *Slack) notice(n Notice, repeat Repeat) []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(escape(n.text(repeat), maxFallback), false), slack.MsgOptionBlocks(n.blocks(repeat)...),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: noticeEvent, EventPayload: map[string]any{
			"summary_uid": n.Summary.String(), "version": strconv.FormatUint(n.Version, 10),
		}}),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false),
	}
}

// Announce posts a notice with chat.postMessage, once.
func (s *Slack) Announce(ctx context.Context, n Notice, repeat Repeat) (Receipt, error) {
	target := s.channel
	if s.channelID != "" {
		target = s.channelID
	}
	channel, ts, err := s.api.PostMessageContext(ctx, target, s.notice(n, repeat)...)
	if err != nil {
		return Receipt{}, fmt.Errorf("post to Slack: %w", postError(err))
	}
	if ts == "" || channel == "" {
		return Receipt{}, fmt.Errorf("post to Slack: the answer names no message: %w", ErrOutcomeUnknown)
	}
	return Receipt{Channel: channel, Message: ts}, nil
}

// Amend writes a notice again with chat.update.
func (s *Slack) Amend(ctx context.Context, at Receipt, n Notice, repeat Repeat) error {
	if _, _, _, err := s.api.UpdateMessageContext(ctx, at.Channel, at.Message, s.notice(n, repeat)...); err != nil {
		return fmt.Errorf("update in Slack: %w", updateError(err))
	}
	return nil
}

// FindNotice searches the channel for the message whose metadata names the summary.
func (s *Slack) FindNotice(ctx context.Context, n Notice, since time.Time) (Receipt, bool, error) {
	if s.channelID == "" {
		return Receipt{}, false, fmt.Errorf("search channel %s: its id is not known yet: %w", s.channel, ErrCannotFind)
	}
	parameters := slack.GetConversationHistoryParameters{
		ChannelID: s.channelID, IncludeAllMetadata: true, Limit: 200,
		Oldest: strconv.FormatInt(since.Add(-clockSkew).Unix(), 10) + ".000000",
	}
	for range historyPages {
		page, err := s.api.GetConversationHistoryContext(ctx, &parameters)
		if err = findError(err); err != nil {
			return Receipt{}, false, fmt.Errorf("search Slack channel: %w", err)
		}
		for _, m := range page.Messages {
			p := m.Metadata.EventPayload
			if m.Metadata.EventType == noticeEvent && p["summary_uid"] == n.Summary.String() && p["version"] == strconv.FormatUint(n.Version, 10) {
				return Receipt{Channel: s.channelID, Message: m.Timestamp}, true, nil
			}
		}
		if parameters.Cursor = page.ResponseMetaData.NextCursor; parameters.Cursor == "" {
			return Receipt{}, false, nil
		}
	}
	return Receipt{}, false, fmt.Errorf("search Slack channel: too many messages since %s: %w", sayWhen(since), ErrCannotFind)
}

// Upload sends a file to where files.getUploadURLExternal says. Nobody sees it before
// Attach. The token is not sent there.
func (s *Slack) Upload(ctx context.Context, name string, content []byte) (string, error) {
	place, err := s.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: name, FileSize: len(content)})
	if err != nil {
		return "", fmt.Errorf("ask Slack where a file goes: %w", updateError(err))
	}
	u, err := url.Parse(place.UploadURL)
	if err != nil || u.Host == "" || !keepsSecrets(u) || place.FileID == "" {
		return "", errors.New("send a file to Slack: it names no https address for it")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, place.UploadURL, bytes.NewReader(content))
	if err != nil {
		return "", errors.New("send a file to Slack: the address for it cannot be used")
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := s.http.Do(request)
	if err != nil {
		// The error of net/http quotes the address, which lets whoever has it write the file.
		if quoted := (*url.Error)(nil); errors.As(err, &quoted) {
			err = quoted.Err
		}
		return "", fmt.Errorf("send a file to Slack: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("send a file to Slack: HTTP %d", response.StatusCode)
	}
	return place.FileID, nil
}

// Attach shows an uploaded file in the thread of a message, with
// files.completeUploadExternal.
func (s *Slack) Attach(ctx context.Context, at Receipt, file, title string) error {
	_, err := s.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
		Files: []slack.FileSummary{{ID: file, Title: title}}, Channel: at.Channel, ThreadTimestamp: at.Message,
	})
	if err != nil {
		return fmt.Errorf("show a file in Slack: %w", postError(err))
	}
	return nil
}

// Attached looks through the thread for the file.
func (s *Slack) Attached(ctx context.Context, at Receipt, file string) (bool, error) {
	parameters := slack.GetConversationRepliesParameters{ChannelID: at.Channel, Timestamp: at.Message, Limit: 200}
	for range historyPages {
		messages, _, cursor, err := s.api.GetConversationRepliesContext(ctx, &parameters)
		if err = findError(err); err != nil {
			return false, fmt.Errorf("search Slack thread: %w", err)
		}
		for _, m := range messages {
			if slices.ContainsFunc(m.Files, func(f slack.File) bool { return f.ID == file }) {
				return true, nil
			}
		}
		if parameters.Cursor = cursor; cursor == "" {
			return false, nil
		}
	}
	return false, fmt.Errorf("search Slack thread: too many messages: %w", ErrCannotFind)
}
