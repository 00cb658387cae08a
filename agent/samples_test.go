package agent

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/crmwatch/crmwatch/simulate/canary"
)

// TestEverySampleIsRecognised loads all samples of all formats as one folder, as somebody
// does who does not know what the files are.
func TestEverySampleIsRecognised(t *testing.T) {
	samples, err := canary.Samples("formats/testdata")
	if err != nil || len(samples) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	report, err := Load(context.Background(), LoadOptions{Paths: []string{"formats/testdata"}, Redactor: testRedactor(), Source: "scan", Workers: 1, Ship: func(context.Context, Sealed) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	// These hold no record; that has to be said.
	unusable := map[string]Status{
		"nginx/broken.log": StatusNotRecognised, "nginx-json/broken.log": StatusNotRecognised, "apache/broken.log": StatusNotRecognised, "envoy/broken.log": StatusNotRecognised, // most lines are garbage
		"aws-apigateway/broken.log": StatusNotRecognised, "envoy-json/broken.log": StatusNotRecognised,
		"salesforce-elf/noheader.csv": StatusNotRecognised, "salesforce-elf/notime.csv": StatusNotRecognised,
		"salesforce-elf/empty.csv": StatusEmpty, "salesforce-elf/header.csv": StatusHeaderOnly,
	}
	read := map[string]FileReport{}
	for _, f := range report.Files {
		read[f.File] = f
	}
	for _, sample := range samples {
		name, err := filepath.Rel("formats/testdata", sample)
		if err != nil {
			t.Fatal(err)
		}
		f, status := read[name], StatusOK
		if named, is := unusable[name]; is {
			status = named
		}
		if status != StatusEmpty && status != StatusNotRecognised && f.Format != filepath.Base(filepath.Dir(sample)) {
			t.Errorf("%s is read as %q (%s)", name, f.Format, f.Why)
		}
		if f.Status != status || status != StatusOK && f.Reason == "" {
			t.Errorf("%s is %s (%s), want %s", name, f.Status, f.Reason, status)
		}
		if f.Records != f.Events+f.Quarantined+f.Filtered || status == StatusOK && f.Records == 0 {
			t.Errorf("%s: %d records, %d events, %d quarantined", name, f.Records, f.Events, f.Quarantined)
		}
	}
}
