package formats

import (
	"strings"

	"github.com/crmwatch/crmwatch/schema"
)

// crmVerb is what an action does, by the words of its name: ADD_USER, "Mass
// Deleted", contactExported.
type crmVerb uint8

// In order of rank: an EXPORT_CREATED is an export.
const (
	verbNone crmVerb = iota
	verbExport
	verbImport
	verbDelete
	verbRestore
	verbDisable
	verbEnable
	verbCreate
	verbUpdate
	verbShare
	verbRead
)

var crmVerbs = func() map[string]crmVerb {
	verbs := map[string]crmVerb{}
	for verb, words := range map[crmVerb]string{
		verbExport:  "export exported exports exporting download downloaded backup",
		verbImport:  "import imported imports importing upload uploaded",
		verbDelete:  "delete deleted deletes deletion remove removed removal purge purged revoke revoked uninstall uninstalled unassign unassigned",
		verbRestore: "restore restored undelete undeleted recover recovered",
		verbDisable: "disable disabled deactivate deactivated deactivation suspend suspended unpublish unpublished",
		verbEnable:  "enable enabled activate activated activation reactivate reactivated resume resumed",
		verbCreate:  "create created creates creation add added adds insert inserted invite invited grant granted assign assigned install installed generate generated new clone cloned",
		verbUpdate:  "update updated updates change changed changes edit edited modify modified set reset rotate rotated rename renamed merge merged convert converted conversion transfer transferred reassign reassigned move moved publish published",
		verbShare:   "share shared",
		verbRead:    "view viewed views read reveal revealed access accessed print printed list listed search searched",
	} {
		for word := range strings.FieldsSeq(words) {
			verbs[word] = verb
		}
	}
	return verbs
}()

// crmWords cuts a name into lower-case words: at what is no letter or digit, and
// where a small letter is followed by a capital.
func crmWords(name string) (words []string) {
	name = name[:min(len(name), maxMemoKey)]
	from := 0
	end := func(i int) {
		if i > from {
			words = append(words, strings.ToLower(name[from:i]))
		}
	}
	for i := range len(name) {
		c := name[i]
		switch letter := isBare(c) && c != '-' && c != '+' && c != '.' && c != '_' || c >= 0x80; {
		case !letter:
			end(i)
			from = i + 1
		case i > from && c-'A' < 26 && name[i-1]-'a' < 26:
			end(i)
			from = i
		}
	}
	end(len(name))
	return words
}

// verbOf is the verb of highest rank among words.
func verbOf(words []string) crmVerb {
	found := verbNone
	for _, word := range words {
		if verb := crmVerbs[word]; verb != verbNone && (found == verbNone || verb < found) {
			found = verb
		}
	}
	return found
}

// api is the activity_id of OCSF 6003 API Activity.
func (v crmVerb) api() uint64 {
	switch v {
	case verbCreate, verbImport:
		return schema.APICreate
	case verbRead, verbExport:
		return schema.APIRead
	case verbUpdate, verbRestore, verbEnable, verbDisable, verbShare:
		return schema.APIUpdate
	case verbDelete:
		return schema.APIDelete
	}
	return schema.ActivityOther
}

// entity is the activity_id of OCSF 3004 Entity Management.
func (v crmVerb) entity() uint64 {
	switch v {
	case verbEnable:
		return 8
	case verbDisable:
		return 9
	}
	return v.api()
}

// account is the activity_id of OCSF 3001 Account Change.
func (v crmVerb) account() uint64 {
	switch v {
	case verbCreate, verbImport:
		return 1
	case verbEnable, verbRestore:
		return 2
	case verbDisable:
		return 5
	case verbDelete:
		return 6
	}
	return schema.ActivityOther
}

// webImport is the activity_id of OCSF 6001 Web Resources Activity for an import.
const webImport = 6
