package schedule

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/crmwatch/crmwatch/alerting"
	"github.com/crmwatch/crmwatch/compliance/chain"
	"github.com/crmwatch/crmwatch/schema"
)

const (
	// stepTimeout bounds one message with its saves.
	stepTimeout = time.Minute
	// refusalPause is how long a notifier that refuses is left alone, maxBackoff how long
	// one that does not answer.
	refusalPause = 10 * time.Minute
	maxBackoff   = 5 * time.Minute
	// maxRefusals is how often a refusal of everything is borne until the message is given up.
	maxRefusals = 300
)

// attached is the format of the file under a message.
const attached = "html"

// sent are the formats that notifiers of a schedule take.
func (k *Keeper) sent(s Schedule) []string {
	for _, name := range s.Notify {
		if _, takes := k.announcer(name).(alerting.Attacher); takes {
			return []string{attached}
		}
	}
	return nil
}

func (k *Keeper) announcer(name string) alerting.Announcer {
	for _, a := range k.options.Announcers {
		if a.Name() == name {
			return a
		}
	}
	return nil
}

// tell takes every message as far as it can go now.
func (k *Keeper) tell(ctx context.Context) error {
	posts, err := k.readPosts(ctx, false, schema.UID{}, 0)
	if err != nil {
		return err
	}
	for _, p := range posts {
		a := k.announcer(p.notifier)
		if a == nil {
			k.trouble(p.notifier, fmt.Errorf("summaries wait for the notifier %s, which is configured no more", p.notifier))
			continue
		}
		if p.notBefore.After(k.options.Clock()) {
			continue
		}
		if err := k.options.Lease(); err != nil {
			return err
		}
		// A step that has begun is ended, also when the process is asked to stop.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
		err := k.tellOne(ctx, a, p)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) tellOne(ctx context.Context, a alerting.Announcer, p *post) error {
	l, err := k.letter(ctx, p)
	if err != nil {
		return err
	}
	if l.notice.Entry == 0 {
		return nil // its entry in the chain comes first
	}
	attacher, takesFile := a.(alerting.Attacher)
	if p.state == postSent {
		if !takesFile {
			p.file = fileNone
			return k.savePosts(ctx, p)
		}
		return k.attach(ctx, attacher, l, p)
	}
	if p.state == postSending || p.state == postUnknown {
		return k.reconcile(ctx, a, l, p)
	}
	return k.announce(ctx, a, l, p)
}

// announce posts the message; the file was sent before it, so that the message can say
// whether there is one.
func (k *Keeper) announce(ctx context.Context, a alerting.Announcer, l letter, p *post) error {
	if attacher, takes := a.(alerting.Attacher); takes && p.file == fileNone {
		if err := k.upload(ctx, attacher, l, p); err != nil || p.notBefore.After(k.options.Clock()) {
			return err
		}
	}
	l.notice.WithFile, l.notice.NoFile = p.file == filePending, ""
	if p.file == fileFailed {
		l.notice.NoFile = p.reason
	}
	reason := p.reason
	p.state, p.attempts = postSending, p.attempts+1
	if p.firstTry.IsZero() {
		p.firstTry = k.options.Clock()
	}
	if err := k.savePosts(ctx, p); err != nil {
		return err
	}
	// Whoever was stopped here for long must not go on: another has found the row.
	if err := k.options.Lease(); err != nil {
		return err
	}
	receipt, err := a.Announce(ctx, l.notice, p.repeat)
	if err != nil {
		p.state = postPending
		if errors.Is(err, alerting.ErrOutcomeUnknown) {
			p.state = postUnknown
		}
		return k.failed(ctx, p, err)
	}
	k.trouble(p.notifier, nil)
	p.state, p.receipt, p.attempts, p.reason = postSent, receipt, 0, reason
	if err := k.savePosts(ctx, p); err != nil {
		return err
	}
	if attacher, takes := a.(alerting.Attacher); takes && p.file == filePending {
		return k.attach(ctx, attacher, l, p)
	}
	return nil
}

// upload sends the file, which nobody sees yet.
func (k *Keeper) upload(ctx context.Context, a alerting.Attacher, l letter, p *post) error {
	if l.file == nil {
		p.file, p.reason = fileFailed, l.noFile
		return nil
	}
	id, err := a.Upload(ctx, l.fileName, l.file)
	var refusal *alerting.RefusedError
	switch {
	case err == nil:
		p.file, p.fileID = filePending, id
	case errors.As(err, &refusal):
		k.trouble(p.notifier+" file", err)
		p.file, p.reason = fileFailed, refusal.Error()
	default:
		if p.attempts++; p.attempts > 5 {
			// The message matters more than the file under it.
			p.file, p.reason, p.attempts = fileFailed, "it could not be sent", 0
			return nil
		}
		return k.failed(ctx, p, err)
	}
	return nil
}

// attach shows the file under the message.
func (k *Keeper) attach(ctx context.Context, a alerting.Attacher, l letter, p *post) error {
	if p.file == fileSending {
		there, err := a.Attached(ctx, p.receipt, p.fileID)
		switch {
		case errors.Is(err, alerting.ErrCannotFind), err == nil && there:
			// Where it cannot be seen whether the file is there, it is not shown twice.
			p.file = fileSent
			return k.savePosts(ctx, p)
		case err != nil:
			return k.failed(ctx, p, err)
		}
	}
	p.file = fileSending
	if err := k.savePosts(ctx, p); err != nil {
		return err
	}
	if err := k.options.Lease(); err != nil {
		return err
	}
	err := a.Attach(ctx, p.receipt, p.fileID, l.notice.Title)
	var refusal *alerting.RefusedError
	switch {
	case err == nil:
		p.file, p.attempts, p.reason = fileSent, 0, ""
		return k.savePosts(ctx, p)
	case errors.As(err, &refusal) && refusal.Code == "file_not_found" && p.attempts < 3:
		// What was sent before a stop is gone after a while: it is sent again.
		p.attempts++
		id, err := a.Upload(ctx, l.fileName, l.file)
		if err == nil {
			p.file, p.fileID, p.notBefore = filePending, id, k.options.Clock().Add(time.Second)
			return k.savePosts(ctx, p)
		}
		return k.failed(ctx, p, err)
	case errors.As(err, &refusal):
		k.trouble(p.notifier+" file", err)
		l.notice.NoFile = refusal.Error()
		if err := a.Amend(ctx, p.receipt, l.notice, p.repeat); err != nil {
			k.trouble(p.notifier, err)
		}
		p.file, p.reason = fileFailed, refusal.Error()
		return k.savePosts(ctx, p)
	}
	if !errors.Is(err, alerting.ErrOutcomeUnknown) {
		p.file = filePending
	}
	return k.failed(ctx, p, err)
}

// reconcile finds out whether a message arrived whose answer was lost. Where that cannot
// be found out, it is posted once more, with a label, and never a third time.
func (k *Keeper) reconcile(ctx context.Context, a alerting.Announcer, l letter, p *post) error {
	receipt, found, err := a.FindNotice(ctx, l.notice, p.firstTry)
	switch {
	case err == nil && found:
		p.state, p.receipt, p.attempts = postSent, receipt, 0
		return k.savePosts(ctx, p)
	case errors.Is(err, alerting.ErrCannotFind) && p.repeat == alerting.RepeatLost:
		p.state, p.reason = postFailed, "the answer was lost twice"
		k.trouble(p.notifier, fmt.Errorf("summary %s: the answer was lost twice: look for the message", p.summary))
		return k.savePosts(ctx, p)
	case err == nil, errors.Is(err, alerting.ErrCannotFind):
		p.state, p.repeat = postPending, alerting.RepeatLost
		return k.announce(ctx, a, l, p)
	}
	return k.failed(ctx, p, err)
}

// failed notes when a step is tried again.
func (k *Keeper) failed(ctx context.Context, p *post, cause error) error {
	now := k.options.Clock()
	k.trouble(p.notifier, cause)
	var hold *alerting.HoldError
	var refusal *alerting.RefusedError
	switch {
	case errors.As(cause, &hold):
		p.notBefore = now.Add(hold.After)
	case errors.As(cause, &refusal) && (refusal.ThisMessage || p.attempts >= maxRefusals):
		p.state, p.reason = postFailed, refusal.Code
	case errors.As(cause, &refusal):
		p.notBefore, p.reason = now.Add(refusalPause), refusal.Code
	default:
		p.attempts++
		p.notBefore = now.Add(min(time.Second<<min(p.attempts, 20), maxBackoff))
	}
	return k.savePosts(ctx, p)
}

// letter is a summary as notifiers are told of it.
type letter struct {
	notice   alerting.Notice
	fileName string
	// file is what goes under the message, nil for the reason noFile.
	file   []byte
	noFile string
}

// letter makes the message about a summary.
func (k *Keeper) letter(ctx context.Context, p *post) (letter, error) {
	kept, entry, err := chain.Find(ctx, k.store, p.summary, p.summaryVersion)
	if err != nil {
		return letter{}, err
	}
	made, err := Reopen(kept, k.options.Ledger.PublicKey())
	if err != nil {
		return letter{}, err
	}
	front, err := made.Summary.FrontPage()
	if err != nil {
		return letter{}, err
	}
	late, err := LatenessOf(ctx, k.store, kept.Tenant, kept.From, kept.To, kept.MadeAt)
	if err != nil {
		return letter{}, err
	}
	l := letter{fileName: FileName(kept, attached)}
	l.notice = alerting.Notice{
		Summary: kept.UID, Version: kept.Version, Title: front.Title, Tenant: front.Tenant, Remarks: front.Notices, Points: append(front.Attention, front.Unmonitored...),
		Entry: entry.Sequence, Head: entry.Hash.String(),
	}
	for _, f := range front.Figures {
		l.notice.Figures = append(l.notice.Figures, alerting.NoticeFigure{Title: f.Title, Value: f.Value, Change: f.Change})
	}
	l.notice.Figures = l.notice.Figures[:min(len(l.notice.Figures), 5)]
	l.notice.Figures = append(l.notice.Figures, alerting.NoticeFigure{Title: "Events of the period", Value: fmt.Sprint(late.Events), Change: sayLate(late)})
	if kept.Replaces > 0 {
		l.notice.Remarks = append(l.notice.Remarks, fmt.Sprintf("It replaces version %d, which stays kept.", kept.Replaces))
	}
	dir := k.directoryOf(kept)
	if dir != "" {
		l.notice.Place = filepath.Join(dir, FileName(kept, attached))
		if k.options.Host != "" {
			l.notice.Place += " on " + k.options.Host
		}
	}
	l.file, l.noFile = k.fileOf(made, dir)
	return l, nil
}

func sayLate(l Lateness) string {
	if l.Late == 0 {
		return "all came before its end"
	}
	return fmt.Sprintf("%d came after its end, the last on %s UTC", l.Late, l.Last.UTC().Format("2 January 15:04"))
}

func (k *Keeper) directoryOf(s chain.Summary) string {
	for _, c := range k.options.Schedules {
		if string(c.Kind) == s.Period && c.serves(s.Tenant) && c.Directory != "" && slices.Contains(c.Formats, attached) {
			return c.Directory
		}
	}
	return ""
}

// fileOf is the file as the chain has it: from the folder, or written again.
func (k *Keeper) fileOf(m Made, dir string) ([]byte, string) {
	name := FileName(m.Kept, attached)
	i := slices.IndexFunc(m.Kept.Files, func(f chain.FileHash) bool { return f.Name == name })
	if i < 0 {
		return nil, "it was not made as HTML"
	}
	if dir != "" {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil && chain.HashOf(text) == m.Kept.Files[i].Hash {
			return text, ""
		}
	}
	text, err := m.Write(attached)
	if err != nil || chain.HashOf(text) != m.Kept.Files[i].Hash {
		return nil, "it cannot be written again as it was"
	}
	return text, ""
}
