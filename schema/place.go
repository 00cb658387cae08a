package schema

import (
	"context"
	"fmt"
	"regexp"
)

// distributedOver finds the cluster in the engine of a Distributed table.
var distributedOver = regexp.MustCompile(`^Distributed\('([^']+)'`)

// FindPlace tells where the tables of a connection are: the database, and the cluster if
// they are those of one.
func FindPlace(ctx context.Context, conn Store) (Place, error) {
	var place Place
	var engine string
	err := conn.QueryRow(ctx, "SELECT currentDatabase(), anyOrDefault(engine_full) FROM system.tables WHERE database = currentDatabase() AND name = 'events'").Scan(&place.Database, &engine)
	if err != nil {
		return Place{}, fmt.Errorf("look for the events table: %w", err)
	}
	if m := distributedOver.FindStringSubmatch(engine); m != nil {
		place.Cluster = m[1]
	}
	return place, place.Check()
}
