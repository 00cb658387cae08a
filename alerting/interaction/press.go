package interaction

import (
	"context"
	"errors"
	"fmt"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// actionShow is how a refused look at the evidence is recorded.
const actionShow schema.AlertAction = "show_evidence"

// press takes what was done with a button or a menu.
func (h *Handler) press(c slack.InteractionCallback) intake {
	if c.Type != slack.InteractionTypeBlockActions || len(c.ActionCallback.BlockActions) != 1 {
		return ignored
	}
	action := c.ActionCallback.BlockActions[0]
	value := action.Value
	if action.SelectedOption.Value != "" {
		value = action.SelectedOption.Value
	}
	if c.User.ID == "" || action.ActionTs == "" {
		return ignored
	}
	who := asker{
		user: c.User.ID, name: c.User.Name, team: c.Team.ID, home: c.User.TeamID, enterprise: enterpriseOf(c.IsEnterpriseInstall, c.Enterprise.ID),
		channel: c.Channel.ID, responseURL: c.ResponseURL,
	}
	button, err := alerting.ReadButton(action.ActionID, value)
	queue := h.acts
	if err != nil || button.Action == "" {
		queue = h.looks
	}
	task := func(ctx context.Context) { h.use(ctx, who, button, err, action.ActionTs) }
	// A trigger is used once by Slack, and an action has one time for one person.
	return h.take(queue, task, c.TriggerID, schema.HashUID("press", action.ActionTs, c.User.ID, action.ActionID, value).String())
}

func enterpriseOf(installed bool, id string) string {
	if !installed {
		return ""
	}
	return id
}

// use does what a button stands for, if the person may.
func (h *Handler) use(ctx context.Context, who asker, button alerting.Button, unreadable error, actionTS string) {
	if unreadable != nil {
		h.options.Log.Warn("a button was pressed in Slack that is not understood", "user", alerting.Harmless(who.user, maxID), "error", unreadable)
		h.answer(ctx, who, "Nothing was done: "+unreadable.Error()+".", "")
		return
	}
	now := h.options.Clock()
	r := schema.AlertRequest{
		UID: schema.HashUID(schema.ViaSlack, actionTS, who.user, button.Alert.String(), string(button.Action)),
		At:  now, Alert: button.Alert, Action: button.Action, Actor: h.actor(ctx, who), Via: schema.ViaSlack,
	}
	if button.Action == "" {
		r.Action = actionShow
	}
	if button.Snooze > 0 {
		r.Until = now.Add(button.Snooze)
	}
	if reason := h.mayNot(ctx, who); reason != "" {
		h.options.Log.Warn("somebody asked in Slack who may not", "actor", r.Actor, "action", string(r.Action), "alert_uid", r.Alert.String(), "reason", reason)
		if err := h.options.Refuse(ctx, r, reason); err != nil {
			h.options.Log.Error("cannot record that somebody was refused", "actor", r.Actor, "action", string(r.Action), "alert_uid", r.Alert.String(), "error", err)
		}
		h.refuse(ctx, who, reason)
		return
	}
	if button.Action == "" {
		h.show(ctx, who, r)
		return
	}
	t, err := h.options.Request(ctx, r)
	switch {
	case errors.Is(err, ErrLater):
		h.answer(ctx, who, "It is written down, and will be done as soon as an instance of crmwatch leads.", "")
	case err != nil:
		h.options.Log.Error("cannot do what somebody asked for in Slack", "actor", r.Actor, "action", string(r.Action), "alert_uid", r.Alert.String(), "error", err)
		h.answer(ctx, who, "It is not sure that this was done: the database does not answer as it should. Look at the message in a minute, and try again if it has not changed.", "")
	case t.Refused != "":
		h.answer(ctx, who, fmt.Sprintf("Nothing was done: %s.", t.Refused), "")
	}
	// What was done is seen in the message and in its thread.
}

// show answers with the rows that an alert is made of.
func (h *Handler) show(ctx context.Context, who asker, r schema.AlertRequest) {
	if h.options.Evidence == nil {
		h.answer(ctx, who, "The evidence cannot be shown here.", "")
		return
	}
	table, err := h.options.Evidence(ctx, r.Alert)
	if err != nil {
		h.options.Log.Error("cannot show evidence in Slack", "alert_uid", r.Alert.String(), "error", err)
		h.answer(ctx, who, "The evidence cannot be read now; try again in a minute.", "")
		return
	}
	h.options.OnLook(ctx, Look{At: r.At, Actor: r.Actor, What: "evidence", Of: r.Alert.String()})
	h.answer(ctx, who, "Evidence of alert "+r.Alert.String(), table)
}
