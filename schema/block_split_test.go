package schema_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crmwatch/crmwatch/engine/enginetest"
	"github.com/crmwatch/crmwatch/schema"
)

// mixed is a batch of rows of several tenants, whose texts all name their tenant.
func mixed(t testing.TB, random *rand.Rand, rows int, tenants []string) []byte {
	t.Helper()
	b := schema.NewBatch()
	var mark schema.Mark
	for i := range rows {
		tenant := tenants[random.IntN(len(tenants))]
		var e schema.Event
		e.SetTime(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(1e9))))
		e.UID = schema.HashUID(tenant, fmt.Sprint(i), fmt.Sprint(random.Uint64()))
		e.Text[schema.MetadataTenantUID] = tenant
		for column := range schema.Text(schema.TextCount) {
			if column != schema.MetadataTenantUID && random.IntN(3) == 0 {
				e.Text[column] = fmt.Sprintf("of %s %d", tenant, random.IntN(400))
			}
		}
		for number := range schema.Number(schema.NumberCount) {
			if random.IntN(3) == 0 {
				e.Number[number] = random.Uint64() >> random.IntN(64)
			}
		}
		for range random.IntN(4) {
			e.AddUnmapped(fmt.Sprintf("field of %s %d", tenant, random.IntN(300)), fmt.Sprintf("value of %s %d", tenant, random.IntN(1000)))
		}
		if random.IntN(10) == 0 {
			// Taken back: its words stay in the dictionaries, and no row has them.
			b.Mark(&mark)
			b.Append(&e)
			b.Rewind(&mark)
			continue
		}
		b.Append(&e)
	}
	if b.Rows() == 0 {
		return mixed(t, random, rows+1, tenants)
	}
	block, err := b.AppendBlock(nil)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// rowsOf reads the second number of a block.
func rowsOf(block []byte) int {
	n, shift, at := 0, 0, 1
	if block[0] >= 0x80 {
		at = 2
	}
	for ; ; at++ {
		n |= int(block[at]&0x7f) << shift
		if block[at] < 0x80 {
			return n
		}
		shift += 7
	}
}

var regionOf = func(tenant string) (string, bool) {
	r := schema.Residency{Tenants: map[string]string{"acme": "eu", "initech": "eu", "globex": "us", "umbrella": "apac"}}
	return r.Region(tenant)
}

func TestAPartHasItsOwnRowsAndNothingOfOthers(t *testing.T) {
	ctx := t.Context()
	whole, parted := enginetest.Open(t), enginetest.Open(t)
	for _, conn := range []schema.Store{whole, parted} {
		if _, err := schema.Migrate(ctx, conn); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(conn schema.Store, block []byte) {
		t.Helper()
		if err := conn.InsertFormat(ctx, "Native", "INSERT INTO events", bytes.NewReader(block)); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	tenants := []string{"acme", "initech", "globex", "umbrella"}
	for _, rows := range []int{1, 2, 3, 100, 700, 2000} {
		block := mixed(t, random, rows, tenants)
		parts, err := schema.SplitEvents(block, rowsOf(block), regionOf)
		if err != nil {
			t.Fatal(err)
		}
		again, err := schema.SplitEvents(block, rowsOf(block), regionOf)
		if err != nil {
			t.Fatal(err)
		}
		insert(whole, block)
		total := 0
		for region, part := range parts {
			total += part.Rows
			if err := schema.CheckEventsBlock(part.Data, part.Rows); err != nil {
				t.Fatalf("the part of %s: %v", region, err)
			}
			if again[region].Hash != part.Hash {
				t.Errorf("the part of %s is another at the second time", region)
			}
			for _, tenant := range tenants {
				if of, _ := regionOf(tenant); of != region && bytes.Contains(part.Data, []byte(tenant)) {
					t.Errorf("the part of %s, of %d rows, holds the word %s", region, part.Rows, tenant)
				}
			}
			insert(parted, part.Data)
		}
		if total != rowsOf(block) {
			t.Errorf("%d rows became %d", rowsOf(block), total)
		}
	}
	const sums = "SELECT count(), groupBitXor(cityHash64(* EXCEPT (ingested_at, unmapped), toString(unmapped))) FROM events"
	var wantRows, gotRows, want, got uint64
	if err := whole.QueryRow(ctx, sums).Scan(&wantRows, &want); err != nil {
		t.Fatal(err)
	}
	if err := parted.QueryRow(ctx, sums).Scan(&gotRows, &got); err != nil {
		t.Fatal(err)
	}
	if wantRows < 2000 || wantRows != gotRows || want != got {
		t.Errorf("the parts hold %d rows (%x), the whole %d (%x)", gotRows, got, wantRows, want)
	}
}

func TestABlockOfOneRegionStaysAsItIs(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	block := mixed(t, random, 200, []string{"acme", "initech"})
	parts, err := schema.SplitEvents(block, rowsOf(block), regionOf)
	if err != nil || len(parts) != 1 || !bytes.Equal(parts["eu"].Data, block) {
		t.Errorf("%d parts, %v", len(parts), err)
	}
	// One of another region that was taken back is in no row, and its words do not travel.
	b := schema.NewBatch()
	var mark schema.Mark
	var e schema.Event
	e.SetTime(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	e.Text[schema.MetadataTenantUID], e.Text[schema.ActorUserName] = "acme", "alice"
	b.Append(&e)
	b.Mark(&mark)
	e.Text[schema.MetadataTenantUID], e.Text[schema.ActorUserName] = "globex", "bob"
	b.Append(&e)
	b.Rewind(&mark)
	if block, err = b.AppendBlock(nil); err != nil || !bytes.Contains(block, []byte("bob")) {
		t.Fatalf("the block holds no word of the row that was taken back, %v", err)
	}
	parts, err = schema.SplitEvents(block, 1, regionOf)
	if err != nil || len(parts) != 1 || bytes.Contains(parts["eu"].Data, []byte("bob")) || bytes.Contains(parts["eu"].Data, []byte("globex")) {
		t.Errorf("%d parts, %v", len(parts), err)
	}
}

func TestATenantWithoutARegionIsRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, tenants := range [][]string{{"acme", "stranger"}, {"stranger"}, {"acme", ""}, {""}} {
		block := mixed(t, random, 60, tenants)
		var none *schema.NoRegionError
		if parts, err := schema.SplitEvents(block, rowsOf(block), regionOf); !errors.As(err, &none) || parts != nil {
			t.Errorf("%v: %d parts, %v", tenants, len(parts), err)
		} else if !strings.Contains(err.Error(), "residency.tenants") {
			t.Errorf("the error does not say the mend: %v", err)
		}
	}
	r := schema.Residency{Tenants: map[string]string{"acme": "eu", schema.AnyTenant: "us"}}
	for tenant, want := range map[string]string{"acme": "eu", "stranger": "us", "": "us", "*": "us"} {
		if got, known := r.Region(tenant); !known || got != want {
			t.Errorf("%q belongs to %q", tenant, got)
		}
	}
}
