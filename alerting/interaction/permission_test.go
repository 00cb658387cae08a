package interaction_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/alerting/fakeslack"
	"github.com/crmwatch/crmwatch/alerting/interaction"
	"github.com/crmwatch/crmwatch/schema"
)

// Who may not is told so, and the attempt is recorded.
func TestForbidden(t *testing.T) {
	for _, way := range []string{bySocket, byRequest} {
		t.Run(way, func(t *testing.T) {
			c := open(t, way, func(o *interaction.Options, _ *fakeslack.Options) { o.AllowedGroups = []string{soc} })
			c.run()
			for _, action := range []schema.AlertAction{schema.ActionAcknowledge, "evidence"} {
				c.press(string(action), otto)
				if action == "evidence" {
					action = "show_evidence"
				}
				got := await(t, c.refusals)
				if got.Alert != c.alert.UID || got.Action != action || got.Actor != "Otto Berg (U0OTTO00001)" || got.Via != schema.ViaSlack || !strings.Contains(got.reason, "not among those who may") {
					t.Errorf("recorded: %+v", got)
				}
				m := await(t, c.told)
				if m.User != otto || !strings.Contains(m.Render(), "not among those who may") || !strings.Contains(string(m.Blocks), `<@U0MIRA00001>, <!subteam^S0SOC000001>`) && !strings.Contains(string(m.Blocks), `\u003c@U0MIRA00001\u003e, \u003c!subteam^S0SOC000001\u003e`) {
					t.Errorf("told %s:\n%s", m.User, m.Blocks)
				}
			}
			if err := c.server.Command("/crmwatch", "status", fakeslack.DefaultChannel.ID, otto); err != nil {
				t.Fatal(err)
			}
			if m := await(t, c.told); m.User != otto || !strings.Contains(m.Render(), "not among those who may") {
				t.Errorf("told %s:\n%s", m.User, m.Render())
			}
			none(t, c.requests)
		})
	}
}

func TestGroups(t *testing.T) {
	c := open(t, byRequest, func(o *interaction.Options, _ *fakeslack.Options) {
		o.AllowedUsers, o.AllowedGroups = nil, []string{soc}
	})
	c.server.SetUserGroup(fakeslack.UserGroup{ID: soc, Users: []string{otto}})
	c.run()
	c.press("acknowledge", otto)
	await(t, c.requests)
	// Membership is believed for five minutes.
	c.server.SetUserGroup(fakeslack.UserGroup{ID: soc})
	c.clock.Advance(4 * time.Minute)
	c.press("acknowledge", otto)
	await(t, c.requests)
	if n := len(c.server.Calls("usergroups.users.list")); n != 1 {
		t.Errorf("asked %d times who is in the group", n)
	}
	c.clock.Advance(2 * time.Minute)
	c.press("acknowledge", otto)
	if got := await(t, c.refusals); !strings.Contains(got.reason, "not among") {
		t.Errorf("after leaving the group: %+v", got)
	}
	await(t, c.told)
	// Who cannot be checked may not.
	c.server.SetUserGroup(fakeslack.UserGroup{ID: soc, Users: []string{otto}})
	c.clock.Advance(6 * time.Minute)
	for _, fault := range []fakeslack.Fault{fakeslack.Error("missing_scope"), fakeslack.Status(500), fakeslack.Drop(), fakeslack.RateLimited(time.Minute)} {
		c.server.Script("usergroups.users.list", fault)
		c.press("acknowledge", otto)
		if got := await(t, c.refusals); !strings.Contains(got.reason, "Slack does not say who is in the group") {
			t.Errorf("Slack does not answer: %+v", got)
		}
		c.harmlessButMentions(await(t, c.told))
	}
	c.press("acknowledge", otto)
	await(t, c.requests)
	none(t, c.refusals)
}

// harmlessButMentions checks a refusal, which names those who may.
func (c *counter) harmlessButMentions(m fakeslack.Message) {
	c.t.Helper()
	for _, live := range m.Live() {
		if live != "<@"+mira+">" && live != "<!subteam^"+soc+">" {
			c.t.Errorf("live text %q", live)
		}
	}
}

// A press that comes from another workspace, or of a person of one, does nothing.
func TestForeign(t *testing.T) {
	for name, change := range map[string]func(*interaction.Options, *fakeslack.Options){
		"another workspace": func(_ *interaction.Options, s *fakeslack.Options) { s.Team = "T0OTHER0001" },
		"a person of another one": func(o *interaction.Options, _ *fakeslack.Options) {
			o.AllowedUsers = append(o.AllowedUsers, guest)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, byRequest, change)
			c.run()
			user := mira
			if strings.Contains(name, "person") {
				user = guest
			}
			c.press("acknowledge", user)
			if got := await(t, c.refusals); !strings.Contains(got.reason, "another workspace") {
				t.Errorf("%+v", got)
			}
			await(t, c.told)
			none(t, c.requests)
		})
	}
	c := open(t, byRequest, nil)
	c.server.Script("auth.test", fakeslack.Status(500))
	c.run()
	c.press("acknowledge", mira)
	if got := await(t, c.refusals); !strings.Contains(got.reason, "which workspace") {
		t.Errorf("%+v", got)
	}
	c.press("acknowledge", mira)
	await(t, c.requests)
}

func TestNewRefuses(t *testing.T) {
	good := open(t, byRequest, nil)
	_ = good
	for want, o := range map[string]interaction.Options{
		"app-level token or a signing secret": {AllowedUsers: []string{mira}},
		"nobody may press":                    {AppToken: appToken},
		"Request and Refuse":                  {AppToken: appToken, AllowedUsers: []string{mira}},
	} {
		if _, err := interaction.New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
