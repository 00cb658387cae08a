package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

// TestRowAndColumnsAreTheEvent wants a batch to come to what Event comes to, in every
// column and with every kind of secret.
func TestRowAndColumnsAreTheEvent(t *testing.T) {
	values := []string{
		"00D7x00000U7VUM!AQEAQKp3xM9ZbT7vQ1nLrY8sHw2eUjF5dCgXoPaVbNmKlQwErTyUiOpAsDfGhJkLzXcVbNm1234567890abcd",
		"password=hunter2secret&user=x", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		"plain", "svc-chat@acme.example", "AKIAIOSFODNN7EXAMPLE and 4111 1111 1111 1111", strings.Repeat("x", 300), "",
	}
	for _, value := range values {
		var whole, parts schema.Event
		for column := range whole.Text {
			whole.Text[column], parts.Text[column] = value, value
		}
		for _, e := range []*schema.Event{&whole, &parts} {
			e.AddUnmapped("CLIENT_SECRET", value)
			e.AddUnmapped("NOTE", value)
		}
		New([]byte(strings.Repeat("k", 32))).Event(&whole)
		r := New([]byte(strings.Repeat("k", 32)))
		r.Row(&parts)
		for column := range parts.Text {
			if schema.IsDictionary(schema.Text(column)) && parts.Text[column] != "" {
				parts.Text[column] = r.Column(schema.Text(column), parts.Text[column])
			}
		}
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Errorf("%.20q (-event +row and columns):\n%s", value, diff)
		}
	}
}
