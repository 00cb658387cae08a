// Package browsertest opens pages in a real browser, Chromium without a screen, so that
// tests can check what a reader gets to see.
package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const startTimeout = 60 * time.Second

// names are what the browser is called, in the order in which deploy/chromium.sh looks.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Browser is a running Chromium with one page.
type Browser struct {
	conn    *websocket.Conn
	next    int
	session string
	// requests are the addresses that pages have asked for.
	requests []request
	loaded   bool
	timeout  time.Duration
}

// request is what a page has asked for.
type request struct {
	id, address string
	// refused is set when the page's own policy kept it from being sent.
	refused bool
}

// Start runs Chromium until the test ends. Without it the test fails and says what to do.
func Start(t testing.TB) *Browser {
	t.Helper()
	program, err := find()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	profile := t.TempDir()
	command := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb",
		"--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	command.Env = append(os.Environ(), "HOME="+profile)
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v (make browser installs Chromium)", program, err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	kill := func() { _ = command.Process.Kill(); <-ended }
	address, err := address(ctx, bufio.NewScanner(said))
	if err != nil {
		kill()
		t.Fatalf("start %s: %v", program, err)
	}
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, address, nil)
	if err != nil {
		kill()
		t.Fatalf("talk to %s: %v", program, err)
	}
	b := &Browser{conn: conn, timeout: startTimeout}
	t.Cleanup(func() {
		// It ends its helpers itself, which write into its profile until then.
		b.session = ""
		if b.call("Browser.close", nil, nil) != nil {
			kill()
		}
		<-ended
		_ = conn.Close()
	})
	if err := b.attach(); err != nil {
		t.Fatalf("open a page in %s: %v", program, err)
	}
	return b
}

func find() (string, error) {
	if own := os.Getenv("CRMWATCH_CHROMIUM"); own != "" {
		return own, nil
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", errors.New("the test opens pages in Chromium, and there is none: run make browser, or set CRMWATCH_CHROMIUM to its path")
}

// address waits for the line in which the browser says where it listens, and reads on
// behind it, so that the browser is never kept waiting.
func address(ctx context.Context, lines *bufio.Scanner) (string, error) {
	found := make(chan string, 1)
	go func() {
		var last string
		for lines.Scan() {
			if _, address, is := strings.Cut(lines.Text(), "DevTools listening on "); is {
				found <- address
			}
			last = lines.Text()
		}
		select {
		case found <- "it ended: " + last:
		default:
		}
	}()
	select {
	case address := <-found:
		if !strings.HasPrefix(address, "ws://") {
			return "", errors.New(address)
		}
		return address, nil
	case <-ctx.Done():
		return "", errors.New("it does not say where it listens")
	}
}

func (b *Browser) attach() error {
	var target struct {
		TargetID string `json:"targetId"`
	}
	if err := b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	if err := b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return err
	}
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime"} {
		if err := b.call(domain+".enable", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// answer is a message of the DevTools protocol.
type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// call sends a command of the DevTools protocol and waits for its answer.
func (b *Browser) call(method string, params, result any) error {
	b.next++
	id := b.next
	message := map[string]any{"id": id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	if err := b.conn.WriteJSON(message); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	for {
		a, err := b.read()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", method, err)
		case a.ID != id:
		case a.Error != nil:
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		case result == nil:
			return nil
		default:
			return json.Unmarshal(a.Result, result)
		}
	}
}

// read takes the next message, and notes what pages ask for.
func (b *Browser) read() (answer, error) {
	var a answer
	if err := b.conn.SetReadDeadline(time.Now().Add(b.timeout)); err != nil {
		return a, err
	}
	if err := b.conn.ReadJSON(&a); err != nil {
		return a, err
	}
	switch a.Method {
	case "Network.requestWillBeSent":
		var sent struct {
			ID      string `json:"requestId"`
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
		}
		if err := json.Unmarshal(a.Params, &sent); err != nil {
			return a, err
		}
		b.requests = append(b.requests, request{id: sent.ID, address: sent.Request.URL})
	case "Network.loadingFailed":
		var failed struct {
			ID     string `json:"requestId"`
			Reason string `json:"blockedReason"`
		}
		if err := json.Unmarshal(a.Params, &failed); err != nil {
			return a, err
		}
		for i := range b.requests {
			b.requests[i].refused = b.requests[i].refused || b.requests[i].id == failed.ID && failed.Reason == "csp"
		}
	case "Page.loadEventFired":
		b.loaded = true
	}
	return a, nil
}

// Open shows a page of the given width and height in CSS pixels, and waits until it is
// loaded.
func (b *Browser) Open(t testing.TB, html []byte, width, height int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		t.Fatal(err)
	}
	b.requests, b.loaded = nil, false
	size := map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
	err := b.call("Emulation.setDeviceMetricsOverride", size, nil)
	if err == nil {
		err = b.call("Page.navigate", map[string]any{"url": "file://" + file}, nil)
	}
	for err == nil && !b.loaded {
		_, err = b.read()
	}
	if err != nil {
		t.Fatalf("open the page: %v", err)
	}
}
