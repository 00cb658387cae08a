// Package agent reads logs exactly once and hands them on as sealed batches.
//
// Load reads folders of finished files. Watcher does the same for folders that
// keep filling, and follows logs while they are written. Both decode, redact and
// collect events in blocks; what happens to a block then is one function, Ship.
package agent
