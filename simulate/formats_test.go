package simulate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crmwatch/crmwatch/agent/formats"
	"github.com/crmwatch/crmwatch/schema"
)

// counter is a sink that holds the decoded records against what was simulated.
type counter struct {
	t      *testing.T
	file   File
	tenant string
	events int64
	actors map[string]int
}

func (c *counter) Event(e *schema.Event) {
	c.events++
	if when := e.When(); when.Before(c.file.From) || !when.Before(c.file.To) {
		c.t.Fatalf("%s: an event is decoded with the time %s", c.file.Path, when)
	}
	if c.file.Product == Salesforce && e.Text[schema.MetadataTenantUID] != c.tenant {
		c.t.Fatalf("%s: an event is decoded with the tenant %q", c.file.Path, e.Text[schema.MetadataTenantUID])
	}
	uid := e.Text[schema.ActorUserUID]
	if uid == "" {
		uid = e.Text[schema.ActorUserName]
	}
	c.actors[c.file.Product+" "+uid]++
}

func (c *counter) Reject(r formats.Rejection) {
	c.t.Errorf("%s:%d: %s: %s", c.file.Path, r.Line, r.Reason, r.Detail)
}

// Every file is recognised, and decodes without a rejection into as many events
// as were written, of the people and integrations that the manifest names.
func TestEveryFileDecodes(t *testing.T) {
	dir, m := eventfulOnce().read(t)
	c := &counter{t: t, tenant: m.Tenant, actors: map[string]int{}}
	for _, f := range m.Files {
		content, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		format, _, ok := formats.Detect(content[:min(len(content), formats.HeadSize)])
		if !ok {
			t.Errorf("%s is not recognised", f.Path)
			continue
		}
		c.file, c.events = f, 0
		decoder := format.New(formats.Options{Tenant: m.Tenant, Start: formats.Position{Line: 1}})
		if used := decoder.Decode(content, true, c); used != len(content) {
			t.Errorf("%s (%s): %d of %d bytes were used", f.Path, format.Name, used, len(content))
		}
		if c.events != f.Records {
			t.Errorf("%s (%s): %d events, %d records", f.Path, format.Name, c.events, f.Records)
		}
	}
	for _, who := range m.Innocents {
		if who.EntityType != "network" && c.actors[who.Product+" "+who.EntityUID] == 0 {
			t.Errorf("nothing is decoded of %s %s", who.Product, who.Entity)
		}
	}
	for _, l := range m.Incidents {
		if l.EntityType != "network" && c.actors[l.Product+" "+l.EntityUID] == 0 {
			t.Errorf("nothing is decoded of %s, the entity of %s", l.Entity, l.Kind)
		}
	}
}
