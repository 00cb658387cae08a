package engine

import (
	"sync"
	"time"
)

// killInterval is how often a query that should end is looked for again.
const killInterval = 20 * time.Millisecond

// control is the connection that the server keeps for itself; it also keeps the engine alive between requests.
type control struct {
	mutex      sync.Mutex
	connection *connection
}

// kill ends the query of the request with this marker, asking until finished is closed.
func (c *control) kill(marker string, finished <-chan struct{}) {
	ticker := time.NewTicker(killInterval)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			return
		default:
		}
		// The error is of no use: a query that is not there has ended, and any other failure is tried again.
		_ = c.exec("KILL QUERY WHERE startsWith(Settings['" + commentSetting + "'], " + quoteString(marker) + ") ASYNC")
		select {
		case <-finished:
			return
		case <-ticker.C:
		}
	}
}

func (c *control) exec(sql string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.connection == nil {
		return errConnect
	}
	return c.connection.exec(sql)
}

func (c *control) close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.connection.close()
	c.connection = nil
}
