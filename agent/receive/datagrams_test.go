package receive

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDatagrams(t *testing.T) {
	r := newRig(t, nginxInside, syslogOptions(UDP)).start()
	conn := r.dial(0, "udp")
	for n := range 100 {
		r.write(conn, accessLine(n))
		if n%20 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	r.write(conn, accessLine(100)+"\n\x00")
	r.write(conn, "")
	r.write(conn, "\r\n")
	r.write(conn, "<13>Mar  2 09:00:00 web1 nginx: nothing that can be read\nin two lines")
	r.want(101, 1)
	// A message that looks as the start of a UTF-16 file does must not change the others.
	r.write(conn, "\xff\xfe<\x00a\x00")
	r.write(conn, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x")
	r.write(conn, accessLine(101))
	r.write(conn, accessLine(101)) // twice the same is two events
	r.want(103, 4)
	if content := r.column(r.rows.quarantine, "content"); !contains(content, "nothing that can be read in two lines") {
		t.Errorf("quarantine: %q", content)
	}
}

func pack(t *testing.T, text string, zlibbed bool) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if zlibbed {
		w = zlib.NewWriter(&b)
	}
	_, err := w.Write([]byte(text))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inChunks cuts a message as a sender of GELF does.
func inChunks(id, message string, count int) (chunks []string) {
	size := (len(message) + count - 1) / count
	for n := range count {
		part := message[min(len(message), n*size):min(len(message), (n+1)*size)]
		chunks = append(chunks, chunkMagic+id+string([]byte{byte(n), byte(count)})+part)
	}
	return chunks
}

func TestGELFDatagrams(t *testing.T) {
	r := newRig(t, kongInside, gelfOptions(UDP))
	r.limits = Limits{ChunkTime: 300 * time.Millisecond, Message: 100_000}
	r.start()
	conn := r.dial(0, "udp")
	r.write(conn, kongRecord(0))
	r.write(conn, pack(t, kongRecord(1), false))
	r.write(conn, pack(t, kongRecord(2), true))
	r.write(conn, strings.ReplaceAll(kongRecord(3), ",", ",\n"))
	shuffled := inChunks("12345678", pack(t, kongRecord(4), false), 5)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, chunk := range shuffled {
		r.write(conn, chunk)
		r.write(conn, chunk) // doubled on its way
	}
	r.write(conn, inChunks("87654321", kongRecord(5), 1)[0])
	r.want(6, 0)
	// A chunk is missing; a header makes no sense; a packed message is damaged; one is a bomb.
	for i, chunk := range inChunks("missing_", kongRecord(6), 4) {
		if i != 2 {
			r.write(conn, chunk)
		}
	}
	r.write(conn, chunkMagic+"12345678\x05\x05x")
	r.write(conn, chunkMagic+"1234")
	r.write(conn, pack(t, kongRecord(7), false)[:60])
	r.write(conn, pack(t, strings.Repeat(" ", 10<<20)+kongRecord(8), false))
	for _, chunk := range inChunks("bombbomb", pack(t, strings.Repeat(" ", 10<<20)+kongRecord(9), true), 8) {
		r.write(conn, chunk)
	}
	r.want(6, 6)
	details := r.column(r.rows.quarantine, "detail")
	for _, want := range []string{whyMissing, whyBadChunk, "is damaged", "unpacks to more"} {
		if !contains(details, want) {
			t.Errorf("no record is in quarantine because %s: %q", want, details)
		}
	}
}

func TestGELFStream(t *testing.T) {
	r := newRig(t, kongInside, gelfOptions(TCP)).start()
	conn := r.dial(0, "tcp")
	r.write(conn, kongRecord(0)+"\x00"+strings.ReplaceAll(kongRecord(1), ",", ",\n")+"\x00\x00"+kongRecord(2)[:30])
	time.Sleep(50 * time.Millisecond)
	r.write(conn, kongRecord(2)[30:]+"\x00not JSON\x00"+kongRecord(3))
	conn.Close()
	r.want(4, 1)
}

// TestAssemblerIsBounded sends incomplete messages until it has no room for more.
func TestAssemblerIsBounded(t *testing.T) {
	var why []string
	a := newAssembler(10_000, 50_000, time.Second, func(_ netip.Addr, _ []byte, reason string) { why = append(why, reason) })
	now := time.Unix(1000, 0)
	sender, other := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	for n := range 100_000 {
		now = now.Add(time.Microsecond)
		a.add(sender, []byte(chunkMagic+fmt.Sprintf("%08d", n)+"\x00\x02"+strings.Repeat("x", n%1000)), now)
		if a.used > a.room || len(a.messages) != a.order.Len() {
			t.Fatalf("%d bytes are used", a.used)
		}
	}
	if len(why) != 100_000-a.order.Len() || why[0] != whyCrowded {
		t.Errorf("%d are given up, %d wait, the first because %s", len(why), a.order.Len(), why[0])
	}
	// Nobody else can add to a message.
	a.add(sender, []byte(chunkMagic+"mine____\x00\x02a"), now)
	if got := a.add(other, []byte(chunkMagic+"mine____\x01\x02b"), now); got != nil {
		t.Errorf("a chunk of another sender completes it: %q", got)
	}
	if got := a.add(sender, []byte(chunkMagic+"mine____\x01\x02c"), now); string(got) != "ac" {
		t.Errorf("got %q", got)
	}
	a.add(sender, []byte(chunkMagic+"mine____\x01\x02c"), now)
	a.add(sender, []byte(chunkMagic+"toolong_\x00\x02"+strings.Repeat("x", 9000)), now)
	a.add(sender, []byte(chunkMagic+"toolong_\x01\x02"+strings.Repeat("x", 9000)), now)
	if why[len(why)-1] != whyTooLong {
		t.Errorf("too long: %s", why[len(why)-1])
	}
	a.add(sender, []byte(chunkMagic+"changes_\x00\x02x"), now)
	a.add(sender, []byte(chunkMagic+"changes_\x00\x03x"), now)
	if why[len(why)-1] != whyBadChunk {
		t.Errorf("another count: %s", why[len(why)-1])
	}
	a.add(sender, []byte(chunkMagic+"changes_\x01\x02x"), now)
	if why[len(why)-1] != whyLate {
		t.Errorf("a chunk behind the end: %s", why[len(why)-1])
	}
	a.add(sender, []byte(chunkMagic+"patient_\x00\x02x"), now)
	now = now.Add(time.Second)
	a.expire(now)
	if a.used != 0 || len(a.messages) != 0 || why[len(why)-1] != whyMissing {
		t.Errorf("%d bytes are used of %d messages", a.used, len(a.messages))
	}
	now = now.Add(time.Second)
	a.expire(now)
	if len(a.done) != 0 || len(a.expired) != 0 {
		t.Errorf("%d are remembered", len(a.done))
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("00000000000011111111111111"), 7)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size < 1 {
			return
		}
		given := 0
		a := newAssembler(100, 10_000, time.Second, func(_ netip.Addr, b []byte, _ string) { given += len(b) })
		now := time.Unix(1000, 0)
		for chunk := range slices.Chunk(data, size) {
			now = now.Add(100 * time.Millisecond)
			if whole := a.add(netip.Addr{}, append([]byte(chunkMagic), chunk...), now); len(whole) > 100 {
				t.Errorf("a message has %d bytes", len(whole))
			}
			if a.used > a.room || a.used < 0 || len(a.messages) != a.order.Len() {
				t.Fatalf("%d bytes are used", a.used)
			}
		}
		a.end(now)
		if a.used != 0 {
			t.Errorf("%d bytes are left", a.used)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00"))
	f.Add([]byte("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if out, err := unpack(message, 1000); err == nil && len(out) > 1000 {
			t.Errorf("%d bytes come out", len(out))
		}
	})
}

func TestAPortThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ports := NewPorts()
	defer ports.Close()
	o := syslogOptions(UDP, TCP)
	o.Listen = taken.Addr().String()
	for _, err := range []error{ports.Reserve([]Options{o}), func() error { _, err := ports.Open([]Options{o}, Limits{}, nil); return err }()} {
		if err == nil || err.Error() != "receiver edge: tcp port "+o.Listen+" is taken by another program: stop that one, or listen elsewhere" {
			t.Errorf("%v", err)
		}
	}
}
