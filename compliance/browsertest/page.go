package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// Eval gives what a JavaScript expression is on the page that is open. The page's own
// policy does not bind it.
func (b *Browser) Eval(t testing.TB, expression string, value any) {
	t.Helper()
	var said struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text string `json:"text"`
		} `json:"exceptionDetails"`
	}
	if err := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &said); err != nil {
		t.Fatalf("ask the page: %v", err)
	}
	if said.Exception != nil {
		t.Fatalf("ask the page %s: %s", expression, said.Exception.Text)
	}
	if err := json.Unmarshal(said.Result.Value, value); err != nil {
		t.Fatalf("ask the page %s: %v", expression, err)
	}
}

// Requests are the addresses that the page has asked for, but for itself and for what
// it holds; also those that its policy refused.
func (b *Browser) Requests() (asked []string) {
	for _, r := range b.requests {
		if !(strings.HasPrefix(r.address, "file://") && strings.HasSuffix(r.address, "/page.html")) && !strings.HasPrefix(r.address, "data:") {
			asked = append(asked, r.address)
		}
	}
	return asked
}

// Refused are the addresses that the page's own policy kept from being asked.
func (b *Browser) Refused() (refused []string) {
	for _, r := range b.requests {
		if r.refused {
			refused = append(refused, r.address)
		}
	}
	return refused
}

// Dark shows pages as on a dark screen, or as on a light one.
func (b *Browser) Dark(t testing.TB, dark bool) {
	t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	feature := []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}
	if err := b.call("Emulation.setEmulatedMedia", map[string]any{"features": feature}, nil); err != nil {
		t.Fatalf("choose a %s screen: %v", scheme, err)
	}
}

// Paper shows pages as they are printed, or as on a screen again.
func (b *Browser) Paper(t testing.TB, paper bool) {
	t.Helper()
	media := ""
	if paper {
		media = "print"
	}
	if err := b.call("Emulation.setEmulatedMedia", map[string]any{"media": media}, nil); err != nil {
		t.Fatalf("show the page as on paper: %v", err)
	}
}

// Screenshot is a picture (PNG) of the whole page.
func (b *Browser) Screenshot(t testing.TB) []byte {
	t.Helper()
	return b.file(t, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
}

// PDF prints the page, in the size that the page itself asks for.
func (b *Browser) PDF(t testing.TB) []byte {
	t.Helper()
	return b.file(t, "Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": true})
}

func (b *Browser) file(t testing.TB, method string, params map[string]any) []byte {
	t.Helper()
	var made struct {
		Data string `json:"data"`
	}
	if err := b.call(method, params, &made); err != nil {
		t.Fatal(err)
	}
	content, err := base64.StdEncoding.DecodeString(made.Data)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return content
}

var pdfPage = regexp.MustCompile(`/Type\s*/Page\b`)

// Pages counts the pages of a PDF that Chromium has printed.
func Pages(pdf []byte) int { return len(pdfPage.FindAll(pdf, -1)) }
