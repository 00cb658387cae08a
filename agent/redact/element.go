package redact

// element deals with <name>value and value</name>; the mark is the ">".
func (r *Redactor) element(f namedField, start int, kind Kind) (next int) {
	c, n := before(f.s, start)
	if c == ':' { // a namespace
		start -= n
		for range maxName {
			if c, n = before(f.s, start); !isAlnum(c) && c != '_' && c != '-' {
				break
			}
			start -= n
		}
	}
	from, to := f.after, f.after
	switch c {
	case '<':
		for {
			c, n := at(f.s, to, f.depth)
			if n == 0 || c == '<' {
				break
			}
			to += n
		}
	case '/':
		start -= n
		if c, n = before(f.s, start); c != '<' {
			return f.after
		}
		to = start - n
		from = to
		for from > 0 {
			if c, n = before(f.s, from); c == '>' || c == '<' {
				break
			}
			from -= n
		}
		if c != '>' {
			return f.after
		}
	default:
		return f.after
	}
	if isSecretValue(f.s[from:to], kind, false, false) {
		r.found(f.s, from, to, kind)
	}
	return max(f.after, to)
}
