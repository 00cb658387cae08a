package alerting

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
	"github.com/slack-go/slack"
)

// Notice is a message about a summary that was made. Its texts may hold log text.
type Notice struct {
	// Summary and Version name the summary.
	Summary schema.UID
	Version uint64
	Title   string
	Tenant  string
	// Figures are a few numbers with their names, Points what needs attention or was not
	// seen, and Remarks what must be known before them.
	Figures []NoticeFigure
	Remarks []string
	Points  []string
	// Entry and Head are the summary's entry in the evidence chain: a head of the chain.
	Entry uint64
	Head  string
	// Place says where the files are.
	Place string
	// WithFile says that a file follows in the thread, NoFile why none does.
	WithFile bool
	NoFile   string
}

// NoticeFigure is a number in words.
type NoticeFigure struct {
	Title  string `json:"title"`
	Value  string `json:"value"`
	Change string `json:"change,omitempty"`
}

// Announcer is a notifier that tells of summaries. Its errors are those of a Notifier.
type Announcer interface {
	Name() string
	// Announce posts a notice for the first time, or again with a label.
	Announce(ctx context.Context, n Notice, repeat Repeat) (Receipt, error)
	// FindNotice looks for a notice among what was posted since a time.
	FindNotice(ctx context.Context, n Notice, since time.Time) (at Receipt, found bool, err error)
}

// Attacher is an Announcer that takes a file under its notice. Upload sends it, which
// nobody sees; Attach shows it.
type Attacher interface {
	Announcer
	Upload(ctx context.Context, name string, content []byte) (file string, err error)
	// Attach puts an uploaded file under a message. The same one again is not shown twice
	// as far as Attached can tell.
	Attach(ctx context.Context, at Receipt, file, title string) error
	// Attached says whether the file is under the message.
	Attached(ctx context.Context, at Receipt, file string) (bool, error)
	// Amend writes the notice again in place.
	Amend(ctx context.Context, at Receipt, n Notice, repeat Repeat) error
}

const (
	maxNoticeFigures = 6
	maxNoticePoints  = 5
	maxNoticeText    = 300
)

// lines are the notice as plain text, cut to what somebody reads in a message.
func (n Notice) lines() (figures, points, foot []string) {
	for _, r := range n.Remarks[:min(len(n.Remarks), 3)] {
		points = append(points, shown(r, maxNoticeText))
	}
	for _, f := range n.Figures[:min(len(n.Figures), maxNoticeFigures)] {
		line := shown(f.Title, 100) + ": " + shown(f.Value, 100)
		if f.Change != "" {
			line += " (" + shown(f.Change, 120) + ")"
		}
		figures = append(figures, line)
	}
	for i, p := range n.Points {
		if i == maxNoticePoints {
			points = append(points, fmt.Sprintf("and %d more in the summary", len(n.Points)-i))
			break
		}
		points = append(points, shown(p, maxNoticeText))
	}
	if n.Place != "" {
		foot = append(foot, "Files: "+shown(n.Place, maxNoticeText))
	}
	if n.NoFile != "" {
		foot = append(foot, "No file is attached: "+shown(n.NoFile, maxNoticeText))
	}
	foot = append(foot, fmt.Sprintf("Evidence chain: entry %d, %s", n.Entry, n.Head))
	return figures, points, foot
}

func (n Notice) title() string {
	title := shown(n.Title, 120)
	if n.Tenant != "" {
		title += ", " + shown(n.Tenant, 60)
	}
	if n.Version > 1 {
		title += fmt.Sprintf(" (version %d)", n.Version)
	}
	return title
}

// text is the whole notice, for terminals and where blocks are not shown.
func (n Notice) text(repeat Repeat) string {
	figures, points, foot := n.lines()
	parts := []string{n.title()}
	if label := repeatLabels[repeat]; label != "" {
		parts = append([]string{label}, parts...)
	}
	parts = append(parts, figures...)
	for _, p := range points {
		parts = append(parts, "! "+p)
	}
	return strings.Join(append(parts, foot...), "\n")
}

// blocks are the notice for Slack. Every text is plain: nothing in it becomes a link, a
// mention or markup.
func (n Notice) blocks(repeat Repeat) []slack.Block {
	figures, points, foot := n.lines()
	var blocks []slack.Block
	section := func(text string) {
		blocks = append(blocks, slack.NewSectionBlock(plainObject(text, maxSection), nil, nil))
	}
	if label := repeatLabels[repeat]; label != "" {
		section(label)
	}
	blocks = append(blocks, slack.NewHeaderBlock(plainObject(n.title(), maxHeader)))
	if len(figures) > 0 {
		section(strings.Join(figures, "\n"))
	}
	if len(points) > 0 {
		section("Look at this:\n• " + strings.Join(points, "\n• "))
	} else {
		section("Nothing was found that somebody has to look at.")
	}
	if n.WithFile {
		foot = append([]string{"The summary is in the thread."}, foot...)
	}
	return append(blocks, slack.NewContextBlock("", plainObject(strings.Join(foot, "\n"), maxField)))
}

// NoticeDocument is a notice for programs: webhooks and files get it. Fields are only
// ever added.
type NoticeDocument struct {
	// Schema is 1, Event summary.made.
	Schema   int    `json:"schema"`
	Event    string `json:"event"`
	Notifier string `json:"notifier"`
	Repeat   string `json:"repeat,omitempty"`
	Summary  string `json:"summary_uid"`
	Version  uint64 `json:"version"`
	Title    string `json:"title"`
	Tenant   string `json:"tenant,omitempty"`
	// Figures, Remarks and Points are those of the front page.
	Figures []NoticeFigure `json:"figures,omitempty"`
	Remarks []string       `json:"remarks,omitempty"`
	Points  []string       `json:"attention,omitempty"`
	Entry   uint64         `json:"chain_entry"`
	Head    string         `json:"chain_head"`
	Place   string         `json:"place,omitempty"`
}

// DocumentOfNotice is the notice for programs.
func DocumentOfNotice(n Notice, notifier string, repeat Repeat) NoticeDocument {
	return NoticeDocument{
		Schema: 1, Event: "summary.made", Notifier: notifier, Repeat: string(repeat), Summary: n.Summary.String(), Version: n.Version, Title: n.Title, Tenant: n.Tenant,
		Figures: n.Figures, Remarks: n.Remarks, Points: n.Points, Entry: n.Entry, Head: n.Head, Place: n.Place,
	}
}
