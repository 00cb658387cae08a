package interaction

import (
	"context"
	"fmt"
	"strings"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/slack-go/slack"
)

// maxCommand is how much of a command's text is read, in bytes.
const maxCommand = 4000

// help is what /crmwatch can do here.
func (h *Handler) help() string {
	var lines []string
	add := func(have bool, words, text string) {
		if have {
			lines = append(lines, fmt.Sprintf("/crmwatch %-14s%s", words, text))
		}
	}
	add(h.options.Status != nil, "status", "what is open, how long each log is silent, which rules are blind")
	add(h.options.Show != nil, "show ALERT", "one alert, by the beginning of its id")
	add(h.options.Show != nil, "show NAME", "the alerts about a user or integration, by a part of its name")
	add(h.options.Silence != nil, "silence ...", "a silence, in the words of crmwatch silences add")
	add(true, "help", "this")
	return strings.Join(lines, "\n")
}

// command takes a slash command.
func (h *Handler) command(c slack.SlashCommand) intake {
	if c.UserID == "" {
		return ignored
	}
	who := asker{
		user: c.UserID, name: c.UserName, team: c.TeamID, enterprise: enterpriseOf(c.IsEnterpriseInstall, c.EnterpriseID),
		channel: c.ChannelID, responseURL: c.ResponseURL,
	}
	text := c.Text
	if len(text) > maxCommand {
		text = text[:maxCommand]
	}
	verb, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	verb, rest = strings.ToLower(verb), strings.TrimSpace(rest)
	queue := h.looks
	if verb == "silence" {
		queue = h.acts
	}
	return h.take(queue, func(ctx context.Context) { h.obey(ctx, who, verb, rest) }, c.TriggerID)
}

// obey answers a command, if the person may.
func (h *Handler) obey(ctx context.Context, who asker, verb, rest string) {
	if reason := h.mayNot(ctx, who); reason != "" {
		actor := h.actor(ctx, who)
		h.options.Log.Warn("somebody asked in Slack who may not", "actor", actor, "command", alerting.Harmless(verb, maxID), "reason", reason)
		h.options.OnLook(ctx, Look{At: h.options.Clock(), Actor: actor, What: alerting.Harmless(verb, maxID), Of: alerting.Harmless(rest, maxName), Refused: reason})
		h.refuse(ctx, who, reason)
		return
	}
	var head, table string
	var err error
	switch {
	case verb == "" || verb == "help":
		head, table = "What /crmwatch can do", h.help()
	case verb == "status" && h.options.Status != nil:
		head = "How things stand"
		table, err = h.options.Status(ctx)
	case verb == "show" && rest == "":
		head = "Say what to show: the beginning of an alert's id, or a part of a user's or integration's name."
	case verb == "show" && h.options.Show != nil:
		head = "Alerts for " + alerting.Harmless(rest, maxName)
		table, err = h.options.Show(ctx, rest)
	case verb == "silence" && h.options.Silence != nil:
		h.silence(ctx, who, rest)
		return
	default:
		head, table = "There is no /crmwatch "+alerting.Harmless(verb, maxID)+". What there is:", h.help()
	}
	if err != nil {
		h.options.Log.Error("cannot answer a command in Slack", "command", verb, "error", err)
		head, table = "This cannot be read now; try again in a minute.", ""
	} else if verb == "status" || verb == "show" && rest != "" {
		h.options.OnLook(ctx, Look{At: h.options.Clock(), Actor: h.actor(ctx, who), What: verb, Of: alerting.Harmless(rest, maxName)})
	}
	h.answer(ctx, who, head, table)
}

func (h *Handler) silence(ctx context.Context, who asker, text string) {
	reply, err := h.options.Silence(ctx, h.actor(ctx, who), text)
	if err != nil {
		h.answer(ctx, who, "There is no new silence.", err.Error())
		return
	}
	h.answer(ctx, who, "Silence", reply)
}
