package simulate

import "time"

// stampClock keeps the current time as text, and rewrites only what changed.
type stampClock struct {
	// next is the second that begins at the next rewrite of everything.
	next    time.Time
	millis  int
	started bool
	compact [18]byte // 20060102150405.000
	iso     [24]byte // 2006-01-02T15:04:05.000Z
}

// advance moves the clock by some milliseconds, fewer than 1000.
func (c *stampClock) advance(millis int) {
	c.millis += millis
	if !c.started || c.millis >= 1000 {
		if c.started {
			c.millis -= 1000
		}
		c.started = true
		copy(c.compact[:], c.next.AppendFormat(nil, "20060102150405.000"))
		copy(c.iso[:], c.next.AppendFormat(nil, "2006-01-02T15:04:05.000Z"))
		c.next = c.next.Add(time.Second)
	}
	digits := [3]byte{'0' + byte(c.millis/100), '0' + byte(c.millis/10%10), '0' + byte(c.millis%10)}
	copy(c.compact[15:], digits[:])
	copy(c.iso[20:], digits[:])
}
