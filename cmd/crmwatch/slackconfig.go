package main

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
)

// interactive says whether people can do something in Slack.
func (c slackConfig) interactive() bool { return c.AppTokenFile != "" || c.SigningSecretFile != "" }

var (
	slackUserID  = regexp.MustCompile(`^[UW][A-Z0-9]{6,20}$`)
	slackGroupID = regexp.MustCompile(`^S[A-Z0-9]{6,20}$`)
)

// interactivity checks how what people do in Slack comes here, and who may.
func (c *configCheck) interactivity(s slackConfig) {
	way := "$.slack.app_token_file"
	if s.AppTokenFile == "" {
		way = "$.slack.signing_secret_file"
	}
	switch {
	case !s.interactive():
		if s.Listen != "" {
			c.fail("$.slack.listen", "slack.signing_secret_file is missing: put the app's signing secret into a file of mode 0600 and name it")
		}
		if len(s.AllowedUsers)+len(s.AllowedGroups) > 0 {
			c.fail("$.slack.allowed_users", "nothing comes from Slack that anybody may do: name slack.app_token_file (Socket Mode), or slack.signing_secret_file and slack.listen")
		}
		return
	case s.TokenFile == "":
		c.fail(way, "slack.token_file is missing: put the bot token (xoxb-...) into a file of mode 0600 and name it")
	case s.AppTokenFile != "" && s.SigningSecretFile != "":
		c.fail("$.slack.signing_secret_file", "slack names both app_token_file and signing_secret_file: an app with Socket Mode sends no requests, keep one")
	case s.SigningSecretFile != "" && s.Listen == "":
		c.fail("$.slack.signing_secret_file", "slack.listen is missing: say where Slack's requests come, such as listen: 127.0.0.1:8088")
	case s.AppTokenFile != "" && s.Listen != "":
		c.fail("$.slack.listen", "slack.listen is not needed with Socket Mode: take it out, or name signing_secret_file instead of app_token_file")
	}
	if s.Listen != "" {
		c.slackListen(s.Listen)
	}
	if len(s.AllowedUsers)+len(s.AllowedGroups) == 0 {
		c.fail(way, "nobody may press the buttons: name slack.allowed_users (U0123ABC) or slack.allowed_groups (S0123ABC)")
	}
	for i, id := range s.AllowedUsers {
		if !slackUserID.MatchString(id) {
			c.fail(fmt.Sprintf("$.slack.allowed_users[%d]", i), "%q is not the id of a person, such as U0123ABCD: it is in the person's profile in Slack, under Copy member ID", id)
		}
	}
	for i, id := range s.AllowedGroups {
		if !slackGroupID.MatchString(id) {
			c.fail(fmt.Sprintf("$.slack.allowed_groups[%d]", i), "%q is not the id of a user group, such as S0123ABCD: it is in the group's menu in Slack, under Copy group ID", id)
		}
	}
}

func (c *configCheck) slackListen(address string) {
	host, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		c.fail("$.slack.listen", "slack.listen is %q: write host:port, such as 127.0.0.1:8088", address)
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		c.fail("$.slack.listen", "slack.listen is %q: it listens on loopback only; put a TLS proxy in front of it, or use Socket Mode", address)
	}
}
