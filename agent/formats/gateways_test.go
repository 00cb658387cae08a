package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// gatewayFormats are those of gateways whose logs are told apart by their fields.
var gatewayFormats = []Format{apache, envoy, envoyJSON, apiGateway}

// Every sample of a gateway is claimed by its own format and by no other, whole or
// cut, and no gateway claims what is another's.
func TestGatewayDetect(t *testing.T) {
	own := map[string]bool{}
	for _, format := range gatewayFormats {
		own[format.Name] = true
	}
	for _, format := range All() {
		files, err := filepath.Glob(filepath.Join("testdata", format.Name, "*.*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no samples of %s: %v", format.Name, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(file) == ".golden" {
				continue
			}
			for _, head := range [][]byte{data, data[:len(data)*2/3]} {
				head = bytes.TrimPrefix(head[:min(len(head), HeadSize)], byteOrderMark)
				for _, other := range All() {
					why := other.Detect(head)
					switch {
					case other.Name == jsonLines.Name: // it takes what no other does, behind all of them
					case other.Name != format.Name && why != "" && (own[format.Name] || own[other.Name]):
						t.Errorf("%s (%d bytes) is claimed as %s too: %s", file, len(head), other.Name, why)
					case other.Name == format.Name && why == "" && own[format.Name] && filepath.Base(file) != "broken.log":
						t.Errorf("%s (%d bytes) is not claimed", file, len(head))
					}
				}
			}
		}
	}
	for name, head := range map[string]string{
		"envoy's own log":  "[2026-03-02 09:12:00.118][7][info][main] [source/server/server.cc:12] starting\n[2026-03-02 09:12:00.118][7][info][main] done\n",
		"apache error log": "[Mon Mar 02 09:12:00.118 2026] [core:error] [pid 7] [client 203.0.113.77:51122] AH00126: \\\"x\\\"\n",
		"json lines":       `{"time":"2026-03-02T09:12:04Z","level":"info","method":"GET","path":"/x","status":200,"duration":12,"user_agent":"x","request_id":"r"}`,
		"nginx":            `{"time_iso8601":"2026-03-02T09:12:00+00:00","remote_addr":"198.51.100.23","status":"200","bytes_sent":"1","request_time":"0.8","upstream_addr":"10.0.0.5"}`,
		"host in front":    "crm.acme.example 198.51.100.23 - - [02/Mar/2026:09:12:04 +0000] \"GET / HTTP/1.1\" 200 512 \"-\" \"x\"\n",
		"escape by nginx":  "198.51.100.23 - - [02/Mar/2026:09:12:04 +0000] \"GET / HTTP/1.1\" 200 512 \"-\" \"\\x22x\\x22 \\\\\"\n",
		"cloudwatch":       `{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"x","logStream":"y","subscriptionFilters":[],"logEvents":[{"id":"1","timestamp":1772442720118,"message":"START RequestId: x"}]}`,
		"empty":            "", "brace": "{", "bracket": "[", "half": `{"`, "mark": "\xEF\xBB\xBF", "zeros": "\x00\x00\x00",
	} {
		for _, format := range gatewayFormats {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s is claimed as %s: %s", name, format.Name, why)
			}
		}
	}
}

// Whatever the bytes, nothing panics, all of them are used, no text is invalid, no
// byte of a rejection is invented, and the cut into calls changes nothing.
func FuzzApache(f *testing.F)     { fuzzIPaaS(f, apache) }
func FuzzEnvoy(f *testing.F)      { fuzzIPaaS(f, envoy) }
func FuzzEnvoyJSON(f *testing.F)  { fuzzIPaaS(f, envoyJSON) }
func FuzzAPIGateway(f *testing.F) { fuzzIPaaS(f, apiGateway) }
