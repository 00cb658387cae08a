package formats

import "testing"

func TestSalesforceID(t *testing.T) {
	for in, want := range map[string]string{
		"0057x000001QwEr":    "0057x000001QwErAAK",
		"0057x000001QwErAAK": "0057x000001QwErAAK",
		"aaaaaaaaaaaaaaa":    "aaaaaaaaaaaaaaaAAA",
		"AAAAAAAAAAAAAAA":    "AAAAAAAAAAAAAAA555",
		"000000000000000":    "",
		"000000000000000AAA": "",
		"":                   "",
		"3MVG9.consumer.key": "3MVG9.consumer.key",
		"not a sf id 123":    "not a sf id 123",
	} {
		if got := salesforceID(in); got != want {
			t.Errorf("salesforceID(%q) = %q, want %q", in, got, want)
		}
	}
}
