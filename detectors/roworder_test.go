package detectors

import (
	"regexp"
	"strings"
	"testing"
)

// orderDependent are functions whose result depends on the order in which rows are read,
// which is that of parts, threads and merges: the same events, delivered in another
// order, would be worded in another way or judged anew.
var orderDependent = []struct{ pattern, mend string }{
	{`\bgroup(Uniq)?Array(If)?\(\d+\)\(`, "take groupArraySorted(n)(...), or arraySlice(arraySort(groupUniqArray(...)), 1, n)"},
	{`\b(anyLast|anyHeavy|first_value|last_value)(If)?\(`, "take argMax(..., (time, event_uid)), or max(...)"},
	{`\btopK(Weighted)?(If)?\(`, "count with sumMap(map(value, 1)), and sort by count and value"},
	{`\bquantiles?TDigest(Weighted)?(If)?\(`, "take quantileExact, or quantileDeterministic(level)(value, toUInt64(toUnixTimestamp64Milli(time)))"},
	{`\barg(Max|Min)(If)?\([^()]*, [\w.]+[,)]`, "let the second argument be a tuple in which no two rows are equal, such as (time, event_uid)"},
	{`\b(rand|rand64|randCanonical|generateUUIDv4|now|now64|today|yesterday)\(`, "ask for what the parameters {from} and {to} say"},
}

func TestNoRuleDependsOnTheOrderOfRows(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		for i, line := range strings.Split(rule.Query, "\n") {
			line, _, _ = strings.Cut(line, "-- ")
			for _, f := range orderDependent {
				if found := regexp.MustCompile(f.pattern).FindString(line); found != "" {
					t.Errorf("rule %s, line %d of its query, %s: %s", rule.ID, i+1, found, f.mend)
				}
			}
		}
	}
}
