package compliance

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string

	page = template.Must(template.New("page").Parse(pageText))
	// style is small: it is written into every summary.
	style = strings.TrimSpace(styleText)
)

// htmlPage is what the template takes.
type htmlPage struct {
	view
	Style template.CSS
	// StyleHash lets the page have this style and no other.
	StyleHash string
}

// WriteHTML writes the summary as one page that needs nothing else: no network, no
// script. All values are escaped for the place where they stand.
func WriteHTML(w io.Writer, s Summary, seals ...Seal) error {
	v, err := newView(s)
	if err != nil {
		return err
	}
	v.seal(seals)
	sum := sha256.Sum256([]byte(style))
	var out bytes.Buffer
	if err := page.Execute(&out, htmlPage{v, template.CSS(style), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}); err != nil {
		return fmt.Errorf("write summary as HTML: %w", err)
	}
	_, err = out.WriteTo(w)
	return err
}
