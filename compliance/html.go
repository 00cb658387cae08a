package compliance

import (
	"html/template"
	"io"
)

var page = template.Must(template.New("summary").Parse(`<!doctype html><html lang="en"><title>Summary</title><h1>{{.Content.Period}}</h1></html>`))

// WriteHTML writes the summary as one page that needs nothing else.
func WriteHTML(w io.Writer, s Summary) error { return page.Execute(w, s) }
