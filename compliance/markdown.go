package compliance

import (
	"fmt"
	"io"
)

// WriteMarkdown writes the summary as Markdown that can be read as it is.
func WriteMarkdown(w io.Writer, s Summary) error {
	_, err := fmt.Fprintf(w, "# Summary of %s\n", s.Content.Period)
	return err
}
