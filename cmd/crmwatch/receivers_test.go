package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/crmwatch/crmwatch/agent/redact"
	"github.com/crmwatch/crmwatch/alerting/fakeslack"
)

// freePort is one that nothing listens on, for UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestRunReceives sends logs to the ports of `crmwatch run` and finds them in events, also
// across a changed configuration.
func TestRunReceives(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(fakeslack.New(fakeslack.Options{}))
	defer slack.Close()
	i := newInstance(t, slack.URL+"/api/", fakeslack.DefaultChannel.ID)
	text, err := os.ReadFile(filepath.Join(i.dir, "crmwatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	syslogPort, gelfPort, otlpPort, taken := freePort(t), freePort(t), freePort(t), freePort(t)
	i.write("otlp.token", "correct-horse-battery\n")
	i.write("pseudonym.key", strings.Repeat("5a", redact.PseudonymKeySize)+"\n")
	first := string(text) + fmt.Sprintf(`
pseudonym_key_file: ./pseudonym.key
receivers:
  - {name: edge-syslog, protocol: syslog, listen: "%s", transport: [udp, tcp], tenant: acme}
  - {name: middleware, protocol: gelf, listen: "%s", transport: [udp], privacy: {pseudonyms: true}}
  - {name: apps, protocol: otlp, listen: "%s", token_file: ./otlp.token}
`, syslogPort, gelfPort, otlpPort)
	i.write("crmwatch.yaml", first)
	i.start()
	i.eventually("the ports", "4", func() string { return fmt.Sprint(strings.Count(i.log.String(), "logs are received")) })
	send := func(network, address, text string) {
		t.Helper()
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	message := func(n int) string {
		return fmt.Sprintf(`<134>1 2026-03-02T09:12:%02d.118Z gw1 crmgw 2211 AUTH [meta@32473 user="svc-sync" ip="203.0.113.77"] login failed`, n)
	}
	post := func() int {
		t.Helper()
		body := `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"crm-sync"}}]},"scopeLogs":[{"scope":{},"logRecords":[{"timeUnixNano":"1772442720118000000","severityNumber":13,"body":{"stringValue":"401 from CRM"}}]}]}]}`
		request, err := http.NewRequest(http.MethodPost, "http://"+otlpPort+"/v1/logs", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer correct-horse-battery")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	send("udp", syslogPort, message(1))
	send("tcp", syslogPort, message(2)+"\n"+fmt.Sprintf("%d %s", len(message(3)), message(3)))
	send("udp", gelfPort, `{"version":"1.1","host":"mw1","short_message":"401 from CRM","timestamp":1772442720.118,"level":4,"_user":"svc-sync","_src_ip":"203.0.113.77"}`)
	for range 2 { // sent again, because the answer was lost
		if status := post(); status != http.StatusOK {
			t.Errorf("OTLP is answered with %d", status)
		}
	}
	count := func() string {
		return i.query("SELECT x_source_name, count(), any(x_source_file) FROM events FINAL WHERE " + ofLogs + " GROUP BY 1 ORDER BY 1")
	}
	want := fmt.Sprintf("\"apps\",1,\"otlp+http://%s\"\n\"edge-syslog\",3,\"syslog+", otlpPort)
	i.eventually("what was received", "true", func() string {
		got := count()
		if !strings.HasPrefix(got, want) || !strings.Contains(got, fmt.Sprintf("\"middleware\",1,\"gelf+udp://%s\"", gelfPort)) {
			return got
		}
		return "true"
	})
	if got := i.query("SELECT countIf(unmapped['received_from'] = '127.0.0.1'), countIf(src_endpoint_ip = '127.0.0.1') FROM events FINAL"); got != "5,0" {
		t.Errorf("the sender's address: %s", got)
	}

	if got := i.query("SELECT countIf(startsWith(actor_user_name, 'user-')), countIf(actor_user_name = 'svc-sync') FROM events FINAL WHERE x_source_name = 'middleware'"); got != "1,0" {
		t.Errorf("people where a receiver asks for pseudonyms: %s", got)
	}

	// A port that is taken is found before the old configuration stops.
	other, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	i.write("crmwatch.yaml", strings.Replace(first, gelfPort+`", transport: [udp]`, taken+`", transport: [tcp]`, 1))
	i.signal(syscall.SIGHUP)
	i.eventually("the refusal", "true", func() string {
		return fmt.Sprint(strings.Contains(i.log.String(), "tcp port "+taken+" is taken by another program"))
	})
	send("udp", syslogPort, message(4))
	other.Close()
	i.signal(syscall.SIGHUP)
	i.eventually("the new configuration", "true", func() string {
		return fmt.Sprint(strings.Contains(i.log.String(), "the new configuration is taken"))
	})
	for n := 5; n < 25; n++ { // some while nothing reads
		send("udp", syslogPort, message(n))
	}
	i.eventually("the new port", "8", func() string { return fmt.Sprint(strings.Count(i.log.String(), "logs are received")) })
	send("tcp", taken, `{"version":"1.1","host":"mw1","short_message":"403 from CRM","timestamp":1772442721}`+"\x00")
	i.eventually("all", `"apps",1 "edge-syslog",24 "middleware",2`, func() string {
		return strings.ReplaceAll(i.query("SELECT x_source_name, count() FROM events FINAL WHERE "+ofLogs+" GROUP BY 1 ORDER BY 1"), "\n", " ")
	})
	http.DefaultClient.CloseIdleConnections()
	i.stop()
	if strings.Contains(i.log.String(), "battery") {
		t.Error("the log holds the token")
	}

	// A port that is taken at the start ends it, and says so.
	other, err = net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	i.start()
	if err := i.cmd.Wait(); err == nil || !strings.Contains(i.log.String(), "receiver middleware: tcp port "+taken+" is taken") {
		t.Errorf("%v\n%s", err, i.log)
	}
	i.cmd = nil
}

// TestReceiversAreChecked names each mistake with its place and its mend.
func TestReceiversAreChecked(t *testing.T) {
	for receiver, want := range map[string]string{
		"":                               "4:5: the receiver has no name",
		"protocol: syslog, listen: ':1'": "4:5: the receiver has no name",
		"name: a, protocol: http, listen: 127.0.0.1:1":                                                       `4:25: the protocol is "http": use syslog, gelf or otlp`,
		"name: web, protocol: syslog, listen: 127.0.0.1:1":                                                   `4:12: the name "web" is used twice`,
		"name: a, protocol: syslog, listen: here":                                                            `4:41: listen is "here": write host:port`,
		"name: a, protocol: syslog, listen: 0.0.0.0:514":                                                     "4:41: listen is 0.0.0.0:514 in clear: everybody on the way can read the logs",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, transport: [sctp]":                                  `the transport is "sctp": use udp, tcp or tls`,
		"name: a, protocol: syslog, listen: 127.0.0.1:1, transport: [tls]":                                   "tls needs a certificate",
		"name: a, protocol: gelf, listen: 127.0.0.1:1, transport: [tcp, tls], cert_file: c, key_file: k":     "cannot share one port",
		"name: a, protocol: gelf, listen: 127.0.0.1:1, transport: [udp], cert_file: c, key_file: k":          "cert_file does nothing",
		"name: a, protocol: gelf, listen: 127.0.0.1:1, cert_file: c":                                         "belong together",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, token_file: t":                                      "syslog knows no token",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, format: salesforce-elf":                             "does not stand for itself",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, format: nonsense":                                   "unknown format",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, zone: Mars":                                         "the zone",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, allow: [10.0.0.0/99]":                               `"10.0.0.0/99" is no network`,
		"name: a, protocol: otlp, listen: 0.0.0.0:4318, token_file: t":                                       "without TLS: token and logs would cross the network in clear",
		"name: a, protocol: otlp, listen: 0.0.0.0:4318, cert_file: c, key_file: k":                           "everybody could send",
		"name: a, protocol: otlp, listen: 0.0.0.0:4318, plaintext: true":                                     "plaintext is for syslog and gelf",
		"name: a, protocol: otlp, listen: 127.0.0.1:4318, transport: [tcp]":                                  "transport is for syslog and gelf",
		"name: a, protocol: otlp, listen: 127.0.0.1:4318, format: kong":                                      "otlp is read as such",
		"name: a, protocol: otlp, listen: 127.0.0.1:4318, client_ca_file: c":                                 "without TLS no sender can show",
		"name: a, protocol: otlp, listen: 127.0.0.1:1, transprot: [tcp]":                                     "transprot",
		"name: a, protocol: gelf, listen: 127.0.0.1:1}\n  - {name: b, protocol: syslog, listen: 127.0.0.1:1": "udp port 127.0.0.1:1 is used twice",
		"name: a, protocol: syslog, listen: 127.0.0.1:1, transport: [udp, tcp], allow: [10.0.0.0/8, '::1']":  "",
		"name: a, protocol: gelf, listen: 0.0.0.0:12201, plaintext: true":                                    "",
		"name: a, protocol: syslog, listen: ':6514', cert_file: c, key_file: k, client_ca_file: c":           "",
	} {
		path := filepath.Join(t.TempDir(), "crmwatch.yaml")
		text := "data: d\nsources: [{name: web, paths: [a]}]\nreceivers:\n  - {" + receiver + "}\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v\nwant %s", receiver, err, want)
		}
	}
}
