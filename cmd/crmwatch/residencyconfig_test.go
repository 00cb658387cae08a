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
	"time"

	"github.com/crmwatch/crmwatch/agent/spool"
	"github.com/crmwatch/crmwatch/compliance/retention"
	"github.com/crmwatch/crmwatch/detectors"
	"github.com/crmwatch/crmwatch/schema"
)

// mistakes are what loading a configuration says of it.
func mistakes(t *testing.T, collector bool, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if collector {
		_, err = loadCollectorConfig(path)
	} else {
		_, err = loadConfig(path)
	}
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), path, "c.yaml")
}

func TestResidencyIsChecked(t *testing.T) {
	const source = "data: ./data\nsources:\n  - {name: a, paths: [a.log], tenant: globex}\n"
	const collector = "listen: 127.0.0.1:0\nagents_file: a.json\n"
	for _, c := range []struct {
		name      string
		collector bool
		text      string
		want      string
	}{
		{"in order", false, source + "residency: {tenants: {globex: eu, '*': us}}\nstore: {region: eu}\n", ""},
		{"any tenant", false, source + "residency: {tenants: {'*': eu}, quarantine: eu}\nstore: {region: eu}\n", ""},
		{"a source of elsewhere", false, source + "residency: {tenants: {acme: eu, globex: us}}\nstore: {region: eu}\n", "c.yaml:3:39: the tenant globex belongs to region us, and this store is that of eu"},
		{"a source of nowhere", false, source + "residency: {tenants: {acme: eu}}\nstore: {region: eu}\n", "c.yaml:3:39: the tenant globex has no region: add it to residency.tenants"},
		{"no region of the store", false, source + "residency: {tenants: {globex: eu}}\n", "store.region is missing: name the region of the store, one of eu"},
		{"a region alone", false, source + "store: {region: eu}\n", "c.yaml:4:17: a region does nothing by itself"},
		{"a region of nobody", false, source + "residency: {tenants: {globex: us}}\nstore: {region: eu}\n", "no tenant belongs to the region eu: use one of us"},
		{"a name of no region", false, source + "residency: {tenants: {globex: EU}}\nstore: {region: eu}\n", "the region is \"EU\": use lower-case words"},
		{"an agent of a collector", false, source + "residency: {tenants: {globex: eu}}\nship: {collector: 'https://c.acme.example', token_file: t}\n", "the collector knows what belongs where"},
		{"an agent of a server", false, source + "residency: {tenants: {globex: eu}}\nship: {dsn_file: d, region: eu}\n", ""},
		{"an agent of a server elsewhere", false, source + "residency: {tenants: {globex: us, acme: eu}}\nship: {dsn_file: d, region: eu}\n", "the tenant globex belongs to region us"},
		{"nothing", false, source + "residency: {}\n", "residency names no tenant"},
		{"collector in order", true, collector + "residency: {tenants: {acme: eu, globex: us}, quarantine: none}\nstores: [{region: eu, dsn_file: e}, {region: us, dsn_file: u}]\n", ""},
		{"a region without a store", true, collector + "residency: {tenants: {acme: eu, globex: us}, quarantine: none}\nstores: [{region: eu, dsn_file: e}]\n", "the region us has no store: add it to stores"},
		{"quarantine is not told", true, collector + "residency: {tenants: {acme: eu}}\nstores: [{region: eu, dsn_file: e}]\n", "residency.quarantine is missing"},
		{"stores and a store", true, collector + "data: d\nresidency: {tenants: {acme: eu}, quarantine: eu}\nstores: [{region: eu, dsn_file: e}]\n", "name either stores, or one store"},
		{"two stores of a region", true, collector + "residency: {tenants: {acme: eu}, quarantine: eu}\nstores: [{region: eu, dsn_file: e}, {region: eu, dsn_file: f}]\n", "c.yaml:4:46: two stores are of the region eu"},
		{"stores alone", true, collector + "stores: [{region: eu, dsn_file: e}]\n", "nothing says which tenants belong into which region"},
		{"a store without a DSN", true, collector + "residency: {tenants: {acme: eu}, quarantine: eu}\nstores: [{region: eu}]\n", "the store of region eu has no dsn_file"},
		{"one store of a region", true, collector + "data: d\nstore: {region: eu}\nresidency: {tenants: {'*': eu}, quarantine: eu}\n", ""},
	} {
		got := mistakes(t, c.collector, c.text)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

// A record whose tenant turns out to be of another region is in no file that is written
// and in nothing that is sent.
func TestNothingOfAnotherRegionReachesTheSpool(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.json":        `{"time":"2026-03-02T09:00:00Z","tenant":"acme","user":"svc@acme.example","action":"read","path":"/a"}` + "\n" + `{"time":"2026-03-02T09:00:01Z","tenant":"globex","user":"quendel@globex.example","action":"read","path":"/b"}` + "\n" + "rubbish of quendel@globex.example\n",
		"crmwatch.yaml": "data: ./data\nreading: {poll: 20ms, settle: 100ms}\nspool: {compression: none, retain_after_ack: 1h}\nsources:\n  - {name: calls, kind: follow, format: json-lines, paths: [a.json]}\nresidency: {tenants: {acme: eu, globex: us}}\nstore: {region: eu}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
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
	status := p.watcher.Status()[0]
	p.close()
	if err != nil {
		t.Fatal(err)
	}
	if status.Events != 1 || status.Filtered[schema.ReasonResidency] != 1 || status.Quarantined != 1 || status.Stored != 2 {
		t.Errorf("the status is %+v", status)
	}
	if !bytes.Contains(sent.Bytes(), []byte("svc@acme.example")) || !bytes.Contains(sent.Bytes(), []byte(schema.ReasonResidency)) {
		t.Error("what belongs here, or the place of what does not, was not sent")
	}
	files := 0
	look := func(where string, data []byte) {
		for _, word := range []string{"quendel", "globex"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s holds %s", where, word)
			}
		}
	}
	look("what was sent", sent.Bytes())
	err = filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		look(path, data)
		return err
	})
	if err != nil || files < 2 {
		t.Errorf("%d files were looked at, %v", files, err)
	}
}

func TestRetentionIsChecked(t *testing.T) {
	const source = "data: ./data\nsources:\n  - {name: a, paths: [a.log]}\n"
	for text, want := range map[string]string{
		"retention: {events: 400d, classes: {3002: 90d, http_activity: forever}, tenants: {\"a' OR 1=1\": {events: 2y}}, summaries: 7y, digests: 400d}\n": "",
		"retention: {events: 400}\n":                                    "c.yaml:4:21: \"400\" does not say how long: write for example 36h, 400d, 26w, 2y or forever",
		"retention: {findings: 30y}\n":                                  "30y is out of bounds",
		"retention: {classes: {login: 3d}}\n":                           "there is no class \"login\": use account_change",
		"retention: {classes: {authentication: 3d, 3002: 4d}}\n":        "are the same class",
		"retention: {tenants: {acme: {}}}\n":                            "nothing is said of the tenant acme",
		"retention: {tenants: {\"a\\u200bb\": {events: 3d}}}\n":         "this is no name of a tenant",
		"retention: {tenants: {acme: {classes: {api_activity: 3m}}}}\n": "\"3m\" does not say how long",
	} {
		got := mistakes(t, false, source+text)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %s\nwant %s", text, got, want)
		}
	}
}

// validate names the rules that look back further than their events are kept, and no
// others.
func TestShortRetentionIsTold(t *testing.T) {
	rules := []detectors.Rule{
		{ID: "two-weeks", Kind: detectors.KindQuery, Lookback: 14 * 24 * time.Hour, Needs: detectors.Needs{Classes: []uint16{6003}}},
		{ID: "an-hour", Kind: detectors.KindQuery, Lookback: time.Hour, Needs: detectors.Needs{Classes: []uint16{6003}}},
		{ID: "of-logins", Kind: detectors.KindQuery, Lookback: 30 * 24 * time.Hour, Needs: detectors.Needs{Classes: []uint16{3002}}},
	}
	tell := func(list ...retention.Rule) string {
		var out bytes.Buffer
		tellRetention(&out, retentionConfig{policy: retention.NewPolicy(list...)}, rules)
		return out.String()
	}
	const day = 24 * time.Hour
	if got := tell(); !strings.Contains(got, "nothing is ever deleted") {
		t.Errorf("without retention: %s", got)
	}
	if got := tell(retention.Rule{What: retention.Events, Keep: 400 * day}); got != "" {
		t.Errorf("400 days: %s", got)
	}
	got := tell(retention.Rule{What: retention.Events, Keep: 400 * day}, retention.Rule{What: retention.Events, Tenant: "acme", Class: 6003, Keep: 15 * day})
	if !strings.Contains(got, "of tenant acme are kept 15d") || !strings.Contains(got, "two-weeks (14d)") || strings.Contains(got, "of-logins") || strings.Contains(got, "an-hour") {
		t.Errorf("15 days of calls: %s", got)
	}
	if got := tell(retention.Rule{What: retention.Events, Keep: 24 * time.Hour}); !strings.Contains(got, "keep them at least 2d") {
		t.Errorf("a day: %s", got)
	}
}
