package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// NoRegionError is a tenant for which no region is known.
type NoRegionError struct{ Tenant string }

func (e *NoRegionError) Error() string {
	if e.Tenant == "" {
		return "events that name no tenant have no region: give residency.tenants an entry '*', or the source a tenant"
	}
	return fmt.Sprintf("the tenant %.64q has no region: add it to residency.tenants, or an entry '*' for all others", e.Tenant)
}

// SplitEvents parts a block that passed CheckEventsBlock by the region of its rows'
// tenants. A part has nothing of the rows of others: no entry of a dictionary, no byte.
// The same block and regions give the same parts. A block all of whose tenants, also those
// in its dictionary that no row has, are of one region stays as it is.
func SplitEvents(block []byte, rows int, region func(tenant string) (string, bool)) (map[string]Frames, error) {
	c := &blockCheck{rest: block}
	columns := c.uvarint()
	c.uvarint()
	start := len(block) - len(c.rest)
	regions, err := rowRegions(c, columns, rows, region)
	if err != nil {
		return nil, err
	}
	if regions.whole != "" {
		return map[string]Frames{regions.whole: RawFrames(block, rows)}, nil
	}
	parts := map[string]Frames{}
	for _, name := range regions.names {
		part := &blockPart{keep: make([]int, 0, rows)}
		for row, of := range regions.of {
			if regions.names[of] == name {
				part.keep = append(part.keep, row)
			}
		}
		if len(part.keep) == 0 {
			continue
		}
		part.out = binary.AppendUvarint(part.out, columns)
		part.out = binary.AppendUvarint(part.out, uint64(len(part.keep)))
		part.in = blockCheck{rest: block[start:]}
		for range columns {
			name, kind := string(part.in.string()), string(part.in.string())
			part.text(name)
			part.text(kind)
			part.column(kind, uint64(rows))
		}
		if part.in.err != nil {
			return nil, fmt.Errorf("split block: %w", part.in.err)
		}
		parts[name] = RawFrames(part.out, len(part.keep))
	}
	return parts, nil
}

// blockRegions are the regions of a block's rows, by number.
type blockRegions struct {
	names []string
	of    []int
	// whole is the one region of all of them.
	whole string
}

func rowRegions(c *blockCheck, columns uint64, rows int, region func(string) (string, bool)) (blockRegions, error) {
	tenantColumn := MetadataTenantUID.Column()
	for range columns {
		name, kind := string(c.string()), string(c.string())
		if name != tenantColumn {
			c.column(kind, uint64(rows))
			continue
		}
		c.version()
		d := c.dictionary(uint64(rows))
		if c.err != nil {
			return blockRegions{}, fmt.Errorf("split block: %w", c.err)
		}
		return d.regions(region)
	}
	if c.err != nil {
		return blockRegions{}, fmt.Errorf("split block: %w", c.err)
	}
	// Without the column no row names a tenant.
	whole, known := region("")
	if !known {
		return blockRegions{}, &NoRegionError{}
	}
	return blockRegions{whole: whole}, nil
}

// dictionary is a LowCardinality column of a block.
type blockDictionary struct {
	entries [][]byte
	keys    []uint32
}

func (c *blockCheck) dictionary(rows uint64) (d blockDictionary) {
	width := uint64(1) << (c.uint64() & 0xff)
	for n := c.uint64(); n > 0 && c.err == nil; n-- {
		d.entries = append(d.entries, c.string())
	}
	c.uint64()
	keys := c.take(width * rows)
	for ; uint64(len(keys)) >= width && width > 0; keys = keys[width:] {
		var key uint32
		switch width {
		case 1:
			key = uint32(keys[0])
		case 2:
			key = uint32(binary.LittleEndian.Uint16(keys))
		default:
			key = binary.LittleEndian.Uint32(keys)
		}
		if key >= uint32(len(d.entries)) {
			c.fail(errors.New("a key reaches beyond its dictionary"))
			return d
		}
		d.keys = append(d.keys, key)
	}
	return d
}

// regions finds the region of every row. An entry that no row has needs none, but a block
// that has one of another region, or of none, is not whole.
func (d *blockDictionary) regions(region func(string) (string, bool)) (out blockRegions, err error) {
	used := make([]bool, len(d.entries))
	for _, key := range d.keys {
		used[key] = true
	}
	number := make([]int, len(d.entries))
	whole := true
	for i, entry := range d.entries {
		name, known := region(string(entry))
		switch {
		case !known && used[i]:
			return out, &NoRegionError{string(entry)}
		case !known:
			whole = whole && i == 0 && len(entry) == 0
			continue
		case !used[i] && i == 0 && len(entry) == 0:
			continue // every dictionary begins with the empty value
		}
		at := slices.Index(out.names, name)
		if at < 0 {
			at = len(out.names)
			out.names = append(out.names, name)
		}
		number[i] = at
	}
	if whole && len(out.names) == 1 {
		return blockRegions{whole: out.names[0]}, nil
	}
	out.of = make([]int, len(d.keys))
	for row, key := range d.keys {
		out.of[row] = number[key]
	}
	return out, nil
}

// blockPart writes some rows of a block.
type blockPart struct {
	in   blockCheck
	keep []int
	out  []byte
}

func (p *blockPart) text(s string) {
	p.out = append(binary.AppendUvarint(p.out, uint64(len(s))), s...)
}

func (p *blockPart) fixed(width, rows uint64) {
	data := p.in.take(width * rows)
	if data == nil {
		return
	}
	for _, row := range p.keep {
		p.out = append(p.out, data[uint64(row)*width:uint64(row+1)*width]...)
	}
}

func (p *blockPart) texts(rows uint64) {
	next := 0
	for row := range rows {
		s := p.in.string()
		if next < len(p.keep) && uint64(p.keep[next]) == row {
			p.out = append(binary.AppendUvarint(p.out, uint64(len(s))), s...)
			next++
		}
	}
}

func (p *blockPart) version() {
	p.in.version()
	p.out = binary.LittleEndian.AppendUint64(p.out, lowCardinalityV1)
}

// words writes a dictionary of what the kept keys name, in the order in which it stood.
func (p *blockPart) words(d blockDictionary, kept []uint32) {
	used := make([]bool, len(d.entries))
	for _, key := range kept {
		used[key] = true
	}
	number := make([]uint32, len(d.entries))
	var entries [][]byte
	for i, entry := range d.entries {
		if used[i] || i == 0 && len(entry) == 0 {
			number[i] = uint32(len(entries))
			entries = append(entries, entry)
		}
	}
	width, bits := uint64(0), 8
	for ; len(entries) > 1<<bits; bits *= 2 {
		width++
	}
	p.out = binary.LittleEndian.AppendUint64(p.out, width|lowHasAdditional|lowUpdatesEntries)
	p.out = binary.LittleEndian.AppendUint64(p.out, uint64(len(entries)))
	for _, entry := range entries {
		p.out = append(binary.AppendUvarint(p.out, uint64(len(entry))), entry...)
	}
	p.out = binary.LittleEndian.AppendUint64(p.out, uint64(len(kept)))
	for _, key := range kept {
		switch bits {
		case 8:
			p.out = append(p.out, byte(number[key]))
		case 16:
			p.out = binary.LittleEndian.AppendUint16(p.out, uint16(number[key]))
		default:
			p.out = binary.LittleEndian.AppendUint32(p.out, number[key])
		}
	}
}

func (p *blockPart) column(kind string, rows uint64) {
	switch kind {
	case typeString:
		p.texts(rows)
	case typeUUID:
		p.fixed(16, rows)
	case typeTime:
		p.fixed(8, rows)
	case typeLowString:
		p.version()
		d := p.in.dictionary(rows)
		if p.in.err != nil {
			return
		}
		kept := make([]uint32, len(p.keep))
		for i, row := range p.keep {
			kept[i] = d.keys[row]
		}
		p.words(d, kept)
	case typeUnmapped:
		p.unmapped(rows)
	default:
		bits, err := strconv.ParseUint(strings.TrimPrefix(kind, "UInt"), 10, 8)
		if err != nil {
			p.in.fail(fmt.Errorf("the type %s is not known", kind))
			return
		}
		p.fixed(bits/8, rows)
	}
}

// unmapped writes the maps of the kept rows: their ends, their names and their values.
func (p *blockPart) unmapped(rows uint64) {
	p.version()
	ends := make([]uint64, rows)
	for i := range ends {
		ends[i] = p.in.uint64()
	}
	var all uint64
	if rows > 0 {
		all = ends[rows-1]
	}
	kept := make([]bool, all)
	var end uint64
	for _, row := range p.keep {
		from := uint64(0)
		if row > 0 {
			from = ends[row-1]
		}
		for at := from; at < ends[row] && ends[row] <= all; at++ {
			kept[at] = true
		}
		end += ends[row] - from
		p.out = binary.LittleEndian.AppendUint64(p.out, end)
	}
	if all == 0 || p.in.err != nil {
		return
	}
	d := p.in.dictionary(all)
	if p.in.err != nil {
		return
	}
	if end == 0 {
		p.in.strings(all)
		return
	}
	var keys []uint32
	for at, is := range kept {
		if is {
			keys = append(keys, d.keys[at])
		}
	}
	p.words(d, keys)
	for _, is := range kept {
		if s := p.in.string(); is {
			p.out = append(binary.AppendUvarint(p.out, uint64(len(s))), s...)
		}
	}
}
