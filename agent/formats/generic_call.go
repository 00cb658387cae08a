package formats

import (
	"strconv"
	"strings"
	"time"

	"github.com/crmwatch/crmwatch/schema"
)

// call fills in the HTTP request that the record is about. It says whether there is
// one; a path alone may be one of a file.
func (r *genericRecord) call() (is bool) {
	e, v := r.event, &r.values
	if line := v[genericRequestLine]; line != "" {
		if method, _, ok := strings.Cut(line, " "); ok && isMethod(method) {
			setRequestLine(e, line)
		} else {
			r.leave(genericRequestLine)
		}
	}
	if method := v[genericMethod]; method != "" {
		if upper := strings.ToUpper(method[:min(len(method), 21)]); isMethod(upper) && activityOfMethod(upper).http != 0 {
			e.Text[schema.HTTPRequestMethod] = upper
		} else if v[genericOperation] == "" { // gRPC's, or a function's
			v[genericOperation], r.names[genericOperation] = method, r.names[genericMethod]
		} else {
			r.leave(genericMethod)
		}
	}
	status := v[genericHTTPStatus]
	if code, ok := smallNumber(v[genericStatus]); status == "" && ok && code >= 100 && code < 600 {
		status, v[genericStatus] = v[genericStatus], ""
	}
	is = e.Text[schema.HTTPRequestMethod] != "" || v[genericHTTPStatus] != ""
	url := v[genericURL]
	if url == "" && (is || status != "" || strings.Contains(v[genericPath], "://")) {
		url, v[genericPath] = v[genericPath], ""
	}
	if url != "" && e.Text[schema.HTTPRequestURLPath] == "" {
		setURL(e, url)
		is = true
	} else if url != "" {
		r.leave(genericURL)
	}
	if v[genericPath] != "" && v[genericPath] != e.Text[schema.HTTPRequestURLPath] {
		r.leave(genericPath)
	}
	r.query(is)
	r.server(is)
	e.Text[schema.HTTPRequestReferrer] = v[genericReferrer]
	e.Text[schema.HTTPResponseContentType] = v[genericContentType]
	if version := v[genericHTTPVersion]; version != "" {
		if rest, found := strings.CutPrefix(version, "HTTP/"); found || is && version[0]-'0' < 10 {
			e.Text[schema.HTTPRequestVersion] = rest
		} else {
			r.leave(genericHTTPVersion)
		}
	}
	setTLS(e, v[genericTLSVersion], v[genericTLSCipher])
	setStatus(e, status)
	if status != "" && e.Number[schema.HTTPResponseCode] == 0 {
		r.leave(genericHTTPStatus)
	}
	return is
}

// query tells a URL's query from one of the database.
func (r *genericRecord) query(call bool) {
	e, v := r.event, &r.values
	e.Text[schema.QueryString] = v[genericStatement]
	if url := v[genericURLQuery]; e.Text[schema.HTTPRequestURLQuery] == "" {
		e.Text[schema.HTTPRequestURLQuery] = strings.TrimPrefix(url, "?")
	}
	query := v[genericQuery]
	switch {
	case query == "":
	case (!call || isStatement(query)) && v[genericStatement] == "":
		e.Text[schema.QueryString] = query
	case call && e.Text[schema.HTTPRequestURLQuery] == "":
		e.Text[schema.HTTPRequestURLQuery] = strings.TrimPrefix(query, "?")
	case query != e.Text[schema.HTTPRequestURLQuery]:
		r.leave(genericQuery)
	}
}

// isStatement says whether a query is one of SOQL, SOSL or SQL.
func isStatement(query string) bool {
	word, _, more := strings.Cut(query, " ")
	return more && (strings.EqualFold(word, "select") || strings.EqualFold(word, "find") || strings.EqualFold(word, "with") ||
		strings.EqualFold(word, "insert") || strings.EqualFold(word, "update") || strings.EqualFold(word, "delete"))
}

// server fills in which server was asked.
func (r *genericRecord) server(call bool) {
	e, v := r.event, &r.values
	if ip := v[genericServerIP]; ip != "" {
		if found := parseAddress(ip[:min(len(ip), maxAddress)]); found.ip != "" {
			e.Text[schema.DstEndpointIP] = found.ip
		} else if v[genericServerName] == "" {
			v[genericServerName], r.names[genericServerName] = ip, r.names[genericServerIP]
		} else {
			r.leave(genericServerIP)
		}
	}
	if name := v[genericServerName]; name != "" {
		if e.Text[schema.DstEndpointHostname] == "" {
			e.Text[schema.DstEndpointHostname] = hostOnly(name)
		} else if hostOnly(name) != e.Text[schema.DstEndpointHostname] {
			r.leave(genericServerName)
		}
	}
	if host := v[genericHost]; host != "" {
		// "host" is the header in the log of a gateway, and the machine in others.
		if call && e.Text[schema.DstEndpointHostname] == "" && r.names[genericHost] == "host" && strings.IndexByte(host, '.') > 0 {
			e.Text[schema.DstEndpointHostname] = hostOnly(host)
		} else if host != e.Text[schema.DstEndpointHostname] {
			r.leave(genericHost)
		}
	}
}

// amounts fills in how long it took and how much was moved.
func (r *genericRecord) amounts(call bool) {
	e, v := r.event, &r.values
	for _, unit := range [...]struct {
		field genericField
		unit  float64
	}{{genericMillis, 1}, {genericSeconds, 1000}, {genericMicros, 1e-3}, {genericNanos, 1e-6}} {
		text := v[unit.field]
		switch {
		case text == "":
		case e.Number[schema.Duration] != 0:
			r.leave(unit.field)
		default:
			r.setDuration(unit.field, unit.unit)
		}
	}
	if text := v[genericDuration]; text != "" {
		if unit := 1.0; e.Number[schema.Duration] != 0 {
			r.leave(genericDuration)
		} else {
			switch {
			case r.datadog || len(text) >= 10 && isNumber(text): // nobody waits for eleven days
				unit = 1e-6
			case r.names[genericTime] == "ts" && strings.IndexByte(v[genericTime], '-') < 0: // zap, Caddy
				unit = 1000
			}
			r.setDuration(genericDuration, unit)
		}
	}
	setCount(e, schema.TrafficBytesIn, v[genericBytesIn])
	setCount(e, schema.TrafficBytesOut, v[genericBytesOut])
	// A server that was called sends what the client downloads; in the log of a client
	// it is the other way round. Only servers know who called.
	in, out := genericReceived, genericSent
	if call && v[genericSource] != "" {
		in, out = out, in
	}
	for _, direction := range [...]struct {
		column schema.Number
		field  genericField
	}{{schema.TrafficBytesIn, in}, {schema.TrafficBytesOut, out}} {
		if text := v[direction.field]; text != "" && e.Number[direction.column] == 0 {
			setCount(e, direction.column, text)
		} else if text != "" {
			r.leave(direction.field)
		}
	}
	if size := v[genericSize]; size != "" {
		if call && e.Number[schema.TrafficBytesIn] == 0 {
			setCount(e, schema.TrafficBytesIn, size)
		} else {
			r.leave(genericSize)
		}
	}
	setCount(e, schema.RowsProcessed, v[genericRows])
	setCount(e, schema.RowsFailed, v[genericRowsFailed])
	if v[genericRows] != "" && e.Number[schema.RowsProcessed] == 0 && v[genericRows] != "0" {
		r.leave(genericRows)
	}
}

// setDuration reads a duration that is a number of units of unit milliseconds unless
// it names its own: 812ms, 1.2s, 1m2.5s, 00:00:01.5.
func (r *genericRecord) setDuration(field genericField, unit float64) {
	text := r.values[field]
	if last := text[len(text)-1]; last-'0' < 10 && strings.IndexByte(text, ':') < 0 {
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			if n >= 0 {
				setDuration(r.event, text, unit)
			}
			return
		}
	}
	ms, ok := spanMillis(text)
	if !ok {
		r.leave(field)
		return
	}
	r.event.Number[schema.Duration] = ms
}

// spanMillis reads a duration with its units, or hh:mm:ss with or without a fraction.
func spanMillis(text string) (ms uint64, ok bool) {
	if len(text) > 32 {
		return 0, false
	}
	if hours, rest, found := strings.Cut(text, ":"); found {
		minutes, seconds, found := strings.Cut(rest, ":")
		h, err1 := strconv.ParseUint(hours, 10, 8)
		m, err2 := strconv.ParseUint(minutes, 10, 8)
		s, err3 := strconv.ParseFloat(seconds, 64)
		if !found || err1 != nil || err2 != nil || err3 != nil || m > 59 || s < 0 || s >= 60 {
			return 0, false
		}
		return (h*60+m)*60_000 + uint64(s*1000+0.5), true
	}
	if at := strings.IndexByte(text, ' '); at > 0 {
		text = text[:at] + text[at+1:]
	}
	for _, word := range [...][2]string{{"milliseconds", "ms"}, {"millis", "ms"}, {"msec", "ms"}, {"seconds", "s"}, {"secs", "s"}, {"sec", "s"}, {"minutes", "m"}, {"min", "m"}} {
		if n, found := strings.CutSuffix(text, word[0]); found {
			text = n + word[1]
			break
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d.Milliseconds() > 1<<32-1 {
		return 0, false
	}
	return uint64(d.Round(time.Millisecond) / time.Millisecond), true
}
