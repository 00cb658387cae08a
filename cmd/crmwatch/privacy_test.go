package main

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/schema"
)

// TestNoNameReachesTheSpool reads an export and a followed log as a configuration says,
// and looks for the people in every file that is written and in all that is sent.
func TestNoNameReachesTheSpool(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := bytes.Buffer{}
	if err := newPseudonymKey(filepath.Join(dir, "pseudonym.key"), terminal{&out, &out}); err != nil {
		t.Fatal(err)
	}
	write("portal.log", `203.0.113.7 - Petra.Quendel@acme.example [02/Mar/2026:08:00:00 +0000] "GET /users/petra.quendel%40acme.example HTTP/1.1" 200 512 "-" "sync/1.0"`+"\nrubbish of petra.quendel@acme.example\n")
	write("audit.json", `{"id": "a1", "category": "LOGIN", "subCategory": "LOGIN_SUCCEEDED", "action": "PERFORM", "targetObjectId": "7", "occurredAt": "2026-03-02T14:25:20.001Z", "actingUser": {"userId": 7, "userEmail": "petra.quendel@acme.example"}}`+"\n")
	write("crmwatch.yaml", `
data: ./data
pseudonym_key_file: ./pseudonym.key
reading: {poll: 20ms, settle: 100ms}
spool: {compression: none, retain_after_ack: 1h}
sources:
  - {name: portal, kind: follow, format: nginx, paths: [portal.log], privacy: {pseudonyms: true}}
  - {name: hubspot, kind: export, paths: [audit.json], privacy: {pseudonyms: true, drop: [api_operation]}}
`)
	cfg, err := loadConfig(filepath.Join(dir, "crmwatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent bytes.Buffer
	p, err := openPipeline(cfg, nil, spool.None, slog.New(slog.DiscardHandler), func(_ context.Context, d schema.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		sent.Write(d.Events.Data)
		sent.Write(d.Quarantine.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.readAll(context.Background(), cfg.Reading)
	p.close()
	if err != nil {
		t.Fatal(err)
	}
	key, err := cfg.pseudonymKey()
	if err != nil {
		t.Fatal(err)
	}
	if petra := key.Pseudonym("petra.quendel@acme.example", false); bytes.Count(sent.Bytes(), []byte(petra)) < 3 {
		t.Errorf("what was sent has too few of %s: %q", petra, sent.Bytes())
	}
	spooled := false
	look := func(where string, text []byte) {
		if strings.Contains(strings.ToLower(string(text)), "quendel") || bytes.Contains(text, []byte("PERFORM")) {
			t.Errorf("%s holds a name, or what is dropped: %q", where, text)
		}
		spooled = spooled || bytes.Contains(text, []byte("user-"+key.ID()))
	}
	look("what was sent", sent.Bytes())
	spooled = false
	err = filepath.WalkDir(cfg.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		look(path, text)
		return err
	})
	if err != nil || !spooled {
		t.Errorf("no file of the spool holds the pseudonym: %v", err)
	}
}
