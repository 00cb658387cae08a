package schema_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/crmwatch/crmwatch/schema"
)

// insertBlock inserts one Native block into the events table.
func insertBlock(t *testing.T, conn schema.Store, block []byte) {
	t.Helper()
	if err := conn.InsertFormat(context.Background(), "Native", "INSERT INTO events", bytes.NewReader(block)); err != nil {
		t.Fatal(err)
	}
}
