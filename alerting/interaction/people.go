package interaction

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/slack-go/slack"
)

const (
	// nameTime is how long a person's name is believed.
	nameTime = time.Hour
	maxNames = 1000
	// maxName is how much of a person's name is recorded, in characters.
	maxName = 80
)

// people knows what people are called.
type people struct {
	api   *slack.Client
	clock func() time.Time

	mu    sync.Mutex
	names map[string]named
}

type named struct {
	name string
	at   time.Time
}

// name is what a person is called: the name in the profile, or what came with the press
// where Slack does not tell. People choose it themselves, so it is made harmless, and
// has no brackets, which mark the id.
func (p *people) name(ctx context.Context, who asker) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, ok := p.names[who.user]; ok && p.clock().Sub(n.at) < nameTime {
		return n.name
	}
	name := who.name
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	user, err := p.api.GetUserInfoContext(ctx, who.user)
	if err == nil {
		name = cmp.Or(user.Profile.RealName, user.RealName, user.Profile.DisplayName, user.Name, name)
	}
	name = alerting.Harmless(strings.NewReplacer("(", "[", ")", "]").Replace(name), maxName)
	if strings.TrimSpace(name) == "" {
		name = "somebody"
	}
	if err == nil {
		if len(p.names) >= maxNames {
			clear(p.names)
		}
		p.names[who.user] = named{name, p.clock()}
	}
	return name
}
