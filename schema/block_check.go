package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxBlockRows is more than any agent puts into one block.
const maxBlockRows = 1 << 20

const (
	typeString        = "String"
	typeLowString     = "LowCardinality(String)"
	typeUUID          = "UUID"
	typeTime          = "DateTime64(3, 'UTC')"
	typeUnmapped      = "Map(LowCardinality(String), String)"
	lowCardinalityV1  = 1
	lowHasAdditional  = 1 << 9
	lowUpdatesEntries = 1 << 10
)

var eventsTypes, quarantineTypes = eventsColumnTypes(), map[string]string{
	"quarantine_uid": typeUUID, "x_source_name": typeString, "x_source_file": typeString, "metadata_log_format": typeString,
	"line": "UInt64", "column": "UInt32", "x_source_offset": "UInt64", "length": "UInt64",
	"reason": typeString, "detail": typeString, "content": typeString,
}

func eventsColumnTypes() map[string]string {
	types := map[string]string{"time": typeTime, "event_uid": typeUUID, "unmapped": typeUnmapped}
	for _, c := range textColumns {
		types[c.name] = typeString
		if c.dictionary {
			types[c.name] = typeLowString
		}
	}
	for _, c := range numberColumns {
		types[c.name] = "UInt" + strconv.Itoa(int(c.bits))
	}
	return types
}

// CheckEventsBlock says what is wrong with a raw Native block for the table events:
// everything has to be as an agent writes it.
func CheckEventsBlock(block []byte, rows int) error {
	return checkBlock(block, rows, eventsTypes, "time", "event_uid")
}

// CheckQuarantineBlock is CheckEventsBlock for the table quarantine.
func CheckQuarantineBlock(block []byte, rows int) error {
	return checkBlock(block, rows, quarantineTypes, "quarantine_uid")
}

func checkBlock(block []byte, rows int, types map[string]string, required ...string) error {
	c := &blockCheck{rest: block}
	columns, blockRows := c.uvarint(), c.uvarint()
	if c.err == nil && (blockRows != uint64(rows) || rows <= 0 || rows > maxBlockRows) {
		return fmt.Errorf("the block has %d rows, its header says %d, and at most %d are taken", blockRows, rows, maxBlockRows)
	}
	seen := map[string]bool{}
	for i := uint64(0); i < columns && c.err == nil; i++ {
		name, kind := string(c.string()), string(c.string())
		if c.err != nil {
			break
		}
		switch want, known := types[name]; {
		case !known:
			return fmt.Errorf("the block has a column %.64q that crmwatch does not know", name)
		case kind != want:
			return fmt.Errorf("column %s has the type %.64q and not %s", name, kind, want)
		case seen[name]:
			return fmt.Errorf("column %s comes twice", name)
		}
		seen[name] = true
		if c.column(kind, uint64(rows)); c.err != nil {
			return fmt.Errorf("column %s: %w", name, c.err)
		}
	}
	if c.err != nil {
		return c.err
	}
	if len(c.rest) > 0 {
		return fmt.Errorf("%d bytes stand behind the block", len(c.rest))
	}
	for _, name := range required {
		if !seen[name] {
			return fmt.Errorf("column %s is missing", name)
		}
	}
	return nil
}

var errBlockEnds = errors.New("the block ends within it")

// blockCheck walks over a block.
type blockCheck struct {
	rest []byte
	err  error
}

func (c *blockCheck) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

func (c *blockCheck) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail(errBlockEnds)
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *blockCheck) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail(errBlockEnds)
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *blockCheck) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *blockCheck) string() []byte { return c.take(c.uvarint()) }

func (c *blockCheck) strings(n uint64) {
	for ; n > 0 && c.err == nil; n-- {
		c.string()
	}
}

func (c *blockCheck) column(kind string, rows uint64) {
	switch kind {
	case typeString:
		c.strings(rows)
	case typeUUID:
		c.take(16 * rows)
	case typeTime:
		c.times(rows)
	case typeLowString:
		c.version()
		c.lowCardinality(rows)
	case typeUnmapped:
		c.version()
		var last uint64
		for range rows {
			end := c.uint64()
			if c.err != nil {
				return
			}
			if end < last || end > uint64(len(c.rest)) {
				c.fail(errors.New("the offsets of its maps are not in order"))
				return
			}
			last = end
		}
		if last > 0 {
			c.lowCardinality(last)
			c.strings(last)
		}
	default:
		bits, err := strconv.ParseUint(strings.TrimPrefix(kind, "UInt"), 10, 8)
		if err != nil {
			c.fail(fmt.Errorf("the type %s is not known", kind))
			return
		}
		c.take(bits / 8 * rows)
	}
}

// times wants event times in the years that are believed, because each other day
// would be a partition of its own.
func (c *blockCheck) times(rows uint64) {
	const from, to = 631152000_000, 4102444800_000 // 1990 and 2100
	b := c.take(8 * rows)
	for ; len(b) >= 8; b = b[8:] {
		if t := int64(binary.LittleEndian.Uint64(b)); t < from || t >= to {
			c.fail(errors.New("it has a time outside the years 1990 to 2099"))
			return
		}
	}
}

func (c *blockCheck) version() {
	if v := c.uint64(); c.err == nil && v != lowCardinalityV1 {
		c.fail(fmt.Errorf("its LowCardinality version is %d and not %d", v, lowCardinalityV1))
	}
}

func (c *blockCheck) lowCardinality(rows uint64) {
	flags := c.uint64()
	width := uint64(1) << (flags & 0xff)
	if c.err == nil && (flags&^0xff != lowHasAdditional|lowUpdatesEntries || width > 4) {
		c.fail(errors.New("its LowCardinality keys are of no form that crmwatch writes"))
		return
	}
	entries := c.uint64()
	c.strings(entries)
	if n := c.uint64(); c.err == nil && n != rows {
		c.fail(fmt.Errorf("it has %d keys for %d rows", n, rows))
		return
	}
	keys := c.take(width * rows)
	for ; uint64(len(keys)) >= width; keys = keys[width:] {
		var key uint64
		switch width {
		case 1:
			key = uint64(keys[0])
		case 2:
			key = uint64(binary.LittleEndian.Uint16(keys))
		default:
			key = uint64(binary.LittleEndian.Uint32(keys))
		}
		if key >= entries {
			c.fail(errors.New("a key reaches beyond its dictionary"))
			return
		}
	}
}
