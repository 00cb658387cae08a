package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// setupThings are what a sentence of the audit trail can be about, as it calls them
// before their names.
var setupThings = []string{
	"external client app", "connected app", "named credential", "external credential", "auth. provider", "auth provider",
	"remote site", "permission set group", "permission set", "certificate",
}

// setupNames fills in whom or what an entry is about: the log has no column for it, only
// the sentence ("Froze user Ada Lovelace", "Deleted connected app Acme Sync"). In
// another language than English, only a user's login name can be told.
func setupNames(r *salesforceReader) {
	e := r.event
	sentence := e.Text[schema.Message]
	if e.Number[schema.ClassUID] == schema.ClassAccountChange {
		e.Text[schema.UserName] = loginNameIn(sentence)
		if e.Text[schema.UserName] == "" && !r.foreign {
			e.Text[schema.UserName] = nameAfter(sentence, "user")
		}
		return
	}
	if r.foreign {
		return
	}
	for _, thing := range setupThings {
		if name := nameAfter(sentence, thing); name != "" {
			e.Text[schema.ResourcesName] = name
			return
		}
	}
}

// loginNameIn is the first word of a sentence that has the form of an e-mail address, as
// login names have.
func loginNameIn(sentence string) string {
	for word := range strings.FieldsSeq(sentence) {
		word = strings.Trim(word, `.,;:'"()`)
		if name, domain, ok := strings.Cut(word, "@"); ok && name != "" && strings.IndexByte(domain, '.') > 0 {
			return word
		}
	}
	return ""
}

// nameAfter is the name that follows the word for a thing: what stands in quotes, or all
// up to where the sentence goes on.
func nameAfter(sentence, thing string) string {
	at := indexWord(sentence, thing)
	if at < 0 {
		return ""
	}
	name := strings.TrimLeft(sentence[at+len(thing):], " :")
	if name == "" {
		return ""
	}
	if quote := name[0]; quote == '"' || quote == '\'' {
		if end := strings.IndexByte(name[1:], quote); end >= 0 {
			return name[1 : 1+end]
		}
	}
	for _, end := range []string{" to user ", " from user ", " for user ", " was ", " has been ", ", "} {
		name, _, _ = strings.Cut(name, end)
	}
	return strings.TrimRight(name, " .")
}

// indexWord finds a word, or words, whatever its case, with a space behind it; -1 where
// it is not. Only letters of ASCII change their case, so places stay what they are.
func indexWord(sentence, word string) int {
	for at := 0; at+len(word) < len(sentence); at++ {
		if strings.EqualFold(sentence[at:at+len(word)], word) && (at == 0 || sentence[at-1] == ' ') && strings.IndexByte(" :", sentence[at+len(word)]) >= 0 {
			return at
		}
	}
	return -1
}
