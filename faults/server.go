package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"
)

func init() {
	rows = append(rows,
		row{name: "every insert sent twice at once", run: repeating(func(send func() *http.Response) *http.Response {
			var group sync.WaitGroup
			group.Go(func() { drop(send()) })
			answer := send()
			group.Wait()
			return answer
		})},
		row{name: "the database stores after the agent has given up and sent again", run: repeating(late())},
		row{name: "an insert that comes again when the database has forgotten it", run: forgotten},
		row{name: "too many parts", run: changed(
			[]string{"SYSTEM STOP MERGES events", "ALTER TABLE events MODIFY SETTING parts_to_throw_insert = 3, parts_to_delay_insert = 2"},
			[]string{"ALTER TABLE events RESET SETTING parts_to_throw_insert, parts_to_delay_insert", "SYSTEM START MERGES events"})},
		row{name: "the events table is gone for a while", run: changed(
			[]string{"RENAME TABLE events TO events_gone"}, []string{"RENAME TABLE events_gone TO events"})},
		row{name: "a column is renamed for a while", run: changed(
			[]string{"ALTER TABLE events RENAME COLUMN http_request_version TO renamed"}, []string{"ALTER TABLE events RENAME COLUMN renamed TO http_request_version"})},
		row{name: "the table can only be read for a while", run: changed(
			[]string{"ALTER TABLE events MODIFY SETTING max_parts_in_total = 1"}, []string{"ALTER TABLE events RESET SETTING max_parts_in_total"})},
	)
}

func drop(answer *http.Response) {
	if answer != nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

// repeating puts an HTTP proxy before the database, which does something to inserts.
func repeating(do func(send func() *http.Response) *http.Response) func(*rig, *result) {
	return func(g *rig, r *result) {
		for range g.few(10) {
			t := g.trial()
			to, _, _ := strings.Cut(t.dsn[strings.LastIndex(t.dsn, "@")+1:], "/")
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				body, _ := io.ReadAll(q.Body)
				send := func() *http.Response {
					again, err := http.NewRequestWithContext(context.Background(), q.Method, "http://"+to+q.URL.RequestURI(), bytes.NewReader(body))
					if err != nil {
						return nil
					}
					again.Header = q.Header.Clone()
					answer, err := http.DefaultTransport.RoundTrip(again)
					if err != nil {
						return nil
					}
					return answer
				}
				var answer *http.Response
				if strings.Contains(q.URL.RawQuery, "insert_deduplication_token") || bytes.Contains(body[:min(len(body), 64)], []byte("INSERT INTO events")) {
					answer = do(send)
				} else {
					answer = send()
				}
				if answer == nil {
					w.WriteHeader(http.StatusGatewayTimeout)
					return
				}
				defer answer.Body.Close()
				for name, values := range answer.Header {
					w.Header()[name] = values
				}
				w.WriteHeader(answer.StatusCode)
				io.Copy(w, answer.Body)
			}))
			direct := t.dsn
			t.dsn = strings.Replace(t.dsn, to, strings.TrimPrefix(proxy.URL, "http://"), 1)
			t.configure("")
			agent := t.start()
			for range 8 {
				t.write(20)
				time.Sleep(60 * time.Millisecond)
			}
			time.Sleep(700 * time.Millisecond)
			must(agent.Process.Kill())
			_ = agent.Wait()
			r.kills++
			proxy.Close()
			t.dsn = direct
			t.configure("")
			t.finish(r)
		}
	}
}

// late answers every second insert with a time-out, and stores it half a second later.
func late() func(send func() *http.Response) *http.Response {
	var mu sync.Mutex
	n := 0
	return func(send func() *http.Response) *http.Response {
		mu.Lock()
		n++
		late := n%2 == 1
		mu.Unlock()
		if late {
			time.AfterFunc(1500*time.Millisecond, func() { drop(send()) })
			return nil
		}
		return send()
	}
}

// forgotten sends each insert again when ten others have come after it, with a database
// that remembers two.
func forgotten(g *rig, r *result) {
	alter(g, "ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 2")
	defer alter(g, "ALTER TABLE events MODIFY SETTING non_replicated_deduplication_window = 10000")
	var mu sync.Mutex
	var old []func() *http.Response
	repeating(func(send func() *http.Response) *http.Response {
		mu.Lock()
		old = append(old, send)
		var again func() *http.Response
		if len(old) > 4 {
			again, old = old[0], old[1:]
		}
		mu.Unlock()
		if again != nil {
			drop(again())
		}
		return send()
	})(g, r)
}

func alter(g *rig, statement string) { must(g.conn.Exec(context.Background(), statement)) }

// changed changes the database under a running agent, and back.
func changed(there, back []string) func(*rig, *result) {
	return func(g *rig, r *result) {
		for range g.few(3) {
			t := g.trial()
			t.configure("")
			t.write(20)
			agent := t.start()
			time.Sleep(500 * time.Millisecond)
			for _, s := range there {
				alter(g, s)
			}
			for range 8 {
				t.write(20)
				time.Sleep(50 * time.Millisecond)
			}
			time.Sleep(700 * time.Millisecond)
			_ = agent.Process.Signal(os.Interrupt) // what waits stays in the spool
			_ = agent.Wait()
			for _, s := range back {
				alter(g, s)
			}
			t.finish(r)
		}
	}
}
