package schema

import "testing"

func TestOldServersAreRefused(t *testing.T) {
	for version, ok := range map[string]bool{
		"24.8.1.2684": true, "24.8": true, "25.3.2.39.altinitystable": true, "26.7.3.1": true,
		"24.7.9.1": false, "23.12.1.1": false, "": false, "x.y": false, "24": false,
	} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}
