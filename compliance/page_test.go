package compliance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crmwatch/crmwatch/compliance/browsertest"
)

// What a reader sees in a browser: nothing is cut off, nothing hidden, nothing comes
// from elsewhere.
func TestPageInABrowser(t *testing.T) {
	s := nasty()
	var page bytes.Buffer
	if err := WriteHTML(&page, s); err != nil {
		t.Fatal(err)
	}
	b := browsertest.Start(t)
	for _, width := range []int{1280, 390} {
		for _, dark := range []bool{false, true} {
			b.Dark(t, dark)
			b.Open(t, page.Bytes(), width, 900)
			name := fmt.Sprintf("%d pixels, dark %v", width, dark)
			checkOnePage(t, b, name, s)
			if folder := os.Getenv("CRMWATCH_PICTURES"); folder != "" {
				keep(t, folder, fmt.Sprintf("nasty-%d-%v.png", width, dark), b.Screenshot(t))
			}
		}
	}
	pdf := b.PDF(t)
	if n := browsertest.Pages(pdf); n < 4 || n > 12 {
		t.Errorf("printed are %d pages", n)
	}
	// A4, in points.
	if size := regexp.MustCompile(`/MediaBox\s*\[\s*0 0 (59[45][.\d]*) (84[12][.\d]*)\s*\]`); !size.Match(pdf) {
		t.Errorf("the paper is not A4: %s", regexp.MustCompile(`/MediaBox[^\]]*`).Find(pdf))
	}
	if folder := os.Getenv("CRMWATCH_PICTURES"); folder != "" {
		keep(t, folder, "nasty.pdf", pdf)
	}
}

func checkOnePage(t *testing.T, b *browsertest.Browser, name string, s Summary) {
	t.Helper()
	var scroll, client int
	b.Eval(t, "document.documentElement.scrollWidth", &scroll)
	b.Eval(t, "document.documentElement.clientWidth", &client)
	if scroll > client {
		var widest []string
		b.Eval(t, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth && !e.closest(".rows, pre")).map(e => e.tagName + "." + e.className).slice(0, 5)`, &widest)
		t.Errorf("%s: the page is %d wide, the screen %d: %s", name, scroll, client, widest)
	}
	var headings []string
	b.Eval(t, `[...document.querySelectorAll("h1, h2, h3")].filter(h => h.checkVisibility() && h.getBoundingClientRect().height > 10).map(h => h.textContent)`, &headings)
	shown := strings.Join(headings, "\n")
	for section, answer := range s.Content.answers {
		if !strings.Contains(shown, section.Title) || !strings.Contains(shown, answer.Title) {
			t.Errorf("%s: no heading %q or %q is seen", name, section.Title, answer.Title)
		}
	}
	var levels []int
	b.Eval(t, `[...document.querySelectorAll("h1, h2, h3, h4")].map(h => +h.tagName[1])`, &levels)
	for i := 1; i < len(levels); i++ {
		if levels[i] > levels[i-1]+1 {
			t.Errorf("%s: heading %d is of level %d after %d", name, i, levels[i], levels[i-1])
		}
	}
	var broken []string
	b.Eval(t, `[...document.querySelectorAll("a[href]")].filter(a => !document.getElementById(a.getAttribute("href").slice(1))).map(a => a.outerHTML)`, &broken)
	if len(broken) > 0 {
		t.Errorf("%s: links lead nowhere: %s", name, broken)
	}
	var twice []string
	b.Eval(t, `[...document.querySelectorAll("[id]")].map(e => e.id).filter((id, i, all) => all.indexOf(id) != i)`, &twice)
	if len(twice) > 0 {
		t.Errorf("%s: ids are taken twice: %s", name, twice)
	}
	if asked := b.Requests(); len(asked) > 0 {
		t.Errorf("%s: the page asks elsewhere: %s", name, asked)
	}
	checkContrast(t, b, name)
}

// checkContrast computes WCAG's contrast of every text that is seen against what is
// behind it.
func checkContrast(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	var faint []string
	b.Eval(t, `(() => {
		const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1}; };
		const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
		const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a == 1) return c.rgb; } return [255, 255, 255]; };
		const faint = [];
		for (const e of document.querySelectorAll("body *")) {
			if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())) continue;
			const style = getComputedStyle(e), svg = e.namespaceURI.endsWith("svg");
			if (svg && e.tagName != "text") continue;
			const front = light(parse(svg ? style.fill : style.color).rgb), back = light(behind(e));
			const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
			if (ratio < 4.5) faint.push(e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(1));
		}
		return faint;
	})()`, &faint)
	if len(faint) > 0 {
		t.Errorf("%s: texts stand out too little: %s", name, faint[:min(5, len(faint))])
	}
}

// The style is applied although the page's policy lets nothing else be: a style that
// does not have the hash, or a script, would not.
func TestPagePolicy(t *testing.T) {
	var page bytes.Buffer
	if err := WriteHTML(&page, nasty()); err != nil {
		t.Fatal(err)
	}
	b := browsertest.Start(t)
	attacked := strings.Replace(page.String(), "</main>", `<style>h1 { display: none }</style><script>document.title = "ran"</script><img src="http://127.0.0.1:9/x.png" onerror="document.title = 'ran'"></main>`, 1)
	b.Open(t, []byte(attacked), 1280, 900)
	var title, heading, width string
	b.Eval(t, "document.title", &title)
	b.Eval(t, `getComputedStyle(document.querySelector("h1")).display`, &heading)
	b.Eval(t, `getComputedStyle(document.body).maxWidth`, &width)
	if title == "ran" || heading == "none" {
		t.Errorf("what was put into the page works: title %q, heading %q", title, heading)
	}
	if width != "1152px" {
		t.Errorf("the page's own style is not applied: the body is at most %s wide", width)
	}
	if refused := b.Refused(); len(refused) != 1 {
		t.Errorf("the page's policy refuses %q, want the picture", refused)
	}
}

func keep(t *testing.T, folder, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}
