package formats

import (
	"fmt"
	"strings"
	"testing"
)

func TestMemo(t *testing.T) {
	var m memo[string]
	computed := 0
	get := func(key string) string {
		return *m.get(key, func(s string) string { computed++; return "<" + s + ">" })
	}
	buffer := []byte("203.0.113.7")
	for range 3 {
		if got := get(string(buffer)); got != "<203.0.113.7>" {
			t.Fatal(got)
		}
	}
	if computed != 1 {
		t.Errorf("computed %d times", computed)
	}
	for i := range 3 * memoSize {
		key := fmt.Sprint(i)
		if got := get(key); got != "<"+key+">" {
			t.Fatalf("%q for %q", got, key)
		}
	}
	long := strings.Repeat("x", maxMemoKey+1)
	before := computed
	for range 2 {
		if got := get(long); got != "<"+long+">" {
			t.Fatalf("%d characters for a long key", len(got))
		}
	}
	if computed != before+2 {
		t.Error("a long key was remembered")
	}
	if got := get(""); got != "<>" {
		t.Error(got)
	}
}
