package alerting

import (
	"fmt"
	"net/http"

	"github.com/slack-go/slack"
)

// SlackClient makes a client of Slack's Web API from APIURL, Token and HTTPClient, and
// the HTTP client that it uses: answers are bounded, and no redirect is followed, which
// would carry the token elsewhere. appToken opens Socket Mode connections; "" is none.
func SlackClient(o SlackOptions, appToken Token) (*slack.Client, *http.Client, error) {
	if o.APIURL == "" {
		o.APIURL = slack.APIURL
	}
	endpoint, err := checkAPIURL(o.APIURL)
	if err != nil {
		return nil, nil, fmt.Errorf("configure Slack: %w", err)
	}
	if err := checkToken(string(o.Token)); err != nil {
		return nil, nil, fmt.Errorf("configure Slack: token: %w", err)
	}
	options := []slack.Option{slack.OptionAPIURL(endpoint)}
	if appToken != "" {
		if err := checkAppToken(string(appToken)); err != nil {
			return nil, nil, fmt.Errorf("configure Slack: app-level token: %w", err)
		}
		options = append(options, slack.OptionAppLevelToken(string(appToken)))
	}
	client := slackHTTP(o.HTTPClient)
	return slack.New(string(o.Token), append(options, slack.OptionHTTPClient(client))...), client, nil
}
