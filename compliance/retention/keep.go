package retention

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Forever is a Keep that ends never.
const Forever time.Duration = 0

const day = 24 * time.Hour

// Bounds of a time of keeping. Times of deletion have to stay before 2106, where the
// engine's seconds end and begin anew at 1970: then everything would be deleted at once.
const (
	least = time.Hour
	most  = 25 * 365 * day
)

var keepText = regexp.MustCompile(`^([0-9]{1,6})(h|d|w|y)$`)

var keepUnits = []struct {
	name string
	unit time.Duration
}{{"y", 365 * day}, {"w", 7 * day}, {"d", day}, {"h", time.Hour}}

// ParseKeep reads how long something is kept: 36h, 400d, 26w, 2y (of 365 days) or forever.
func ParseKeep(text string) (time.Duration, error) {
	if text == "forever" {
		return Forever, nil
	}
	m := keepText.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q does not say how long: write for example 36h, 400d, 26w, 2y or forever", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, fmt.Errorf("%q does not say how long: %w", text, err)
	}
	for _, u := range keepUnits {
		if u.name != m[2] {
			continue
		}
		if keep := time.Duration(n) * u.unit; keep >= least && keep <= most {
			return keep, nil
		}
	}
	return 0, fmt.Errorf("%s is out of bounds: from 1h to 25y, or forever", text)
}

// KeepText is the text that ParseKeep reads. Years are days here, so that nobody has to
// know how long ours are.
func KeepText(keep time.Duration) string {
	switch {
	case keep == Forever:
		return "forever"
	case keep%day == 0:
		return strconv.Itoa(int(keep/day)) + "d"
	}
	return strconv.Itoa(int(keep/time.Hour)) + "h"
}

// shorter is the shorter of two times, of which none is Forever unless both are.
func shorter(a, b time.Duration) time.Duration {
	switch {
	case a == Forever:
		return b
	case b == Forever:
		return a
	}
	return min(a, b)
}
