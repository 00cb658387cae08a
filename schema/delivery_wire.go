package schema

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ClickHouse/ch-go/compress"
)

// The form in which a delivery crosses the network: the magic, the length of a JSON
// header (u32, little endian), the header, the events' frames and the quarantine's.
const (
	deliveryMagic = "CRMWDLV1"
	maxWireHeader = 4 << 10
	// maxFrameRatio is how much more a frame may hold than it takes. LZ4 cannot do more
	// than 255 to 1; columns of equal values come near that.
	maxFrameRatio = 300
)

// DeliveryLimits bound what is taken off the wire, in bytes.
type DeliveryLimits struct{ Wire, Decoded int64 }

type wireHeader struct {
	AgentUID   string    `json:"agent_uid"`
	Sequence   uint64    `json:"sequence"`
	Sealed     time.Time `json:"sealed"`
	Events     wireBlock `json:"events"`
	Quarantine wireBlock `json:"quarantine"`
}

type wireBlock struct {
	Rows   int    `json:"rows,omitempty"`
	Size   int    `json:"size,omitempty"`
	Hash   string `json:"hash,omitempty"`
	Length int    `json:"length,omitempty"`
	Framed bool   `json:"framed,omitempty"`
}

func (f *Frames) wire() wireBlock {
	if f.Rows == 0 {
		return wireBlock{}
	}
	return wireBlock{f.Rows, f.Size, hex.EncodeToString(f.Hash[:]), len(f.Data), f.Framed}
}

// AppendTo appends the delivery as it crosses the network. The same delivery is
// always the same bytes.
func (d *Delivery) AppendTo(dst []byte) ([]byte, error) {
	header, err := json.Marshal(wireHeader{d.AgentUID, d.Sequence, d.Sealed.UTC(), d.Events.wire(), d.Quarantine.wire()})
	if err != nil {
		return dst, fmt.Errorf("encode delivery: %w", err)
	}
	dst = append(dst, deliveryMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(header)))
	dst = append(dst, header...)
	if d.Events.Rows > 0 {
		dst = append(dst, d.Events.Data...)
	}
	if d.Quarantine.Rows > 0 {
		dst = append(dst, d.Quarantine.Data...)
	}
	return dst, nil
}

// ErrTooLarge is a delivery beyond the limits.
var ErrTooLarge = errors.New("the delivery is larger than this collector takes")

// ReadDelivery reads a delivery and ends with an error for anything that is not one,
// without believing a length before it has the bytes.
func ReadDelivery(r io.Reader, limits DeliveryLimits) (Delivery, error) {
	r = io.LimitReader(r, limits.Wire+1)
	start := make([]byte, len(deliveryMagic)+4)
	if _, err := io.ReadFull(r, start); err != nil || string(start[:len(deliveryMagic)]) != deliveryMagic {
		return Delivery{}, errors.New("read delivery: it does not begin as one")
	}
	n := binary.LittleEndian.Uint32(start[len(deliveryMagic):])
	if n > maxWireHeader {
		return Delivery{}, fmt.Errorf("read delivery: its header has %d bytes, at most %d are taken", n, maxWireHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return Delivery{}, errors.New("read delivery: it ends within its header")
	}
	var header wireHeader
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&header); err != nil {
		return Delivery{}, errors.New("read delivery: its header is not understood")
	}
	d := Delivery{AgentUID: header.AgentUID, Sequence: header.Sequence, Sealed: header.Sealed}
	if !isAgentUID(d.AgentUID) || d.Sequence == 0 {
		return Delivery{}, errors.New("read delivery: its agent uid or sequence number is none")
	}
	wire := int64(len(start)) + int64(n)
	decoded := int64(0)
	for _, block := range []struct {
		header wireBlock
		frames *Frames
	}{{header.Events, &d.Events}, {header.Quarantine, &d.Quarantine}} {
		h := block.header
		if h.Rows < 0 || h.Size < 0 || h.Length < 0 || h.Rows == 0 != (h.Length == 0) {
			return Delivery{}, errors.New("read delivery: its header contradicts itself")
		}
		wire, decoded = wire+int64(h.Length), decoded+int64(h.Size)
		if wire > limits.Wire || decoded > limits.Decoded || int64(h.Size) > int64(h.Length)*maxFrameRatio {
			return Delivery{}, ErrTooLarge
		}
		if err := block.frames.read(r, h); err != nil {
			return Delivery{}, fmt.Errorf("read delivery: %w", err)
		}
	}
	if d.Events.Rows == 0 && d.Quarantine.Rows == 0 {
		return Delivery{}, errors.New("read delivery: there is nothing in it")
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return Delivery{}, errors.New("read delivery: something stands behind its end")
	}
	return d, nil
}

func (f *Frames) read(r io.Reader, h wireBlock) error {
	if h.Rows == 0 {
		return nil
	}
	hash, err := hex.DecodeString(h.Hash)
	if err != nil || len(hash) != len(f.Hash) {
		return errors.New("its header has no hash of a block")
	}
	var data bytes.Buffer
	if _, err := io.CopyN(&data, r, int64(h.Length)); err != nil {
		return errors.New("it ends within a block")
	}
	f.Rows, f.Size, f.Framed, f.Data = h.Rows, h.Size, h.Framed, data.Bytes()
	copy(f.Hash[:], hash)
	return nil
}

func isAgentUID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 16
}

// Raw is the raw block, checked against its size and hash.
func (f *Frames) Raw() ([]byte, error) {
	block := f.Data
	if f.Framed {
		block = make([]byte, f.Size)
		reader := compress.NewReader(bytes.NewReader(f.Data))
		if _, err := io.ReadFull(reader, block); err != nil {
			return nil, errors.New("its frames are damaged or shorter than its header says")
		}
		if n, err := reader.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return nil, errors.New("its frames hold more than its header says")
		}
	}
	if len(block) != f.Size || HashBlock(block) != f.Hash {
		return nil, errors.New("its block is not the one that its header names")
	}
	return block, nil
}
