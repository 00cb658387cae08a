package interaction

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// mayNot says why the asker may do nothing here; "" is that all is allowed.
func (h *Handler) mayNot(ctx context.Context, who asker) string {
	if reason := h.team.foreign(ctx, who); reason != "" {
		return reason
	}
	if slices.Contains(h.options.AllowedUsers, who.user) {
		return ""
	}
	for _, group := range h.options.AllowedGroups {
		members, err := h.groups.members(ctx, group)
		if err != nil {
			h.options.Log.Warn("cannot ask Slack who is in a group", "group", group, "error", plainError(err))
			return "Slack does not say who is in the group that may; try again in a minute"
		}
		if slices.Contains(members, who.user) {
			return ""
		}
	}
	return "you are not among those who may"
}

// refuse tells the asker why nothing was done, and who may. The names are mentions of
// ids from the configuration, which Slack shows by name; nobody else sees the message.
func (h *Handler) refuse(ctx context.Context, who asker, reason string) {
	var may []string
	for _, user := range h.options.AllowedUsers {
		may = append(may, "<@"+user+">")
	}
	for _, group := range h.options.AllowedGroups {
		may = append(may, "<!subteam^"+group+">")
	}
	if more := len(may) - maxNamed; more > 0 {
		may = append(may[:maxNamed], fmt.Sprintf("%d more", more))
	}
	h.answerWith(ctx, who, "Nothing was done: "+reason+".", "", slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, "Who may: "+strings.Join(may, ", "), false, true)))
}

// maxNamed is how many of those who may are named.
const maxNamed = 10

// groupTime is how long the members of a group are believed.
const groupTime = 5 * time.Minute

// groups knows who is in which user group.
type groups struct {
	api   *slack.Client
	clock func() time.Time

	mu    sync.Mutex
	known map[string]membership
}

type membership struct {
	users []string
	at    time.Time
}

func (g *groups) members(ctx context.Context, group string) ([]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, ok := g.known[group]; ok && g.clock().Sub(m.at) < groupTime {
		return m.users, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	users, err := g.api.GetUserGroupMembersContext(ctx, group)
	if err != nil {
		return nil, err
	}
	if g.known == nil {
		g.known = map[string]membership{}
	}
	g.known[group] = membership{users, g.clock()}
	return users, nil
}

// askTime bounds a question to Slack's Web API.
const askTime = 10 * time.Second

// team knows the workspace whose app the token belongs to.
type team struct {
	api *slack.Client

	mu             sync.Mutex
	id, enterprise string
}

// foreign says why a press or command is not one of our workspace; "" is that it is.
func (t *team) foreign(ctx context.Context, who asker) string {
	id, enterprise, err := t.own(ctx)
	switch {
	case err != nil:
		return "Slack does not say now which workspace this is; try again in a minute"
	case who.team != id && (who.team != "" || enterprise == "" || who.enterprise != enterprise):
		return "this app watches for another workspace"
	case who.home != "" && who.home != id && (enterprise == "" || who.enterprise != enterprise):
		return "people of another workspace may do nothing here"
	}
	return ""
}

func (t *team) own(ctx context.Context) (id, enterprise string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.id != "" {
		return t.id, t.enterprise, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	auth, err := t.api.AuthTestContext(ctx)
	if err != nil {
		return "", "", err
	}
	t.id, t.enterprise = auth.TeamID, auth.EnterpriseID
	return t.id, t.enterprise, nil
}
