package engine_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/engine"
)

// refusals collects what an engine tells.
type refusals struct {
	mu  sync.Mutex
	all []engine.Refusal
}

func (r *refusals) add(one engine.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
}

// count counts those that were told, and those of which was told that they were not.
func (r *refusals) count() (told, skipped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		skipped += int(one.Skipped)
	}
	return len(r.all), skipped
}

// await waits until n refusals are told.
func (r *refusals) await(t *testing.T, n int) []engine.Refusal {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if told, _ := r.count(); told >= n {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.all[:n:n]
		}
		if time.Now().After(deadline) {
			told, _ := r.count()
			t.Fatalf("%d refusals are told, want %d", told, n)
		}
	}
}

// askAs sends a statement with a credential and returns the status.
func askAs(t *testing.T, e engine.Endpoint, client *http.Client, user, password, sql string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, e.URL, strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case user == "bearer":
		request.Header.Set("Authorization", "Bearer "+password)
	case user != "":
		request.SetBasicAuth(user, password)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// TestRefusalsAreTold has wrong credentials and forbidden statements among good ones.
func TestRefusalsAreTold(t *testing.T) {
	var told refusals
	e := startOwn(t, engine.Options{OnRefused: told.add})
	at := e.Endpoint()
	client := at.HTTPClient()
	const secret = "hunter2-Sesame-94d1"
	askAs(t, at, client, at.Admin.User, at.Admin.Password, "CREATE TABLE t (x UInt8) ENGINE = Memory")
	askAs(t, at, client, at.Admin.User, secret, "SELECT 1")
	askAs(t, at, client, "bearer", secret, "SELECT 1")
	askAs(t, at, client, "mallory\n"+strings.Repeat("m", 300), secret, "SELECT 1")
	askAs(t, at, client, "", "", "SELECT 1")
	askAs(t, at, client, at.Reader.User, at.Reader.Password, "SELECT 1")
	askAs(t, at, client, at.Reader.User, at.Reader.Password, "SELECT nonsense")
	askAs(t, at, client, at.Reader.User, at.Reader.Password, "DROP TABLE t")
	askAs(t, at, client, at.Reader.User, at.Reader.Password, "SELECT * FROM file('/etc/passwd', 'CSV', 'a String')")
	askAs(t, at, client, at.Reader.User, at.Reader.Password, "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')")
	type refusal struct {
		User, Reason string
		Login        bool
	}
	var got []refusal
	for _, r := range told.await(t, 7) {
		if r.Address != "127.0.0.1" || time.Since(r.At) > time.Minute || strings.Contains(r.User, secret) {
			t.Errorf("refusal %+v", r)
		}
		got = append(got, refusal{r.User, r.Reason, r.Login})
	}
	want := []refusal{
		{"crmwatch", "AUTHENTICATION_FAILED", true}, {"bearer token", "AUTHENTICATION_FAILED", true},
		{"mallory?" + strings.Repeat("m", 56), "AUTHENTICATION_FAILED", true}, {"default", "AUTHENTICATION_FAILED", true},
		{"reader", "READONLY", false}, {"reader", "ACCESS_DENIED", false}, {"reader", "ACCESS_DENIED", false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRefusalsDoNotWait has a parent that does not look while many knock.
func TestRefusalsDoNotWait(t *testing.T) {
	var told refusals
	look := make(chan struct{})
	e := startOwn(t, engine.Options{OnRefused: func(r engine.Refusal) { <-look; told.add(r) }})
	at := e.Endpoint()
	client := at.HTTPClient()
	const knocks = 3000
	for range knocks {
		if status := askAs(t, at, client, "mallory", "wrong", "SELECT 1"); status != http.StatusForbidden && status != http.StatusUnauthorized {
			t.Fatalf("status %d", status)
		}
	}
	close(look)
	// One more takes along how many were not told.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		sent := knocks
		askAs(t, at, client, "mallory", "wrong", "SELECT 1")
		n, skipped := told.count()
		if n+skipped > sent {
			if skipped == 0 {
				t.Errorf("all of %d refusals waited for the parent", n)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d refusals are told and %d counted, want %d", n, skipped, sent)
		}
	}
}
