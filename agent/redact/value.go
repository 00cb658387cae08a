package redact

import "strings"

// isSecretValue says whether v, the value of a field that is named as secrets are,
// is one. What is empty, a placeholder or part of a search is none.
func isSecretValue(v string, kind Kind, weak, prose bool) bool {
	alnum, digit := false, false
	for i := range len(v) {
		if isAlnum(v[i]) || v[i] >= 0x80 {
			alnum = true
			digit = digit || isDigit(v[i])
			if digit {
				break
			}
		}
	}
	if !alnum {
		return false
	}
	if len(v) <= 9 {
		switch strings.ToLower(v) {
		case "null", "true", "false", "none", "nil", "undefined", "redacted":
			return false
		}
	}
	if prose && kind != KindPassword && kind != KindAuthorization && kind != KindCookie && !digit && len(v) < 16 {
		return false
	}
	if weak {
		return isWeakValue(v, kind)
	}
	return true
}

// isWeakValue says whether v looks like a secret on its own.
func isWeakValue(v string, kind Kind) bool {
	switch kind {
	case KindCode:
		return len(v) >= 12 && looksRandom(v)
	case KindAPIKey:
		return len(v) >= 16 && looksRandom(v) && !isRecordID(v)
	case KindAuthorization:
		return len(v) >= 8
	}
	return len(v) >= 16 && looksRandom(v)
}

// looksRandom says whether v is no word: it has a digit, or capitals inside.
func looksRandom(v string) bool {
	upper, lower := false, false
	for i := range len(v) {
		switch {
		case isDigit(v[i]):
			return true
		case isUpper(v[i]):
			upper = upper || i > 0
		case isLetter(v[i]):
			lower = true
		}
	}
	return upper && lower
}

// isRecordID says whether v has the form of a Salesforce record id.
func isRecordID(v string) bool {
	if len(v) != 15 && len(v) != 18 {
		return false
	}
	for i := range len(v) {
		if !isAlnum(v[i]) {
			return false
		}
	}
	return true
}

// isScheme says whether v is the first word of an Authorization header.
func isScheme(v string) bool {
	switch strings.ToLower(v) {
	case "bearer", "basic", "token", "oauth", "digest", "negotiate", "apikey":
		return true
	}
	return false
}
