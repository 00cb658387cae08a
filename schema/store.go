package schema

import (
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Store is a connection to ClickHouse: the embedded engine, a server or a
// cluster, all through clickhouse-go.
type Store = driver.Conn

// Named is a server-side parameter: {name:Type} in the statement stands for it.
func Named(name string, value any) driver.NamedValue { return clickhouse.Named(name, value) }
