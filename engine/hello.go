package engine

import (
	"fmt"
	"strings"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// helloQuery is what clickhouse-go v2 asks on each new HTTP connection (conn_http.go, queryHello).
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

func isHello(sql string) bool { return strings.TrimSpace(sql) == helloQuery }

// hello answers clickhouse-go's first question. The client decodes it at the protocol revision that it announces, while
// chDB writes Native blocks without a revision; and it uses the answer's revision() for every later block. Saying 0 makes
// both speak plain Native from here on, so blocks pass through untouched.
func (s *server) hello(out *response, q *request) error {
	block := proto.NewBlock()
	values := []struct {
		name  string
		kind  column.Type
		value any
	}{
		{"displayName()", "String", s.identity.displayName},
		{"version()", "String", s.identity.version},
		{"revision()", "UInt32", uint32(0)},
		{"timezone()", "String", s.identity.timezone},
	}
	row := make([]any, len(values))
	for i, v := range values {
		if err := block.AddColumn(v.name, v.kind); err != nil {
			return fmt.Errorf("encode hello column %s: %w", v.name, err)
		}
		row[i] = v.value
	}
	if err := block.Append(row...); err != nil {
		return fmt.Errorf("encode hello: %w", err)
	}
	buffer := new(chproto.Buffer)
	if err := block.Encode(buffer, q.protocol); err != nil {
		return fmt.Errorf("encode hello: %w", err)
	}
	out.setFormat("Native")
	if err := out.write(buffer.Buf); err != nil {
		return err
	}
	return out.finish()
}
