package engine

import "strings"

// closedFunctions are refused to readers by name: file reads files of the machine, catboostEvaluate loads them, and
// generateRandom takes a table structure as a string, in which any expression can be hidden. Only file() is not covered by
// the engine's own permissions. This check gives the usual refusal; what holds against tricks (names built at run time,
// settings with SQL inside) is the sandbox.
var closedFunctions = map[string]bool{"file": true, "catboostEvaluate": true, "generateRandom": true}

// permit lets a reader run one statement that changes nothing and names none of the closed functions. The engine refuses
// the rest by itself: the connection has the role of readers and readonly=2.
func permit(c *connection, q *request, st statement) error {
	if q.role == Admin {
		return nil
	}
	if st.insert != notInsert {
		return refuseWrite()
	}
	analysis := c.classify(st.text)
	if analysis.queryClass == classUnknown {
		return nil // it does not parse: the engine says where
	}
	if analysis.queryClass != classReadOnly || analysis.statementCount != 1 {
		return refuseWrite()
	}
	lex := &lexer{text: st.text}
	for tok := lex.next(); tok.kind != tokenEnd && tok.kind != tokenBroken; tok = lex.next() {
		if tok.kind != tokenWord && tok.kind != tokenQuoted {
			continue
		}
		if name := unquote(st.text[tok.start:tok.end]); closedFunctions[name] {
			return refuse(codeAccessDenied, "ACCESS_DENIED",
				"%s: Not enough privileges. To execute this query, it's necessary to have the grant to call %s", Reader, name)
		}
	}
	return nil
}

func refuseWrite() error {
	return refuse(codeReadonly, "READONLY", "%s: Cannot execute query in readonly mode", Reader)
}

// unquote returns the name that a word or a quoted identifier stands for.
func unquote(name string) string {
	if len(name) < 2 || name[0] != '`' && name[0] != '"' {
		if inner, ok := strings.CutPrefix(name, "\u201c"); ok {
			return strings.TrimSuffix(inner, "\u201d")
		}
		return name
	}
	quote, inner := name[0], name[1:len(name)-1]
	var plain strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if i+1 == len(inner) || c != '\\' && c != quote {
			plain.WriteByte(c)
			continue
		}
		i++ // a doubled quote, or a character after a backslash
		if c != '\\' {
			plain.WriteByte(c)
			continue
		}
		switch inner[i] {
		case 'x':
			if i+2 < len(inner) {
				plain.WriteByte(hexDigit(inner[i+1])<<4 | hexDigit(inner[i+2]))
				i += 2
			}
		case 'N': // NULL in ClickHouse's escapes: nothing
		default:
			if at := strings.IndexByte("abfnrtve0", inner[i]); at >= 0 {
				plain.WriteByte("\a\b\f\n\r\t\v\x1b\x00"[at])
			} else {
				plain.WriteByte(inner[i])
			}
		}
	}
	return plain.String()
}

func hexDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	default:
		return c | 0x20 - 'a' + 10
	}
}
