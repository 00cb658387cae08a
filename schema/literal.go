package schema

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table expressions, such as TTL, take no parameters: a name that people chose can stand
// there only as a literal.

// maxLiteral is longer than any name of a tenant, a user or a product is, in bytes.
const maxLiteral = 256

// CheckLiteral says why a text cannot be written into a statement. Quotes, backslashes and
// braces are no reason; what people would not see is.
func CheckLiteral(s string) error {
	switch {
	case len(s) > maxLiteral:
		return fmt.Errorf("it has %d bytes: at most %d are taken", len(s), maxLiteral)
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is no valid UTF-8", s)
	}
	for _, r := range s {
		if r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) && r != ' ' {
			return fmt.Errorf("%q holds the character %U, which cannot be seen", s, r)
		}
	}
	return nil
}

// Literal is s as a string of ClickHouse's SQL: inside it nothing ends it but its last
// quote. s has to pass CheckLiteral; what does not is a defect of the caller.
func Literal(s string) string {
	if err := CheckLiteral(s); err != nil {
		panic("schema: a literal was not checked: " + err.Error())
	}
	return "'" + literalEscapes.Replace(s) + "'"
}

var literalEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// Literals is a list of them, in parentheses, such as for IN.
func Literals(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = Literal(s)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}
