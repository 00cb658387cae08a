package schema

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// OldestServer is the oldest ClickHouse that crmwatch works with: year and number of
// the release. All settings and functions that it uses exist there.
var OldestServer = [2]int{24, 8}

// CheckServer refuses a server that is too old.
func CheckServer(ctx context.Context, conn Store) error {
	var text string
	if err := conn.QueryRow(ctx, "SELECT version()").Scan(&text); err != nil {
		return fmt.Errorf("ask the server's version: %w", err)
	}
	return checkVersion(text)
}

func checkVersion(text string) error {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return fmt.Errorf("the server calls its version %q, which is not understood", text)
	}
	year, err1 := strconv.Atoi(parts[0])
	number, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return fmt.Errorf("the server calls its version %q, which is not understood", text)
	}
	if year < OldestServer[0] || year == OldestServer[0] && number < OldestServer[1] {
		return fmt.Errorf("the server is ClickHouse %s: crmwatch needs %d.%d or newer; upgrade the server", text, OldestServer[0], OldestServer[1])
	}
	return nil
}
