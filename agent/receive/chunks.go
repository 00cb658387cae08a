package receive

import (
	"container/list"
	"net/netip"
	"time"
)

// chunkMagic begins a datagram that is a part of a GELF message: magic, eight bytes that
// name the message, the chunk's number from 0, and how many there are, 128 at most.
const (
	chunkMagic  = "\x1e\x0f"
	chunkHeader = 12
	maxChunks   = 128
	// chunkCost is what a message takes beside its bytes.
	chunkCost = 1024
)

// assembler puts chunked messages together. Its memory is bounded: the oldest message
// is given up for a new one.
type assembler struct {
	// max is the longest message, room what all of them may take, in bytes.
	max, room int
	patience  time.Duration
	used      int
	messages  map[chunkedID]*list.Element
	// order has the oldest first.
	order list.List
	// done remembers for a while which messages are complete (true) or given up, so that
	// their repeated or late chunks do not begin them again.
	done    map[chunkedID]bool
	expired []chunkedDone
	// givenUp is told the bytes of messages that never became whole, and why.
	givenUp func(from netip.Addr, beginning []byte, why string)
}

// chunkedID names a message. The sender is a part of it: nobody can put chunks into the
// message of another machine.
type chunkedID struct {
	from netip.Addr
	id   [8]byte
}

type chunkedDone struct {
	id    chunkedID
	until time.Time
}

type chunked struct {
	id     chunkedID
	since  time.Time
	parts  [][]byte
	have   int
	length int
}

const (
	whyMissing  = "chunks of it are missing"
	whyTooLong  = "its chunks are longer than a message may be"
	whyCrowded  = "too many chunked messages were incomplete at once"
	whyLate     = "this chunk came after it was given up"
	whyBadChunk = "a chunk's header makes no sense"
)

func newAssembler(max, room int, patience time.Duration, givenUp func(netip.Addr, []byte, string)) *assembler {
	return &assembler{max: max, room: room, patience: patience, givenUp: givenUp,
		messages: map[chunkedID]*list.Element{}, done: map[chunkedID]bool{}}
}

// add takes a datagram that begins with chunkMagic, and returns the message that it
// completes, or nil. It keeps a copy of what it needs.
func (a *assembler) add(from netip.Addr, datagram []byte, now time.Time) []byte {
	a.expire(now)
	if len(datagram) < chunkHeader {
		a.givenUp(from, datagram, whyBadChunk)
		return nil
	}
	id := chunkedID{from: from, id: [8]byte(datagram[2:10])}
	number, count := int(datagram[10]), int(datagram[11])
	if count == 0 || count > maxChunks || number >= count {
		a.givenUp(from, datagram, whyBadChunk)
		return nil
	}
	if complete, over := a.done[id]; over {
		if !complete {
			a.givenUp(from, datagram[chunkHeader:], whyLate)
		}
		return nil
	}
	element := a.messages[id]
	if element == nil {
		element = a.order.PushBack(&chunked{id: id, since: now, parts: make([][]byte, count)})
		a.messages[id] = element
		a.used += chunkCost + count*24
	}
	m := element.Value.(*chunked)
	part := datagram[chunkHeader:]
	switch {
	case len(m.parts) != count:
		a.giveUp(element, whyBadChunk, now)
		return nil
	case m.parts[number] != nil:
		return nil
	case m.length+len(part) > a.max:
		a.giveUp(element, whyTooLong, now)
		return nil
	}
	m.parts[number] = append(make([]byte, 0, len(part)), part...)
	m.have++
	m.length += len(part)
	a.used += len(part)
	if m.have == count {
		a.drop(element, true, now)
		return m.join()
	}
	for a.used > a.room && a.order.Len() > 1 {
		a.giveUp(a.order.Front(), whyCrowded, now)
	}
	return nil
}

// expire gives up the messages whose chunks take too long.
func (a *assembler) expire(now time.Time) {
	for first := a.order.Front(); first != nil && now.Sub(first.Value.(*chunked).since) >= a.patience; first = a.order.Front() {
		a.giveUp(first, whyMissing, now)
	}
	for len(a.expired) > 0 && !now.Before(a.expired[0].until) {
		delete(a.done, a.expired[0].id)
		a.expired = a.expired[1:]
	}
}

// end gives up all.
func (a *assembler) end(now time.Time) {
	for a.order.Len() > 0 {
		a.giveUp(a.order.Front(), whyMissing, now)
	}
}

func (a *assembler) giveUp(element *list.Element, why string, now time.Time) {
	m := element.Value.(*chunked)
	a.drop(element, false, now)
	a.givenUp(m.id.from, m.join(), why)
}

// maxDone bounds what is remembered of messages that are over.
const maxDone = 65_536

func (a *assembler) drop(element *list.Element, complete bool, now time.Time) {
	m := a.order.Remove(element).(*chunked)
	delete(a.messages, m.id)
	a.used -= chunkCost + len(m.parts)*24 + m.length
	if len(a.expired) >= maxDone {
		delete(a.done, a.expired[0].id)
		a.expired = a.expired[1:]
	}
	a.done[m.id] = complete
	a.expired = append(a.expired, chunkedDone{m.id, now.Add(a.patience)})
}

func (m *chunked) join() []byte {
	whole := make([]byte, 0, m.length)
	for _, part := range m.parts {
		whole = append(whole, part...)
	}
	return whole
}
