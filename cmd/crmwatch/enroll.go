package main

import (
	"fmt"
	"net"
	"time"

	"github.com/crmwatch/crmwatch/collector/token"
)

type enrollCommand struct {
	Agent   string        `arg:"" help:"The agent's name: a-z, 0-9, dot, dash, underscore."`
	Agents  string        `required:"" placeholder:"FILE" help:"The collector's file of agents; made if it is not there."`
	Overlap time.Duration `default:"24h" help:"How long a token that the agent had before stays valid."`
	Revoke  bool          `help:"End all tokens of the agent at once, and make none."`
}

func (enrollCommand) Help() string {
	return `Prints the token and nothing else; only its hash is kept. Enrolling again rotates it.

Example:
  (umask 077; crmwatch collector enroll web-1 --agents agents.json > web-1.token)`
}

func (c *enrollCommand) Run(term terminal) error {
	if c.Revoke {
		return token.Revoke(c.Agents, c.Agent)
	}
	made, err := token.Enroll(c.Agents, c.Agent, c.Overlap)
	if err != nil {
		return err
	}
	fmt.Fprintln(term.out, made)
	return nil
}

// collectorURL is where agents find a collector on its usual port.
func collectorURL(host string) string { return "https://" + net.JoinHostPort(host, "8443") }
