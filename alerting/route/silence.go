package route

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

const (
	// MaxSilence is how long a silence may last: what has to be quiet for longer is
	// for the configuration, where others see it.
	MaxSilence = 30 * 24 * time.Hour
	// maxReason is how long a reason and an author's name may be, in bytes.
	maxReason = 500
	maxAuthor = 200
)

// Silence mutes the alerts that are nothing but what it matches, for a while.
type Silence struct {
	UID schema.UID
	// Version counts its saves from 1; 0 is not saved yet.
	Version   uint64
	Match     Match
	CreatedAt time.Time
	// StartsAt (inclusive) to EndsAt (exclusive).
	StartsAt, EndsAt time.Time
	Author, Reason   string
	// UpTo is the highest severity that it mutes: what is above breaks through.
	// Unknown is to be chosen by what there is to mute: see Settle.
	UpTo schema.Severity
	// EndedBy is who ended it before its time.
	EndedBy string
}

// ParseSilence reads the text form of a silence, of the command line as of Slack:
//
//	--match rule=traffic-drop --match 'entity=svc-*' --for 2h --reason 'planned work' [--up-to high]
//
// --for also takes days, such as 3d, --from a start in RFC 3339, --until an end instead
// of --for. A condition and a duration may stand alone, and what follows the duration is
// the reason: rule=traffic-drop 2h planned work. The error names the mend.
func ParseSilence(args []string, author string, now time.Time) (Silence, error) {
	s := Silence{Author: author, CreatedAt: now, StartsAt: now}
	var conditions []string
	var length time.Duration
	for len(args) > 0 {
		name, value, joined := strings.Cut(args[0], "=")
		if alone, err := parseLength(args[0]); err == nil && length == 0 {
			length, args = alone, args[1:]
			continue
		}
		if !strings.HasPrefix(name, "--") && length != 0 && s.Reason == "" && !strings.ContainsAny(args[0], "=<>") {
			words := 1
			for words < len(args) && !strings.HasPrefix(args[words], "--") {
				words++
			}
			s.Reason = strings.Join(args[:words], " ")
			args = args[words:]
			continue
		}
		if !strings.HasPrefix(name, "--") {
			conditions = append(conditions, args[0])
			args = args[1:]
			continue
		}
		args = args[1:]
		if !joined {
			if len(args) == 0 {
				return Silence{}, fmt.Errorf("%s has no value: %s", name, silenceUsage)
			}
			value, args = args[0], args[1:]
		}
		var err error
		switch name {
		case "--match":
			conditions = append(conditions, value)
		case "--for":
			length, err = parseLength(value)
		case "--from":
			s.StartsAt, err = parseMoment(value)
		case "--until":
			s.EndsAt, err = parseMoment(value)
		case "--reason":
			s.Reason = strings.TrimSpace(value)
		case "--up-to":
			var known bool
			if s.UpTo, known = schema.ParseSeverity(strings.ToLower(value)); !known {
				err = fmt.Errorf("the severity %q is not known: use low, medium, high or critical", value)
			}
		default:
			err = fmt.Errorf("there is no %s: %s", name, silenceUsage)
		}
		if err != nil {
			return Silence{}, err
		}
	}
	switch {
	case length != 0 && !s.EndsAt.IsZero():
		return Silence{}, errors.New("--for and --until both say when it ends: keep one")
	case length != 0:
		s.EndsAt = s.StartsAt.Add(length)
	case s.EndsAt.IsZero():
		return Silence{}, errors.New("a silence must end: add --for, such as --for 2h")
	}
	var err error
	if s.Match, err = ParseMatch(conditions); err != nil {
		return Silence{}, err
	}
	s.UID = schema.HashUID("silence", s.Match.String(), s.Author, s.Reason, s.StartsAt.UTC().Format(time.RFC3339Nano), s.EndsAt.UTC().Format(time.RFC3339Nano), s.CreatedAt.UTC().Format(time.RFC3339Nano))
	return s, s.Check(now)
}

const silenceUsage = "write --match rule=NAME (or entity=, product=, tenant=, severity<=), --for 2h, --reason 'why', and if need be --up-to high"

// Check says what is wrong with a silence that is to be saved at a time.
func (s Silence) Check(now time.Time) error {
	switch {
	case s.Match.Empty():
		return errors.New("a silence must not mute everything: say what, such as --match rule=traffic-drop")
	case s.Reason == "":
		return errors.New("a silence needs a reason, for those who wonder: add --reason 'deployment of the middleware'")
	case s.Author == "":
		return errors.New("a silence needs an author")
	case len(s.Reason) > maxReason:
		return fmt.Errorf("the reason has %d bytes: use at most %d", len(s.Reason), maxReason)
	case len(s.Author) > maxAuthor:
		return fmt.Errorf("the author's name has %d bytes: use at most %d", len(s.Author), maxAuthor)
	case !s.EndsAt.After(s.StartsAt):
		return fmt.Errorf("the silence ends at %s and begins at %s: it must end later", s.EndsAt.UTC().Format(time.RFC3339), s.StartsAt.UTC().Format(time.RFC3339))
	case !s.EndsAt.After(now):
		return fmt.Errorf("the silence is over already: it ends at %s", s.EndsAt.UTC().Format(time.RFC3339))
	case s.EndsAt.Sub(s.StartsAt) > MaxSilence:
		return fmt.Errorf("the silence lasts %s: at most 30 days; what has to be quiet for longer belongs into the configuration (rules.disabled, alerts.routes, alerts.maintenance)", s.EndsAt.Sub(s.StartsAt))
	case s.StartsAt.After(now.Add(365 * 24 * time.Hour)):
		return errors.New("the silence begins in more than a year: alerts.maintenance in the configuration repeats")
	}
	if problems := s.Match.Check(); len(problems) > 0 {
		return fmt.Errorf("%s: %s", problems[0].Key, problems[0].Message)
	}
	return nil
}

// Settle sets UpTo where nobody did: to the highest severity among the alerts that
// the silence would mute, which its author has seen, but at least medium and never
// critical.
func (s *Silence) Settle(muted []schema.Alert) {
	if s.UpTo != schema.SeverityUnknown {
		return
	}
	s.UpTo = schema.SeverityMedium
	for _, a := range muted {
		s.UpTo = max(s.UpTo, min(a.Severity, schema.SeverityHigh))
	}
}

// Active says whether the silence counts at a time.
func (s Silence) Active(now time.Time) bool { return !now.Before(s.StartsAt) && now.Before(s.EndsAt) }

// Mutes says whether the silence mutes an alert while it is active.
func (s Silence) Mutes(a schema.Alert) bool {
	return (s.UpTo == schema.SeverityUnknown || a.Severity <= s.UpTo) && s.Match.All(a)
}

// SplitWords splits a line as a shell does: quotes keep blanks together. Slack hands
// a command over as one line, in which quotes may have become typographic ones.
func SplitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range line {
		switch r {
		case '“', '”', '„':
			r = '"'
		case '‘', '’', '‚':
			r = '\''
		}
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t' || r == '\n' || r == '\u00a0':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		case r == '—' && !inWord:
			// Phones make one dash of two.
			word.WriteString("--")
			inWord = true
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// parseLength is time.ParseDuration with days.
func parseLength(text string) (time.Duration, error) {
	bad := fmt.Errorf("the duration %q is not known: write such as 90m, 2h or 3d", text)
	var days time.Duration
	rest := text
	if before, after, has := strings.Cut(text, "d"); has {
		n := 0
		if _, err := fmt.Sscanf(before, "%d", &n); err != nil || n < 0 || n > 400 || fmt.Sprint(n) != before {
			return 0, bad
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	var more time.Duration
	if rest != "" {
		var err error
		if more, err = time.ParseDuration(rest); err != nil {
			return 0, bad
		}
	}
	if days+more <= 0 {
		return 0, bad
	}
	return days + more, nil
}

func parseMoment(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("the time %q is not known: write such as 2026-03-01T22:00:00Z or 2026-03-01T23:00:00+01:00", text)
	}
	return t, nil
}
