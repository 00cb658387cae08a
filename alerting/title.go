package alerting

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/crmwatch/crmwatch/schema"
)

// maxTitlePhrases bounds a title: what a person reads in a notification.
const maxTitlePhrases = 6

// maxPhrase is how long one phrase of a title is, in characters.
const maxPhrase = 60

// titleOf tells the story in one line: what it looks like, who, and the steps in
// the order in which they happened. The findings of one rule have its own title.
func titleOf(a schema.Alert) string {
	if len(a.Findings) == 0 {
		return a.Title
	}
	telling := tellingOf(a.Findings)
	verdict, entity := verdictOf(telling), cut(a.Entity, maxName)
	if verdict == "" {
		title := cut(firstTitle(telling), maxName)
		if entity == "" || strings.Contains(title, entity) {
			return title
		}
		return title + ": " + entity
	}
	phrases := phrasesInOrder(telling)
	if len(phrases) > maxTitlePhrases {
		phrases = append(phrases[:maxTitlePhrases-1], "and more")
	}
	return verdict + ": " + entity + " — " + strings.Join(phrases, ", ")
}

// tellingOf leaves out what is only worth noting, where there is something else: a
// title says what makes the alert one.
func tellingOf(findings []schema.Finding) []schema.Finding {
	telling := make([]schema.Finding, 0, len(findings))
	for _, f := range findings {
		if f.Severity != schema.SeverityInformational {
			telling = append(telling, f)
		}
	}
	if len(telling) == 0 {
		return findings
	}
	return telling
}

// phrasesInOrder lists what the findings add to the title, each once, in the order
// in which it happened.
func phrasesInOrder(findings []schema.Finding) []string {
	type step struct {
		at     time.Time
		phrase string
	}
	var steps []step
	for _, f := range findings {
		phrases, endsWithIt := phrasesOf(f)
		for i, phrase := range phrases {
			at := f.FirstSeen
			if endsWithIt && i == len(phrases)-1 {
				at = f.LastSeen
			}
			steps = append(steps, step{at, cut(phrase, maxPhrase)})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	var phrases []string
	for _, s := range steps {
		if !slices.Contains(phrases, s.phrase) {
			phrases = append(phrases, s.phrase)
		}
	}
	return phrases
}

func firstTitle(findings []schema.Finding) string {
	for _, f := range findings {
		if f.Title != "" {
			return f.Title
		}
	}
	return sentence(strings.Join(words(findings[0].Rule), " "))
}

// verdictOf says what the techniques of several rules add up to; it is empty
// when one rule speaks alone.
func verdictOf(findings []schema.Finding) string {
	if !slices.ContainsFunc(findings, func(f schema.Finding) bool { return f.Rule != findings[0].Rule }) {
		return ""
	}
	var (
		guess   = hasTechnique(findings, "T1110")
		token   = hasTechnique(findings, "T1528", "T1550")
		recon   = hasTechnique(findings, "T1087", "T1526")
		exfil   = hasTechnique(findings, "T1030", "T1119", "T1213", "T1530", "T1567")
		destroy = hasTechnique(findings, "T1485", "T1565")
		entered = token || exfil || hasTechnique(findings, "T1078", "T1098", "T1134")
	)
	switch {
	case destroy:
		return "Possible destruction of data"
	case guess && entered:
		return "Possible account takeover"
	case token && (recon || exfil):
		return "Possible token theft"
	case token:
		return "Possible token misuse"
	case recon && exfil:
		return "Possible data theft"
	case guess:
		return "Passwords being guessed"
	}
	return "Suspicious activity"
}

// rulePhrases maps the words of a rule's id to its phrases; the first entry whose
// words all begin a word of the id counts. endsWithIt says that the last phrase is
// what the finding ends with: reconnaissance comes days before the export.
var rulePhrases = []struct {
	words      []string
	phrases    []string
	endsWithIt bool
}{
	{[]string{"recon", "bulk"}, []string{"reconnaissance", "bulk export"}, true},
	{[]string{"bulk", "delet"}, []string{"job deleted"}, true},
	{[]string{"job", "delet"}, []string{"job deleted"}, true},
	{[]string{"mass", "delet"}, []string{"mass deletion"}, false},
	{[]string{"new", "network"}, []string{"new network"}, false},
	{[]string{"new", "client"}, []string{"new client"}, false},
	{[]string{"several", "place"}, []string{"one credential in several places"}, false},
	{[]string{"secret"}, []string{"search for secrets"}, false},
	{[]string{"spray"}, []string{"password spray"}, false},
	{[]string{"stuffing"}, []string{"credential stuffing"}, false},
	{[]string{"brute"}, []string{"password guessing"}, false},
	{[]string{"traffic", "spike"}, []string{"traffic spike"}, false},
	{[]string{"payload", "spike"}, []string{"larger payloads"}, false},
	{[]string{"rows", "spike"}, []string{"more rows read"}, false},
	{[]string{"recon"}, []string{"reconnaissance"}, false},
	{[]string{"impersonat"}, []string{"impersonation"}, false},
	{[]string{"revoke"}, []string{"used after revocation"}, false},
	{[]string{"export"}, []string{"export"}, false},
}

// phrasesOf is what a finding adds to the title of its story, and whether the last
// of it happened at the finding's end.
func phrasesOf(f schema.Finding) (phrases []string, endsWithIt bool) {
	if phrase := f.Attributes[AttributeStoryPhrase]; phrase != "" {
		return []string{phrase}, false
	}
	have := words(f.Rule)
	for _, entry := range rulePhrases {
		if !slices.ContainsFunc(entry.words, func(want string) bool {
			return !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, want) })
		}) {
			return entry.phrases, entry.endsWithIt
		}
	}
	for _, id := range f.Attack {
		if t, ok := lookUp(id); ok {
			return []string{t.phrase}, false
		}
	}
	return []string{strings.Join(have, " ")}, false
}

// words splits a rule's id at everything that is neither letter nor digit.
func words(id string) []string {
	return strings.FieldsFunc(strings.ToLower(id), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
