package redact

// slashes says whether an encoded // stands behind the mark.
func (f *namedField) slashes() bool {
	c, n := at(f.s, f.after, anyDepth)
	second, _ := at(f.s, f.after+n, anyDepth)
	return c == '/' && second == '/'
}

// maxAuthority is how far behind :// the user and password of a URL are looked for.
const maxAuthority = 1024

// userInfo finds the password in scheme://user:password@host.
func (r *Redactor) userInfo(f namedField) (next int) {
	s, i := f.s, f.after
	for range 2 {
		_, n := at(s, i, f.depth)
		i += n
	}
	from, colon, host := i, -1, -1
	for i < len(s) && i < from+maxAuthority {
		if marks := marked(s[i:]); marks > 0 {
			i += marks
			continue
		}
		c, n := at(s, i, f.depth)
		if c == '/' || c == '?' || c == '#' || isSpace(c) || isQuote(c) || c == '<' || c == '>' {
			break
		}
		if c == ':' && colon < 0 {
			colon = i + n
		}
		if c == '@' {
			host = i
		}
		i += n
	}
	switch {
	case host < 0:
	case colon >= 0 && colon < host:
		r.found(s, colon, host, KindPassword)
	case looksRandom(s[from:host]) && host-from >= minRun:
		r.found(s, from, host, KindToken)
	}
	return max(i, f.after)
}
