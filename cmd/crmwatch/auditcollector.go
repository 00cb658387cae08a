package main

import (
	"crypto/x509"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/collector/ca"
	"github.com/crmwatch/crmwatch/collector/token"
	"github.com/crmwatch/crmwatch/compliance/audit"
)

// unknownAgent is who has a token or a certificate that nobody knows.
const unknownAgent = "unknown agent"

// refusal says why a request has no valid credential, and who it claims to be: the name
// in a certificate that an authority of ours has made, or nobody.
func (c *credentials) refusal(r *http.Request) audit.Refusal {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	refusal := audit.Refusal{At: time.Now(), Action: "login.refuse", Service: "collector", Address: host, Name: unknownAgent, Reason: "no token and no certificate"}
	given, hasToken := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case hasToken && given != "":
		refusal.Reason = "unknown or expired token"
	case r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		leaf := r.TLS.VerifiedChains[0][0]
		if name := agentOf(leaf); name != "" {
			refusal.Name = name
		}
		switch {
		case time.Now().After(leaf.NotAfter):
			refusal.Reason = "expired certificate"
		case c.isRevoked(leaf):
			refusal.Reason = "revoked certificate"
		default:
			refusal.Reason = "certificate of no agent"
		}
	}
	return refusal
}

// agentOf is the agent's name in a certificate.
func agentOf(leaf *x509.Certificate) string {
	for _, uri := range leaf.URIs {
		if name, ok := strings.CutPrefix(uri.String(), ca.AgentURI); ok && token.CheckName(name) == nil {
			return name
		}
	}
	return ""
}

// handshakeLog tells of connections that end before they are requests, because of a
// certificate or of TLS, beside logging them.
func handshakeLog(next *log.Logger, refused func(audit.Refusal)) *log.Logger {
	return log.New(&handshakes{next, refused}, "", 0)
}

type handshakes struct {
	next    *log.Logger
	refused func(audit.Refusal)
}

func (h *handshakes) Write(line []byte) (int, error) {
	h.next.Print(string(line))
	if refusal, ok := handshakeRefusal(string(line)); ok {
		h.refused(refusal)
	}
	return len(line), nil
}

// handshakeRefusal reads what net/http logs of a handshake that failed. One that broke
// off says nothing: those who only look whether a port is open do that.
func handshakeRefusal(line string) (r audit.Refusal, ok bool) {
	_, rest, ok := strings.Cut(strings.TrimSpace(line), "TLS handshake error from ")
	if !ok {
		return r, false
	}
	at, reason, ok := strings.Cut(rest, ": ")
	host, _, err := net.SplitHostPort(at)
	if !ok || err != nil {
		return r, false
	}
	r = audit.Refusal{At: time.Now(), Action: "connection.refuse", Service: "collector", Address: host, Name: "", Reason: shorten(printable(reason), 200)}
	switch {
	case strings.Contains(reason, "certificate") && !strings.HasPrefix(reason, "remote error"): // that is the agent's word about ours
		r.Action, r.Name = "login.refuse", unknownAgent
	case !strings.Contains(reason, "tls: "):
		return r, false
	}
	return r, true
}
