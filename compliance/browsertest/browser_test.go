package browsertest

import (
	"strings"
	"testing"
)

// The browser must see what tests are to find: a page that asks for something outside,
// that is wider than the screen, that is three pages long.
func TestBrowserSeesWhatIsWrong(t *testing.T) {
	b := Start(t)
	b.Open(t, []byte(`<!DOCTYPE html><title>wrong</title><img src="http://127.0.0.1:9/picture.png" alt=""><div style="width:3000px">wide</div>`+
		strings.Repeat(`<p style="break-after:page">page</p>`, 2)+`<p>last</p>`), 390, 800)
	var width int
	b.Eval(t, "document.documentElement.scrollWidth", &width)
	if width < 3000 {
		t.Errorf("a page of 3000 pixels is %d wide", width)
	}
	if asked := b.Requests(); len(asked) != 1 || !strings.Contains(asked[0], "picture.png") {
		t.Errorf("the page asks for a picture, seen is %q", asked)
	}
	if n := Pages(b.PDF(t)); n != 3 {
		t.Errorf("printed are %d pages, want 3", n)
	}
}

func TestMissingBrowserSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CRMWATCH_CHROMIUM", "")
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "make browser") {
		t.Errorf("says %v", err)
	}
}
