package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPositionsCannotBeShared(t *testing.T) {
	r := followRig(t)
	if _, err := OpenPositions(r.state, nil); err == nil || !strings.Contains(err.Error(), "another crmwatch uses it") {
		t.Errorf("a second agent opens them: %v", err)
	}
	if err := os.Chmod(r.state, 0o755); err != nil {
		t.Fatal(err)
	}
	r.kill()
	if _, err := OpenPositions(r.state, nil); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("an open folder is taken: %v", err)
	}
	os.Chmod(r.state, 0o700)
}

func TestPositionsOnlyGrow(t *testing.T) {
	p, err := OpenPositions(t.TempDir()+"/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for _, offset := range []int64{10, 30, 20} {
		if err := p.Commit([]SourcePosition{{ID: "g", Source: "s", Offset: offset}}, now); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := p.Get("g"); got.Offset != 30 {
		t.Errorf("offset %d, want 30", got.Offset)
	}
	if err := p.Commit([]SourcePosition{{ID: "h", Source: "s"}}, now.Add(forgetAfter+time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Get("g"); ok {
		t.Error("a file that is long gone is not forgotten")
	}
}

func TestDamagedPositionsAreSetAside(t *testing.T) {
	r := followRig(t)
	r.write(log, lines(0, 20))
	r.settle()
	r.kill()
	if err := os.WriteFile(filepath.Join(r.state, positionsFile), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.add(log, lines(20, 30))
	r.settle()
	r.wantLines(0, 30)
	r.wantArrived(50)
	aside, _ := filepath.Glob(filepath.Join(r.state, positionsFile+".damaged-*"))
	if len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
	data, err := os.ReadFile(filepath.Join(r.state, positionsFile))
	if err != nil || !json.Valid(data) {
		t.Errorf("positions are not written anew: %v", err)
	}
}
