package fakeslack

// The workspace and the app in it.
const (
	TeamID = "T0ACME0001"
	AppID  = "A0CRMWATCH"
	botID  = "B0CRMWATCH"
)

// User is a person of the workspace.
type User struct {
	// ID begins with U or W, as Slack's do.
	ID string
	// Name is the handle, RealName what people read.
	Name, RealName string
	// Team is the workspace that the person belongs to, TeamID where it is empty:
	// people of others take part in shared channels.
	Team string
}

func (u User) team() string {
	if u.Team == "" {
		return TeamID
	}
	return u.Team
}

// UserGroup is a group of people, such as @soc.
type UserGroup struct {
	// ID begins with S, as Slack's do.
	ID    string
	Users []string
}

// DefaultUsers are the people whom a server has when none are given.
var DefaultUsers = []User{
	{ID: "U0MIRA00001", Name: "mira", RealName: "Mira Novak"},
	{ID: "U0OTTO00001", Name: "otto", RealName: "Otto Berg"},
}

// SetUserGroup adds a group, or changes the one with the same id.
func (s *Server) SetUserGroup(g UserGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[g.ID] = g
}

func (s *Server) user(id string) (User, bool) {
	for _, u := range s.options.Users {
		if u.ID == id {
			return u, true
		}
	}
	return User{}, false
}

func (s *Server) authTest(map[string]string) map[string]any {
	return map[string]any{"ok": true, "url": "https://acme.slack.example/", "team": "Acme", "team_id": TeamID,
		"user": "crmwatch", "user_id": "U0CRMWATCH", "bot_id": botID, "is_enterprise_install": false}
}

func (s *Server) info(a map[string]string) map[string]any {
	c := s.channelByID(a["channel"])
	if c == nil {
		return refuse("channel_not_found")
	}
	return map[string]any{"ok": true, "channel": map[string]any{"id": c.ID, "name": c.Name, "is_channel": true,
		"is_archived": c.Archived, "is_member": !c.NotMember, "is_private": false}}
}

func (s *Server) userInfo(a map[string]string) map[string]any {
	u, known := s.user(a["user"])
	if !known {
		return refuse("user_not_found")
	}
	return map[string]any{"ok": true, "user": map[string]any{"id": u.ID, "team_id": u.team(), "name": u.Name, "real_name": u.RealName,
		"deleted": false, "is_bot": false, "profile": map[string]any{"real_name": u.RealName, "display_name": u.Name}}}
}

func (s *Server) userGroupMembers(a map[string]string) map[string]any {
	if a["usergroup"] == "" {
		return refuse("missing_argument")
	}
	g, known := s.groups[a["usergroup"]]
	if !known {
		return refuse("no_such_subteam")
	}
	return map[string]any{"ok": true, "users": g.Users}
}
