package fakeslack

import (
	"encoding/json"
	"net/http"
)

// incomingMethod is the method under which calls of the incoming webhook are listed, and
// faults are scripted.
const incomingMethod = "incoming webhook"

// serveIncoming is an incoming webhook into the first channel, at every path under
// /services/. It answers in plain text, as Slack's does.
func (s *Server) serveIncoming(w http.ResponseWriter, r *http.Request) {
	var payload map[string]json.RawMessage
	text := func(status int, answer string) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}
	if r.Method != http.MethodPost || json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&payload) != nil {
		text(http.StatusBadRequest, "invalid_payload")
		return
	}
	arguments := flatten(payload)
	fault, faulty := s.nextFault(incomingMethod)
	if !faulty || fault.afterwards {
		arguments["channel"] = s.options.Channels[0].ID
		reply := s.call(incomingMethod, "", arguments)
		if code, bad := reply["error"].(string); bad {
			status := http.StatusBadRequest
			switch code {
			case "is_archived":
				status, code = http.StatusGone, "channel_is_archived"
			case "channel_not_found", "not_in_channel":
				status, code = http.StatusNotFound, "channel_not_found"
			}
			s.record(incomingMethod, arguments, code)
			text(status, code)
			return
		}
	}
	if !faulty {
		s.record(incomingMethod, arguments, "ok")
		text(http.StatusOK, "ok")
		return
	}
	answer := fault.answer(w, r)
	s.record(incomingMethod, arguments, answer)
	if answer == dropped {
		panic(http.ErrAbortHandler)
	}
}
