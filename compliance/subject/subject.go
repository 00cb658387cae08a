package subject

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmwatch/crmwatch/agent/redact"
)

// Kind says what an identifier is.
type Kind string

// A name is what somebody logs in as or is called, an address an e-mail address, a uid
// the id that a product gave, and a pseudonym what stands for one of them.
const (
	Name      Kind = "name"
	Address   Kind = "address"
	UID       Kind = "uid"
	Pseudonym Kind = "pseudonym"
)

// Identifier is one of the ways in which somebody is named.
type Identifier struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
	// Words says that it is looked for in texts too.
	Words bool `json:"in_texts"`
	// Why says why it is not.
	Why string `json:"why_not,omitempty"`
}

// Subject is a person, as the identifiers say that whoever asks has given.
type Subject struct{ Identifiers []Identifier }

// Request is what a person is to be found by.
type Request struct {
	Names, Addresses, UIDs []string
	// Keys made the pseudonyms, also old ones.
	Keys []*redact.PseudonymKey
	// NoTexts leaves out names, but nothing else, where they are words of texts.
	NoTexts bool
}

// minWord and minNumber are the lengths below which a name, or an id of digits alone,
// is not looked for in texts: it would be found where it means something else.
const (
	minWord   = 4
	minNumber = 9
)

// ordinary are names that are words of paths, queries and messages as well.
var ordinary = strings.Fields(`account accounts admin administrator agent alert alerts anonymous api app application audit auth batch bot bulk
case client contact contacts crm customer data default demo event events everyone export guest import info integration internal job jobs lead leads
login logout mail manager marketing middleware monitor nobody oauth office operator opportunity owner partner portal public query report reports rest
root sales salesforce script service services session support sync system task team test tester token unknown user users warehouse webhook`)

// New makes the person of a request. It adds the pseudonyms, and of ids of Salesforce
// the short form.
func New(r Request) (Subject, error) {
	var s Subject
	var refused []string
	add := func(kind Kind, value string) {
		value = strings.TrimSpace(value)
		if value == "" || slices.ContainsFunc(s.Identifiers, func(i Identifier) bool { return i.Value == value }) {
			return
		}
		i := Identifier{Kind: kind, Value: value, Words: true}
		switch why := notAWord(kind, value); {
		case kind == Name && !strings.Contains(value, "@") && r.NoTexts:
			i.Words, i.Why = false, "not wanted"
		case why != "" && kind == Name:
			refused = append(refused, fmt.Sprintf("the name %q %s", value, why))
		case why != "":
			i.Words, i.Why = false, why
		}
		s.Identifiers = append(s.Identifiers, i)
	}
	for kind, values := range map[Kind][]string{Name: r.Names, Address: r.Addresses, UID: r.UIDs} {
		for _, value := range values {
			if strings.ContainsAny(value, "\n\r\x00") || len(value) > 256 {
				return s, fmt.Errorf("an identifier has more than one line or more than 256 bytes: give one at a time")
			}
			if kind == Address && !strings.Contains(strings.Trim(value, "@ "), "@") {
				return s, fmt.Errorf("%q is no e-mail address: give it with --name or --uid", value)
			}
			add(kind, value)
			if kind == UID && len(value) == 18 && strings.HasPrefix(value, "005") {
				add(UID, value[:15])
			}
		}
	}
	if len(s.Identifiers) == 0 {
		return s, errors.New("name the person: --name, --email, --uid; each may be repeated")
	}
	if len(refused) > 0 {
		slices.Sort(refused)
		return s, fmt.Errorf("%s: in texts it would be found where it means something else. Leave texts out with --texts=false, or give the full address", strings.Join(refused, "; "))
	}
	for _, i := range slices.Clone(s.Identifiers) {
		for _, key := range r.Keys {
			add(Pseudonym, key.Pseudonym(i.Value, false))
			if i.Kind != UID {
				add(Pseudonym, key.Pseudonym(i.Value, true))
			}
		}
	}
	slices.SortFunc(s.Identifiers, func(a, b Identifier) int {
		return cmp.Or(cmp.Compare(len(b.Value), len(a.Value)), cmp.Compare(a.Value, b.Value))
	})
	return s, nil
}

// notAWord says why an identifier is not looked for in texts.
func notAWord(kind Kind, value string) string {
	lower := strings.ToLower(value)
	digits := strings.Trim(value, "0123456789") == ""
	switch {
	case kind == Pseudonym || kind == Address || strings.Contains(value, "@"):
		return ""
	case slices.Contains(ordinary, lower):
		return "is an ordinary word"
	case len(value) < minWord:
		return fmt.Sprintf("has fewer than %d letters", minWord)
	case digits && len(value) < minNumber:
		return fmt.Sprintf("is a number of fewer than %d digits", minNumber)
	}
	return ""
}

// named are the identifiers that are the same in any case, in lower case, and exact
// those that are not: two users may have ids of Salesforce that differ in case alone.
func (s Subject) named() (named, exact []string) {
	named, exact = []string{}, []string{}
	for _, i := range s.Identifiers {
		if i.Kind == UID {
			exact = append(exact, i.Value)
			// The digest writes ids in lower case where it compares them to names.
			if lower := strings.ToLower(i.Value); lower != i.Value {
				exact = append(exact, lower)
			}
		} else {
			named = append(named, strings.ToLower(i.Value))
		}
	}
	return named, exact
}

// Has says whether a value is one of the person's identifiers.
func (s Subject) Has(value string) bool {
	return slices.ContainsFunc(s.Identifiers, func(i Identifier) bool {
		return i.Value == value || i.Kind != UID && strings.EqualFold(i.Value, strings.TrimSpace(value))
	})
}

// fingerprint is the same for the same identifiers, and says nothing without the key.
func (s Subject) fingerprint(key []byte) string {
	mac := hmac.New(sha256.New, key)
	for _, i := range s.Identifiers {
		fmt.Fprintf(mac, "%s\x00%s\x00%t\x00", i.Kind, i.Value, i.Words)
	}
	return hex.EncodeToString(mac.Sum(nil))
}
