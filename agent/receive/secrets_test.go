package receive

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestNoSecretReachesTheDisk sends secrets in what can be read and in what cannot.
func TestNoSecretReachesTheDisk(t *testing.T) {
	const secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	edge, gelf, apps := syslogOptions(UDP, TCP), gelfOptions(UDP), otlpOptions()
	edge.Inner = false
	r := newRig(t, nil, apps, edge, gelf).start()
	r.wantAnswer(r.post(jsonRequest(`{"timeUnixNano":"1772442720118000000","body":{"stringValue":"Authorization: Bearer `+secret+`"}}`,
		`{"timeUnixNano":"never","body":{"stringValue":"Authorization: Bearer `+secret+`"}}`)), 200, "rejectedLogRecords")
	r.write(r.dial(1, "udp"), "<134>1 2026-03-02T09:12:00.118Z gw1 crmgw 2211 AUTH - login with Authorization: Bearer "+secret)
	stream := r.dial(2, "tcp")
	r.write(stream, "<134>1 never gw1 crmgw 2211 AUTH - login with Authorization: Bearer "+secret+"\n")
	r.write(stream, "900 <134>1 cut off Authorization: Bearer "+secret)
	stream.Close()
	packed := r.dial(3, "udp")
	r.write(packed, pack(t, `{"version":"1.1","host":"mw1","short_message":"Authorization: Bearer `+secret+`","timestamp":1772442720}`, false))
	r.write(packed, chunkMagic+"12345678\x00\x00Authorization: Bearer "+secret)
	r.want(3, 4)
	r.end()
	looked := 0
	err := filepath.WalkDir(r.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		looked++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(secret[40:80])) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil || looked == 0 {
		t.Errorf("%d files: %v", looked, err)
	}
	for _, column := range []string{"unmapped", "message", "content", "detail"} {
		if contains(r.column(r.rows.events, column), secret[40:80]) || contains(r.column(r.rows.quarantine, column), secret[40:80]) {
			t.Errorf("%s holds the secret", column)
		}
	}
}
