// Package interaction does what people ask for in Slack. It takes presses of buttons and
// slash commands, by Socket Mode or as requests that Slack has signed, looks whether the
// person may, has it done, and answers that person alone.
package interaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// ErrLater is what Request says of something that is written down, and will be done once
// an instance leads.
var ErrLater = errors.New("it is written down, and not done yet")

// Options of a Handler. Slack's Token is needed, AppToken or SigningSecret, somebody who
// is allowed, and Request and Refuse.
type Options struct {
	// Slack is how the Web API is called; of it APIURL, Token and HTTPClient count.
	Slack alerting.SlackOptions
	// AppToken opens Socket Mode connections; "" opens none.
	AppToken alerting.Token
	// SigningSecret is what requests to ServeHTTP are checked with.
	SigningSecret alerting.Token
	// AllowedUsers (U0123ABC) and the members of AllowedGroups (S0123ABC) may do all
	// that is here; nobody else may do anything.
	AllowedUsers, AllowedGroups []string

	// Request does to an alert what a person asks. A transition with Refused says why
	// not. The same request may come twice.
	Request func(context.Context, schema.AlertRequest) (schema.AlertTransition, error)
	// Refuse records that somebody asked who may not.
	Refuse func(ctx context.Context, r schema.AlertRequest, reason string) error
	// Evidence is a table of rows of an alert, for people.
	Evidence func(ctx context.Context, alert schema.UID) (string, error)
	// Status says how things stand, and Show tells the alerts that what names.
	Status func(ctx context.Context) (string, error)
	Show   func(ctx context.Context, what string) (string, error)
	// Silence makes a silence of the words after "silence", and says which; an error of
	// the words is for the person.
	Silence func(ctx context.Context, actor, text string) (string, error)

	// OnLook, if not nil, is told of who looked at what, or was not let do what.
	OnLook func(context.Context, Look)

	// Clock is time.Now by default.
	Clock func() time.Time
	Log   *slog.Logger
}

// Look is that somebody was shown something, or asked for something and may not.
type Look struct {
	At    time.Time
	Actor string
	// What is evidence, or the first word of a command: status, show, silence.
	What string
	// Of is the alert's id, or what was typed after the word.
	Of string
	// Refused is why nothing was shown or done; empty where it was.
	Refused string
}

const (
	// maxWaiting is how many presses may wait to be done. What comes beyond is not
	// acknowledged, so Slack tells the person that it did not work.
	maxWaiting = 100
	// workTime bounds one press: a desk may be busy telling Slack about others.
	workTime = 2 * time.Minute
	// lastWork bounds what is done after a stop was asked for.
	lastWork = 10 * time.Second
)

// Handler takes what people ask for in Slack. It is an http.Handler for signed requests.
type Handler struct {
	options Options
	api     *slack.Client
	http    *http.Client
	seen    *memory
	groups  *groups
	people  *people
	team    *team
	refused *tally
	// acts change alerts, one after the other; looks only read, and wait for nobody.
	acts, looks chan func(context.Context)
}

// New makes a handler. It calls nobody before Run, or before it is asked something.
func New(o Options) (*Handler, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.OnLook == nil {
		o.OnLook = func(context.Context, Look) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.AppToken == "" && o.SigningSecret == "":
		return nil, errors.New("configure Slack's buttons: an app-level token or a signing secret is needed")
	case len(o.AllowedUsers)+len(o.AllowedGroups) == 0:
		return nil, errors.New("configure Slack's buttons: nobody may press them: name users or groups")
	case o.Request == nil || o.Refuse == nil:
		return nil, errors.New("configure Slack's buttons: Request and Refuse are needed")
	}
	api, client, err := alerting.SlackClient(o.Slack, o.AppToken)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		options: o, api: api, http: client, seen: newMemory(o.Clock), refused: &tally{clock: o.Clock},
		acts: make(chan func(context.Context), maxWaiting), looks: make(chan func(context.Context), maxWaiting),
	}
	h.groups = &groups{api: api, clock: o.Clock}
	h.people = &people{api: api, clock: o.Clock, names: map[string]named{}}
	h.team = &team{api: api}
	return h, nil
}

// Run takes what comes by Socket Mode, and does what was taken, until ctx ends. What has
// been acknowledged by then is still done; nothing may come to ServeHTTP any more.
func (h *Handler) Run(ctx context.Context) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var workers sync.WaitGroup
	for _, queue := range []chan func(context.Context){h.acts, h.looks} {
		workers.Go(func() { work(working, queue) })
	}
	if h.options.AppToken != "" {
		h.listen(ctx)
	}
	<-ctx.Done()
	stop()
	workers.Wait()
	return nil
}

func work(ctx context.Context, queue <-chan func(context.Context)) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case task := <-queue:
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime)
			task(bounded)
			cancel()
		}
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWork)
	defer cancel()
	for {
		select {
		case task := <-queue:
			task(bounded)
		default:
			return
		}
	}
}

// intake is what became of something that Slack sent.
type intake int

const (
	taken intake = iota
	// repeated: it came before, and is done once.
	repeated
	// busy: too much waits; it is not taken.
	busy
	// ignored: it is nothing that is done here.
	ignored
)

// take queues a task that is known by keys, unless it has come before.
func (h *Handler) take(queue chan<- func(context.Context), task func(context.Context), keys ...string) intake {
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "" })
	if became := h.seen.add(keys...); became != taken {
		return became
	}
	select {
	case queue <- task:
		return taken
	default:
		h.seen.forget(keys...)
		h.options.Log.Error("too much waits of what people ask for in Slack", "waiting", maxWaiting)
		return busy
	}
}

// asker is who asks, and where.
type asker struct {
	user, name string
	// team is the workspace in which it happened, home that of the person where Slack
	// says so; enterprise is set where the app is installed for a whole organisation.
	team, home, enterprise string
	channel, responseURL   string
}

// actor is the asker as it is recorded: a name that people know, and the id that is
// Slack's.
func (h *Handler) actor(ctx context.Context, who asker) string {
	return fmt.Sprintf("%s (%s)", h.people.name(ctx, who), alerting.Harmless(who.user, maxID))
}

// maxID is how long an id of Slack is at most, in characters.
const maxID = 30
