package formats

import (
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/crmwatch/crmwatch/schema"
)

// directoryAccounts are the operations of Entra's directory that change an account, by
// plain name, as activity_id of OCSF 3001. The last one makes all refresh tokens and
// sessions invalid that the user had until then. Source: Microsoft's list of the
// directory's audit activities.
var directoryAccounts = map[string]uint64{
	"adduser": 1, "enableaccount": 2, "restoreuser": 2, "changeuserpassword": 3, "resetuserpassword": 4, "resetpassword": 4,
	"disableaccount": 5, "deleteuser": 6, "harddeleteuser": 6, "updatestsrefreshtokenvalidfromtimestamp": schema.ActivityOther,
}

// Kinds of names in Target, from the schema of the Management Activity API.
const (
	targetName  = 1
	targetOther = 2
	targetSPN   = 4
	targetUPN   = 5
)

// directoryTarget is what a record of the directory was done to.
type directoryTarget struct {
	// kind is User, ServicePrincipal, Application or another.
	kind, uid, name string
	// app is the client id of a service principal.
	app string
}

// directoryTargetOf reads ObjectId ("ServicePrincipal_" and an id, or a user's name) and
// Target, a list of the object's names.
func directoryTargetOf(objectID, list string) (t directoryTarget) {
	kindOf := func(text string) {
		if kind, id, ok := strings.Cut(text, "_"); ok && isGUIDLike(id) && isWord(kind) {
			t.kind, t.uid = kind, id
		}
	}
	kindOf(objectID)
	if strings.IndexByte(objectID, '@') > 0 {
		t.kind, t.name = "User", objectID
	}
	ipaasArray(list, func(pair *fastjson.Value) {
		id := ipaasText(pair, "ID", "Id")
		switch pair.GetInt("Type") {
		case targetName:
			if t.name == "" {
				t.name = id
			}
		case targetOther:
			kindOf(id)
		case targetSPN:
			if isGUIDLike(id) {
				t.app = id
			}
		case targetUPN:
			t.kind, t.name = "User", id
		}
	})
	return t
}

// isGUIDLike says whether s can be an id of the directory: hexadecimal and dashes.
func isGUIDLike(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return (c|0x20) < 'a' || (c|0x20) > 'z' })
}

// fillDirectory completes a record of Entra's directory: whose account, application or
// key was changed, so that later sign-ins can be told to be theirs.
func fillDirectory(r *crmRecord) {
	e, v := r.event, &r.values
	t := directoryTargetOf(v[msEntityID], v[msTarget])
	if t.uid != "" {
		e.Text[schema.ResourcesUID] = t.uid
	}
	if e.Text[schema.ResourcesName] == "" {
		e.Text[schema.ResourcesName] = t.name
	}
	if e.Text[schema.ResourcesType] == "" {
		e.Text[schema.ResourcesType] = t.kind
	}
	e.AddUnmapped("TargetAppId", t.app)
	if activity, ok := directoryAccounts[plainName(v[msOperation])]; ok && t.kind == "User" {
		r.activity(schema.ClassAccountChange, activity)
		e.Text[schema.UserUID], e.Text[schema.UserName] = t.uid, t.name
		return
	}
	ipaasArray(v[msModified], func(property *fastjson.Value) {
		before, after := ipaasText(property, "OldValue"), ipaasText(property, "NewValue")
		switch ipaasText(property, "Name") {
		case "AccountEnabled":
			switch plainName(after) {
			case "true":
				e.Number[schema.ActivityID] = 8
			case "false":
				e.Number[schema.ActivityID] = 9
			}
		case "KeyDescription":
			fillDirectoryKey(e, keyIdentifiers(before), keyIdentifiers(after))
		}
	})
}

// fillDirectoryKey tells which key of an application was made or removed. Sign-ins name
// the key by the same id; it is a credential's, so it must stand where those are hashed.
func fillDirectoryKey(e *schema.Event, before, after []string) {
	lacking := func(from, in []string) string {
		if i := slices.IndexFunc(from, func(id string) bool { return !slices.Contains(in, id) }); i >= 0 {
			return from[i]
		}
		return ""
	}
	added, removed := lacking(after, before), lacking(before, after)
	switch {
	case removed != "":
		e.Text[schema.SessionCredentialUID] = removed
		e.Number[schema.ActivityID] = schema.APIDelete
	case added != "":
		e.Text[schema.SessionCredentialUID] = added
		e.Number[schema.ActivityID] = schema.APICreate
	}
}

// keyIdentifiers are the ids in a text such as
// ["[KeyIdentifier=9f0a...,KeyType=Password,KeyUsage=Verify,DisplayName=sync]"].
func keyIdentifiers(text string) (ids []string) {
	const mark = "KeyIdentifier="
	for {
		_, rest, found := strings.Cut(text, mark)
		if !found {
			return ids
		}
		end := strings.IndexAny(rest, ",]\"")
		if end < 0 {
			return ids
		}
		ids = append(ids, rest[:end])
		text = rest[end:]
	}
}
