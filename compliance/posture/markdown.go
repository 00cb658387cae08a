package posture

import (
	"fmt"
	"io"
	"strings"
)

// markdownMarks are what Markdown and HTML would read as markup.
var markdownMarks = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", ">", "&gt;", "|", "\\|", "#", "\\#", "&", "&amp;")

// WriteMarkdown writes a report as Markdown. Text of logs never becomes markup.
func WriteMarkdown(w io.Writer, r Report, plain func(string) string) error {
	out := &writer{w: w}
	text := func(s string) string { return markdownMarks.Replace(plain(s)) }
	for _, tenant := range r.Tenants() {
		mine := r.Only(func(x Result) bool { return x.Tenant == tenant })
		out.line("# Posture of %s\n\n%s to %s UTC: %s.\n", text(sayTenant(tenant)), r.From.Format(minute), r.To.Format(minute), mine.SayCounts())
		out.line("| verdict | check | what was seen |\n| --- | --- | --- |")
		for _, x := range mine.Results {
			out.line("| %s | %s | %s |", x.Verdict, text(x.Title), text(x.gist()))
		}
		for _, x := range mine.Results {
			if x.NotPassed == 0 {
				continue
			}
			out.line("\n## %s: %s\n\n%s\n", text(x.Title), x.Verdict, text(x.Why))
			for _, p := range x.Products {
				if p.NotPassed == 0 {
					continue
				}
				out.line("%s: %d of %d did not pass.\n", text(sayProduct(p.Product)), p.NotPassed, p.LookedAt)
				out.line("| who or what | seen | events | from | to |\n| --- | --- | --- | --- | --- |")
				for _, e := range p.Evidence {
					if e.Verdict != CannotJudge {
						out.line("| %s | %s | %d | %s | %s |", text(e.Thing), text(e.Says), e.Events, e.FirstSeen.Format(minute), e.LastSeen.Format(minute))
					}
				}
				out.line("\nMend: %s\n", text(p.Mend))
			}
			out.line("Controls: %s. Query: `crmwatch posture --check %s`", text(strings.Join(x.Controls, ", ")), x.Check)
		}
		out.line("")
	}
	if out.err != nil {
		return fmt.Errorf("write posture: %w", out.err)
	}
	return nil
}
