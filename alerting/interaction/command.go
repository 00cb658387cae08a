package interaction

import (
	"context"
	"strings"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/slack-go/slack"
)

// maxCommand is how much of a command's text is read, in bytes.
const maxCommand = 4000

const commandHelp = `/crmwatch status                what is open, which logs are late, which rules are blind
/crmwatch show ALERT            one alert, by the beginning of its id
/crmwatch show ENTITY           the alerts about a user or integration, by a part of the name
/crmwatch silence ...           as crmwatch silences add on the command line
/crmwatch help                  this`

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
		h.options.Log.Warn("somebody asked in Slack who may not", "actor", h.actor(ctx, who), "command", alerting.Harmless(verb, maxID), "reason", reason)
		h.refuse(ctx, who, reason)
		return
	}
	var head, table string
	var err error
	switch {
	case verb == "" || verb == "help":
		head, table = "What /crmwatch can do", commandHelp
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
		head, table = "There is no /crmwatch "+alerting.Harmless(verb, maxID)+". What there is:", commandHelp
	}
	if err != nil {
		h.options.Log.Error("cannot answer a command in Slack", "command", verb, "error", err)
		head, table = "This cannot be read now; try again in a minute.", ""
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
