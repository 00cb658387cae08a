package engine

import "testing"

func TestNewException(t *testing.T) {
	tests := []struct {
		text string
		want exception
	}{
		{"Code: 62. DB::Exception: Syntax error: failed. (SYNTAX_ERROR)", exception{62, "Syntax error: failed.", "SYNTAX_ERROR"}},
		{"Code: 60. DB::Exception: Table x (a) does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)", exception{60, "Table x (a) does not exist.", "UNKNOWN_TABLE"}},
		{"Code: 60. DB::Exception: Gone. (UNKNOWN_TABLE) (version 26.7.2.1 (official build))", exception{60, "Gone.", "UNKNOWN_TABLE"}},
		{"Error: Code: 210. DB::NetException: Refused. (NETWORK_ERROR)", exception{210, "Refused.", "NETWORK_ERROR"}},
		{"Code: 33. DB::Exception: Code: 33. DB::Exception: Cut. (CANNOT_READ_ALL_DATA) (version 26.7.2.1). (CANNOT_READ_ALL_DATA)", exception{33, "Cut.", "CANNOT_READ_ALL_DATA"}},
		{"Code: 27. DB::Exception: Bad: (at row 2)\n: While parsing. (CANNOT_PARSE), Stack trace (when copying this message, always include the lines below):\n\n0. x", exception{27, "Bad: (at row 2)\n: While parsing.", "CANNOT_PARSE"}},
		{"Code: 1. DB::Exception: Code: 2. DB::Exception: other. (BB). (AA)", exception{1, "Code: 2. DB::Exception: other. (BB).", "AA"}},
		{"Another streaming query is active", exception{1002, "Another streaming query is active", "UNKNOWN_EXCEPTION"}},
	}
	for _, test := range tests {
		if got := newException(test.text); *got != test.want {
			t.Errorf("%s\n got %+v\nwant %+v", test.text, *got, test.want)
		}
	}
}
