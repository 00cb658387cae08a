package simulate

import "time"

// window is a stretch of time [from, to); the zero value holds nothing.
type window struct{ from, to time.Time }

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }
