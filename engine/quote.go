package engine

import "strings"

var (
	stringEscapes     = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\x00", `\0`)
	identifierEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "\n", `\n`, "\x00", `\0`)
)

// quoteString writes text as a ClickHouse string literal.
func quoteString(text string) string { return "'" + stringEscapes.Replace(text) + "'" }

// QuoteIdentifier writes name as a ClickHouse identifier, whatever is in it.
func QuoteIdentifier(name string) string { return "`" + identifierEscapes.Replace(name) + "`" }
