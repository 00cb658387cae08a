package alerting

import (
	"slices"
	"strings"
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
	verdict, entity := verdictOf(a.Findings), cut(a.Entity, maxName)
	if verdict == "" {
		title := cut(firstTitle(a.Findings), maxName)
		if entity == "" || strings.Contains(title, entity) {
			return title
		}
		return title + ": " + entity
	}
	var phrases []string
	for _, f := range a.Findings {
		for _, phrase := range phrasesOf(f) {
			phrase = cut(phrase, maxPhrase)
			if !slices.Contains(phrases, phrase) {
				phrases = append(phrases, phrase)
			}
		}
	}
	if len(phrases) > maxTitlePhrases {
		phrases = append(phrases[:maxTitlePhrases-1], "and more")
	}
	return verdict + ": " + entity + " — " + strings.Join(phrases, ", ")
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
// words all begin a word of the id counts.
var rulePhrases = []struct {
	words   []string
	phrases []string
}{
	{[]string{"recon", "bulk"}, []string{"reconnaissance", "bulk export"}},
	{[]string{"bulk", "delet"}, []string{"job deleted"}},
	{[]string{"job", "delet"}, []string{"job deleted"}},
	{[]string{"mass", "delet"}, []string{"mass deletion"}},
	{[]string{"new", "network"}, []string{"new network"}},
	{[]string{"new", "client"}, []string{"new client"}},
	{[]string{"several", "place"}, []string{"one credential in several places"}},
	{[]string{"secret"}, []string{"search for secrets"}},
	{[]string{"spray"}, []string{"password spray"}},
	{[]string{"stuffing"}, []string{"credential stuffing"}},
	{[]string{"brute"}, []string{"password guessing"}},
	{[]string{"traffic", "spike"}, []string{"traffic spike"}},
	{[]string{"payload", "spike"}, []string{"larger payloads"}},
	{[]string{"rows", "spike"}, []string{"more rows read"}},
	{[]string{"recon"}, []string{"reconnaissance"}},
	{[]string{"impersonat"}, []string{"impersonation"}},
	{[]string{"revoke"}, []string{"used after revocation"}},
	{[]string{"export"}, []string{"export"}},
}

// phrasesOf is what a finding adds to the title of its story.
func phrasesOf(f schema.Finding) []string {
	if phrase := f.Attributes[AttributeStoryPhrase]; phrase != "" {
		return []string{phrase}
	}
	have := words(f.Rule)
	for _, entry := range rulePhrases {
		if !slices.ContainsFunc(entry.words, func(want string) bool {
			return !slices.ContainsFunc(have, func(w string) bool { return strings.HasPrefix(w, want) })
		}) {
			return entry.phrases
		}
	}
	for _, id := range f.Attack {
		if t, ok := lookUp(id); ok {
			return []string{t.phrase}
		}
	}
	return []string{strings.Join(have, " ")}
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
