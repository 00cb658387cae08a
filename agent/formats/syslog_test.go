package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crmwatch/crmwatch/schema"
)

var carriers = []Format{syslog, cef, leef}

// carrierOptions are those of a log that was written in January 2027, in Berlin.
func carrierOptions(t testing.TB) Options {
	o := salesforceOptions(t)
	o.Reference = time.Date(2027, 1, 10, 12, 0, 0, 0, time.UTC)
	return o
}

// Each sample has beside it what is read from it.
func TestCarrierGolden(t *testing.T) { wantGolden(t, carriers, carrierOptions(t)) }

// What is read does not depend on how the file is cut into calls.
func TestCarrierReadsTheSameInPieces(t *testing.T) {
	wantSameInPieces(t, carriers, carrierOptions(t))
}

// Every sample is claimed by its own format and by no other, whole or cut.
func TestCarrierDetect(t *testing.T) {
	wantOwnFormat(t, carriers)
	samples, err := filepath.Glob(filepath.Join("testdata", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range samples {
		name := filepath.Base(filepath.Dir(file))
		data, err := os.ReadFile(file)
		if _, known := ByName(name); known != nil || err != nil || filepath.Ext(file) == ".golden" {
			continue
		}
		for _, own := range carriers {
			if why := own.Detect(data[:min(len(data), HeadSize)]); why != "" && own.Name != name {
				t.Errorf("%s is claimed as %s: %s", file, own.Name, why)
			}
		}
	}
	for name, head := range map[string]string{
		"spring":   "2026-03-02T09:12:00.118Z INFO 4711 --- [main] com.acme.App: started\n2026-03-02T09:12:00.118Z WARN 4711 --- [main] com.acme.App: slow\n",
		"docker":   "2026-03-02T09:12:00.118999999Z level=info msg=started\n",
		"iso":      "2026-03-02T09:12:00Z INFO app: started\n",
		"host":     "2026-03-02T09:12:00Z worker app: started\n",
		"xml":      "<1><2>x</2></1>\n",
		"numbers":  "12 <b>bold</b>\n",
		"boomi":    "Mar 2, 2026 9:12:00 AM UTC WARNING [com.boomi.X y] text\n",
		"calendar": "Mar  2 09:12:00 meeting with the team\n",
		"empty":    "", "angle": "<", "zeros": "\x00\x00\x00", "digits": "123", "cef": "CEF:", "leef": "LEEF:1.0|x",
	} {
		for _, format := range carriers {
			if why := format.Detect([]byte(head)); why != "" {
				t.Errorf("%s is claimed as %s: %s", name, format.Name, why)
			}
		}
	}
}

// A time without a year is of the last year in which it does not lie behind the time
// at which the log was there.
func TestSyslogYear(t *testing.T) {
	berlin := salesforceOptions(t).Zone
	at := func(year int, month time.Month, day, hour int) time.Time {
		return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
	}
	for name, test := range map[string]struct {
		text      string
		reference time.Time
		zone      *time.Location
		want      string
	}{
		"same year":             {"Mar  2 09:12:00", at(2026, 3, 2, 10), nil, "2026-03-02T09:12:00Z"},
		"year before":           {"Dec 31 23:59:59", at(2027, 1, 1, 0), nil, "2026-12-31T23:59:59Z"},
		"long ago":              {"Jan 20 09:12:00", at(2027, 1, 10, 0), nil, "2026-01-20T09:12:00Z"},
		"clock that is fast":    {"Jan  1 00:00:10", at(2026, 12, 31, 23), nil, "2027-01-01T00:00:10Z"},
		"too far":               {"Jan  2 00:00:10", at(2026, 12, 31, 23), nil, "2026-01-02T00:00:10Z"},
		"zone ahead":            {"Jan  1 00:30:00", at(2026, 12, 31, 23), berlin, "2026-12-31T23:30:00Z"},
		"summer":                {"Jul  1 12:00:00.118", at(2026, 8, 1, 0), berlin, "2026-07-01T10:00:00.118Z"},
		"leap day":              {"Feb 29 12:00:00", at(2027, 1, 10, 0), nil, "2024-02-29T12:00:00Z"},
		"leap day over century": {"Feb 29 12:00:00", at(2103, 1, 10, 0), nil, "2096-02-29T12:00:00Z"},
		"year named":            {"Mar  2 2019 09:12:00", at(2027, 1, 10, 0), nil, "2019-03-02T09:12:00Z"},
		"year behind":           {"Mar  2 09:12:00 2019 ", time.Time{}, nil, "2019-03-02T09:12:00Z"},
		"no such day":           {"Feb 30 09:12:00", at(2027, 1, 10, 0), nil, ""},
		"nothing known":         {"Mar  2 09:12:00", time.Time{}, nil, ""},
	} {
		c := newSyslogClock(Options{Zone: test.zone, Reference: test.reference})
		stamp, n := readStamp(test.text)
		if n == 0 {
			t.Errorf("%s: not read", name)
			continue
		}
		ms, wrong := c.millis(stamp)
		got := ""
		if wrong == "" {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
		}
		if got != test.want {
			t.Errorf("%s: %s %q, want %s", name, got, wrong, test.want)
		}
	}
}

// A log that is followed over New Year goes on in the new one.
func TestSyslogRefer(t *testing.T) {
	d := syslog.New(Options{}).(*syslogLog)
	var times []string
	sink := sinkFunc(func(e *schema.Event) { times = append(times, e.When().Format(time.DateOnly)) })
	d.Refer(time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC))
	d.Decode([]byte("<13>Dec 20 00:00:00 gw1 app: x\n"), false, sink)
	d.Refer(time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC))
	d.Decode([]byte("<13>Dec 31 00:00:00 gw1 app: x\n<13>Jan  5 00:00:00 gw1 app: x\n"), false, sink)
	if diff := cmp.Diff([]string{"2026-12-20", "2026-12-31", "2027-01-05"}, times); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Who logs in chooses the name, and cannot choose the address with it.
func TestReadLogin(t *testing.T) {
	for text, want := range map[string]string{
		"Failed password for invalid user x from 192.0.2.1 port 1 ssh2 from 203.0.113.77 port 51102 ssh2":                 "1 2 x from 192.0.2.1 port 1 ssh2|203.0.113.77",
		"Failed none for invalid user  from 203.0.113.77 port 1 ssh2":                                                     "1 2 |203.0.113.77",
		"Accepted keyboard-interactive/pam for alice from 2001:db8::1 port 40022 ssh2":                                    "1 1 alice|2001:db8::1",
		"Partial publickey for alice from 198.51.100.23 port 40022 ssh2: RSA SHA256:abc":                                  "1 99 alice|198.51.100.23",
		"Invalid user a from b from 203.0.113.77":                                                                         "1 99 a from b|203.0.113.77",
		"error: maximum authentication attempts exceeded for root from 203.0.113.77 port 51100 ssh2 [preauth]":            "1 2 root|203.0.113.77",
		"User bob from 203.0.113.77 not allowed because not listed in AllowUsers":                                         "1 2 bob|203.0.113.77",
		"Disconnected from invalid user bob 203.0.113.77 port 51100 [preauth]":                                            "1 99 bob|203.0.113.77",
		"Disconnected from user bob 203.0.113.77 port 51100":                                                              "2 1 bob|203.0.113.77",
		"Connection closed by 203.0.113.77 port 51100":                                                                    "",
		"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.77  user=root": "1 2 root|203.0.113.77",
		"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.77 ":           "1 2 |203.0.113.77",
		"PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.77  user=root":          "1 2 root|203.0.113.77",
		"pam_unix(sshd:session): session closed for user alice":                                                           "2 1 alice|",
		"Accepted the new configuration from 3 hosts":                                                                     "",
		"Failed to load the list for user from disk":                                                                      "",
		"Failed": "",
		"User":   "",
	} {
		l, ok := readLogin("sshd", text)
		got := ""
		if ok {
			got = strings.TrimSpace(string(rune('0'+l.activity))) + " " + map[uint64]string{1: "1", 2: "2", 99: "99"}[l.status] + " " + l.user + "|" + l.source
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestJavaLayout(t *testing.T) {
	for pattern, want := range map[string]string{
		"yyyy-MM-dd'T'HH:mm:ss.SSSZ":   "2006-01-02T15:04:05.000-0700",
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2006-01-02T15:04:05.000Z07:00",
		"MMM dd yyyy HH:mm:ss.SSS z":   "Jan 02 2006 15:04:05.000 MST",
		"EEE, d MMM yyyy hh:mm:ss a":   "Mon, 2 Jan 2006 03:04:05 PM",
		"yyyy''MM":                     "2006'01",
		"HH:mm:ss:SSS":                 "",
		"yyyy-ww":                      "",
		"yyyy'":                        "",
		"":                             "",
	} {
		if got := javaLayout(pattern); got != want {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}

func TestCEFPairs(t *testing.T) {
	for text, want := range map[string][]pair{
		"a=1 b=two words  c=":         {{"a", "1"}, {"b", "two words"}, {"c", ""}},
		`msg=a\=b \\ c\nd e=f`:        {{"msg", "a=b \\ c\nd"}, {"e", "f"}},
		"msg=x = y z==1 k=v":          {{"msg", "x = y"}, {"z", "=1"}, {"k", "v"}},
		"no pairs":                    nil,
		"lost words a=1":              {{"a", "1"}},
		`a=pipe|inside b=back\slash`:  {{"a", "pipe|inside"}, {"b", `back\slash`}},
		`a=x\`:                        {{"a", `x\`}},
		"url=https://h/p?q=1&r=2 z=3": {{"url", "https://h/p?q=1&r=2"}, {"z", "3"}},
	} {
		if diff := cmp.Diff(want, cefPairs(nil, text), cmp.AllowUnexported(pair{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", text, diff)
		}
	}
}

// A record longer than the limit is rejected in parts, and the next one is read.
func TestSyslogLongLine(t *testing.T) {
	const limit = 200
	head := "<13>1 2026-03-02T09:12:00Z gw1 app - - - "
	data := head + strings.Repeat("é", limit) + "\n" + head + "x\n999 " + head + "y"
	for _, size := range []int{len(data), 1, 50, limit, limit + 1} {
		d := newSyslogLog(Options{})
		d.lines.max = limit
		r := &reasons{}
		decodeInSteps(t, d, []byte(data), size, r)
		if diff := cmp.Diff([]string{ReasonTooLong, ReasonTooLong, ReasonTooLong, "", ""}, r.list); diff != "" {
			t.Errorf("in pieces of %d: -want +got:\n%s", size, diff)
		}
	}
}

// What a program's lines are is found out once, and not asked about for ever.
func TestSyslogInnerIsBounded(t *testing.T) {
	d := newSyslogLog(Options{})
	for i := range 3 * maxInnerApps {
		line := "<13>1 2026-03-02T09:12:00Z gw1 app" + strings.Repeat("x", i%100) + string(rune('a'+i%26)) + " - - - started on 2026-03-02 at noon\n"
		d.Decode([]byte(line), true, &reasons{})
	}
	if len(d.inner.apps) > maxInnerApps {
		t.Errorf("%d programs are remembered", len(d.inner.apps))
	}
	for _, known := range d.inner.apps {
		if known.asked > maxAsked {
			t.Errorf("a program was asked about %d times", known.asked)
		}
	}
}

func fuzzCarrier(f *testing.F, format Format) {
	eachSample(f, carriers, func(own Format, file string, data []byte) {
		if own.Name == format.Name {
			for _, line := range bytes.SplitAfter(data, []byte{'\n'}) {
				f.Add(line, byte(7))
			}
			f.Add(data[:min(len(data), 2000)], byte(50))
		}
	})
	o := carrierOptions(f)
	f.Fuzz(func(t *testing.T, data []byte, size byte) {
		if len(data) == 0 || size == 0 || looksUTF16(data) { // UTF-16 is refused with as much as is at hand
			return
		}
		c := &checker{t: t, data: data}
		if used := format.New(o).Decode(data, true, c); used != len(data) {
			t.Fatalf("used %d of %d bytes", used, len(data))
		}
		var whole, pieces transcript
		decodeInSteps(t, format.New(o), data, len(data), &whole)
		decodeInSteps(t, format.New(o), data, int(size), &pieces)
		if diff := cmp.Diff(whole.String(), pieces.String()); diff != "" {
			t.Fatalf("-whole +pieces of %d:\n%s", size, diff)
		}
		format.Detect(data)
	})
}

func FuzzSyslog(f *testing.F) { fuzzCarrier(f, syslog) }
func FuzzCEF(f *testing.F)    { fuzzCarrier(f, cef) }
func FuzzLEEF(f *testing.F)   { fuzzCarrier(f, leef) }
