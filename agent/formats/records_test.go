package formats

import (
	"os"
	"path/filepath"
	"testing"
)

var recordFormats = []Format{otlp, gelf, logfmt, jsonLines, genericCSV}

// Each sample has beside it what is read from it.
func TestRecordsGolden(t *testing.T) { wantGolden(t, recordFormats, salesforceOptions(t)) }

// What is read does not depend on how the file is cut into calls.
func TestRecordsReadTheSameInPieces(t *testing.T) {
	wantSameInPieces(t, recordFormats, salesforceOptions(t))
}

// Every sample is claimed by its own format and by no other, whole or cut, and no
// sample of another format is claimed.
func TestRecordsDetect(t *testing.T) {
	wantOwnFormat(t, recordFormats)
	own := map[string]bool{}
	for _, format := range recordFormats {
		own[format.Name] = true
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.*"))
	for _, file := range files {
		if filepath.Ext(file) == ".golden" || own[filepath.Base(filepath.Dir(file))] || filepath.Base(file) == "broken.log" {
			continue // most lines of broken.log are no records of its own format
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range recordFormats {
			if why := format.Detect(data[:min(len(data), HeadSize)]); why != "" {
				t.Errorf("%s is claimed as %s: %s", file, format.Name, why)
			}
		}
	}
}

// What is no log stays unknown, though it is JSON or CSV with dates in it.
func TestRecordsLeaveOtherFilesAlone(t *testing.T) {
	for name, head := range map[string]string{
		"package.json":    `{"name":"crm-sync","version":"1.0.0","description":"syncs","scripts":{"test":"jest"},"author":"anna","license":"MIT"}`,
		"lock file":       `{"name":"x","lockfileVersion":3,"packages":{"":{"version":"1.0.0"}}}`,
		"geojson":         `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"time":"2026-03-02T09:12:00Z"}}]}`,
		"issue":           `{"url":"https://git.acme.example/1","number":1,"title":"login","user":{"login":"anna"},"state":"open","created_at":"2026-03-02T09:12:00Z","body":"x"}`,
		"measurement":     `{"time":"2026-03-02T09:12:00Z","temperature":21.5,"sensor":"s1","level":3}`,
		"metric":          `{"timestamp":1772442720,"name":"cpu","value":0.5,"host":"mw1"}`,
		"calendar":        `{"summary":"meeting","start":"2026-03-02T09:12:00Z","end":"2026-03-02T10:12:00Z","location":"here"}`,
		"contacts":        "Id,Name,Email,Phone,CreatedDate\n1,Anna,anna@acme.example,1,2026-03-02T09:12:00Z\n",
		"orders":          "Date,Customer,Amount,Status\n2026-03-02,Acme,12.50,paid\n",
		"time sheet":      "Date,Employee,Start,End,Hours\n2026-03-02,Anna,09:00,17:00,8\n",
		"bank":            "date,description,amount,balance\n2026-03-02,coffee,3,100\n",
		"weather":         "time,temperature,humidity\n2026-03-02T09:12:00Z,3,4\n",
		"localised":       "Zeit,Benutzer,Aktion\n2026-03-02T09:12:00Z,anna,Login\n",
		"no times":        "timestamp,user,action\nmorning,anna,login\nevening,anna,logout\n",
		"ini":             "[crm]\ntime=2026-03-02\nuser=anna\nhost=mw1\n",
		"shell":           "export TIME=now USER=anna\necho $USER\n",
		"query string":    "time=1&user=anna&x=2\n",
		"a page about it": "# GELF\n\nAn example:\n```\n{\"version\":\"1.1\",\"host\":\"mw1\",\"short_message\":\"x\",\"timestamp\":1772442720.118}\n{\"resourceLogs\":[]}\n```\n",
		"text":            "The time is now, and level is a word.\n",
		"empty":           "", "brace": "{", "half": `{"`, "zeros": "\x00\x00\x00", "bracket": "[", "otlp answer": `{"partialSuccess":{}}`,
	} {
		for _, format := range recordFormats {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s is claimed as %s: %s", name, format.Name, why)
			}
		}
	}
}
