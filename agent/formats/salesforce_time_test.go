package formats

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseSalesforceTime(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"20260302081501.204", "2026-03-02T08:15:01.204Z"},
		{"20220803011210", "2022-08-03T01:12:10Z"},
		{"20240229235959.9", "2024-02-29T23:59:59.9Z"},
		{"2026-03-02T08:15:01.204Z", "2026-03-02T08:15:01.204Z"},
		{"2026-03-02T08:15:01Z", "2026-03-02T08:15:01Z"},
		{"2026-03-02T08:15:01.2049999Z", "2026-03-02T08:15:01.204Z"},
		{"2026-03-02T08:15:01.204+0000", "2026-03-02T08:15:01.204Z"},
		{"2026-03-02T08:15:01.204+02:00", "2026-03-02T06:15:01.204Z"},
		{"2026-03-02T08:15:01-0530", "2026-03-02T13:45:01Z"},
		{"2026-03-02 08:15:01", "2026-03-02T08:15:01Z"},
	} {
		want, err := time.Parse(time.RFC3339, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseSalesforceTime(c.in); !ok || got != want.UnixMilli() {
			t.Errorf("parseSalesforceTime(%q) = %d, %v, want %d", c.in, got, ok, want.UnixMilli())
		}
	}
	for _, in := range []string{
		"", "TIMESTAMP", "TIMESTAMP_DERIVED", "2026030208150", "20260230081501", "20261302081501", "20230229000000",
		"20260302241501", "20260302081501.", "20260302081501x", "2026-03-02", "2026/03/02 08:15:01", "2026-03-02T08:15",
		"2026-03-02T08:15:01.204+00", "2026-03-02T08:15:01.204 CET", "2026-03-02T08:15:01.204+9900", "02.03.2026 08:15:01",
		"00000000000000", "2026-03-02T08:15:61Z",
	} {
		if got, ok := parseSalesforceTime(in); ok {
			t.Errorf("parseSalesforceTime(%q) = %d, want a refusal", in, got)
		}
	}
}

func TestParseSalesforceTimeAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := time.UnixMilli(rapid.Int64Range(86_400_000, 7_000_000_000_000).Draw(t, "ms")).UTC()
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60+1, 14*60-1).Draw(t, "offset"))
		for _, layout := range []string{"20060102150405.000", "2006-01-02T15:04:05.000Z"} {
			if got, ok := parseSalesforceTime(when.Format(layout)); !ok || got != when.UnixMilli() {
				t.Fatalf("%s: got %d, %v", when.Format(layout), got, ok)
			}
		}
		local := when.In(zone).Format("2006-01-02T15:04:05.000-0700")
		if got, ok := parseSalesforceTime(local); !ok || got != when.UnixMilli() {
			t.Fatalf("%s: got %d, %v", local, got, ok)
		}
	})
}
