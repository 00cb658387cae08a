package simulate

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// NginxJSON writes a large access log for measurements: a JSON object a line,
// about 1.1 KB each, in nginx's own field names with quoted numbers, times about
// 50 ms apart from 2025-08-04 on. It returns the rows written.
func NginxJSON(w io.Writer, limit Limit, seed uint64) (rows int64, err error) {
	s, err := newStream(w, limit, seed)
	if err != nil {
		return 0, err
	}
	clock := stampClock{next: time.Date(2025, 8, 4, 0, 0, 0, 0, time.UTC)}
	filler := strings.Repeat("campaign=autumn&", 5)
	for s.more() {
		clock.advance(s.below(100))
		appendNginxLine(s, &clock, filler)
		if err := s.wrote(); err != nil {
			return s.rows, err
		}
	}
	return s.rows, s.flush()
}

var nginxPaths = []string{"/crm/contacts/", "/crm/cases/", "/crm/accounts/", "/erp/orders/", "/erp/stock/", "/portal/search/"}

func appendNginxLine(s *stream, clock *stampClock, filler string) {
	draw, other := s.below(1<<30), s.below(1<<30)
	status, took := "200", 8+draw>>4&511
	switch draw >> 14 % 100 {
	case 0, 1:
		status = "404"
	case 2:
		status = "401"
	case 3:
		status = "502"
	}
	caller := skewed(s, eventLogCallers)
	seconds := func(b []byte, ms int) []byte {
		b = strconv.AppendInt(b, int64(ms/1000), 10)
		return append(b, '.', '0'+byte(ms/100%10), '0'+byte(ms/10%10), '0'+byte(ms%10))
	}
	b := append(s.buffer, `{"time_iso8601":"`...)
	b = append(b, clock.iso[:19]...)
	b = append(b, `+00:00","msec":"`...)
	b = strconv.AppendInt(b, clock.next.Unix()-1, 10)
	b = append(b, clock.iso[19:23]...)
	b = append(b, `","remote_addr":"198.18.`...)
	b = strconv.AppendInt(b, int64(caller%256), 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(2+caller%240), 10)
	b = append(b, `","remote_user":"caller-`...)
	b = strconv.AppendInt(b, int64(caller), 10)
	b = append(b, `","request_method":"GET","request_uri":"`...)
	b = append(b, nginxPaths[other%len(nginxPaths)]...)
	b = s.letters(b, 12, alphanumeric)
	b = append(b, '?')
	b = append(b, filler...)
	b = append(b, `page=`...)
	b = strconv.AppendInt(b, int64(draw&31), 10)
	b = append(b, `","args":"`...)
	b = append(b, filler...)
	b = append(b, `page=`...)
	b = strconv.AppendInt(b, int64(draw&31), 10)
	b = append(b, `","server_protocol":"HTTP/2.0","scheme":"https","status":"`...)
	b = append(b, status...)
	b = append(b, `","body_bytes_sent":"`...)
	b = strconv.AppendInt(b, int64(draw>>8&0xffff), 10)
	b = append(b, `","bytes_sent":"`...)
	b = strconv.AppendInt(b, int64(draw>>8&0xffff+420), 10)
	b = append(b, `","request_length":"`...)
	b = strconv.AppendInt(b, int64(300+draw&255), 10)
	b = append(b, `","request_time":"`...)
	b = seconds(b, took)
	b = append(b, `","upstream_response_time":"`...)
	b = seconds(b, took-2)
	b = append(b, `","upstream_addr":"10.20.0.`...)
	b = strconv.AppendInt(b, int64(5+draw&3), 10)
	b = append(b, `:8443","upstream_status":"`...)
	b = append(b, status...)
	b = append(b, `","http_host":"api.acme.example","http_referer":"https://portal.acme.example/search/results","http_user_agent":"`...)
	b = append(b, browsers[caller%len(browsers)]...)
	b = append(b, `","http_x_forwarded_for":"198.18.7.21, 10.20.0.1","request_id":"`...)
	b = s.letters(b, 32, hexadecimal)
	b = append(b, `","ssl_protocol":"TLSv1.3","ssl_cipher":"TLS_AES_256_GCM_SHA384","connection":"`...)
	b = strconv.AppendInt(b, int64(other), 10)
	b = append(b, `","connection_requests":"`...)
	b = strconv.AppendInt(b, int64(1+draw&7), 10)
	b = append(b, `","gzip_ratio":"3.41","server_name":"api.acme.example","pipe":"."}`...)
	s.buffer = append(b, '\n')
}
