package fakeslack

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// File is a file that was sent to the server.
type File struct {
	ID, Name, Title string
	Content         []byte
	// length is what was announced; sent says that the bytes have come.
	length int
	sent   bool
	// Shared counts how often it was shown in a channel.
	Shared int
}

// uploadMethod is the name under which uploads are listed, and faults are scripted.
const uploadMethod = "upload"

// scopes are the permissions that methods need, beyond those that every app here has.
var scopes = map[string]string{"files.getUploadURLExternal": "files:write", "files.completeUploadExternal": "files:write"}

// missingScope is the refusal of a method whose scope the app lacks.
func (s *Server) missingScope(method string) map[string]any {
	need := scopes[method]
	if need == "" || !slices.Contains(s.options.WithoutScopes, need) {
		return nil
	}
	return map[string]any{"ok": false, "error": "missing_scope", "needed": need, "provided": "chat:write,channels:history,channels:read"}
}

// Files lists what was sent, also what is shown nowhere.
func (s *Server) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []File
	for _, f := range s.files {
		list = append(list, *f)
	}
	return list
}

func (s *Server) file(id string) *File {
	for _, f := range s.files {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// uploadURL answers files.getUploadURLExternal.
func (s *Server) uploadURL(a map[string]string) map[string]any {
	length, err := strconv.Atoi(a["length"])
	if a["filename"] == "" || err != nil || length < 1 {
		return refuse("invalid_arguments")
	}
	s.lastID++
	f := &File{ID: fmt.Sprintf("F0FAKE%05d", s.lastID), Name: a["filename"], length: length}
	s.files = append(s.files, f)
	return map[string]any{"ok": true, "upload_url": s.base + "/upload/v1/" + f.ID, "file_id": f.ID}
}

// maxFile bounds an upload.
const maxFile = 64 << 20

// serveUpload takes the bytes of a file, as they are or as the part "file" of a form. Its
// address is the permission: a token is refused, for it has no business there.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	fault, faulty := s.nextFault(uploadMethod)
	answer := func(status int, text string) {
		s.record(uploadMethod, map[string]string{"file": id}, text)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	if faulty && !fault.afterwards {
		s.fail(w, r, fault, id)
		return
	}
	content, err := uploaded(r)
	s.mu.Lock()
	f := s.file(id)
	good := f != nil && err == nil && !f.sent && len(content) == f.length && r.Header.Get("Authorization") == ""
	if good {
		f.Content, f.sent = content, true
	}
	s.mu.Unlock()
	switch {
	case faulty:
		s.fail(w, r, fault, id)
	case !good:
		answer(http.StatusBadRequest, "bad upload")
	default:
		answer(http.StatusOK, fmt.Sprintf("OK - %d", len(content)))
	}
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, fault Fault, id string) {
	said := fault.answer(w, r)
	s.record(uploadMethod, map[string]string{"file": id}, said)
	if said == dropped {
		panic(http.ErrAbortHandler)
	}
}

func uploaded(r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxFile)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		part, _, err := r.FormFile("file")
		if err != nil {
			return nil, err
		}
		return io.ReadAll(part)
	}
	return io.ReadAll(r.Body)
}

// completeUpload answers files.completeUploadExternal. It takes a channel's id, not its name.
func (s *Server) completeUpload(a map[string]string) map[string]any {
	var list []struct{ ID, Title string }
	if json.Unmarshal([]byte(a["files"]), &list) != nil || len(list) == 0 {
		return refuse("invalid_arguments")
	}
	var files []*File
	for _, named := range list {
		f := s.file(named.ID)
		if f == nil || !f.sent {
			return refuse("file_not_found")
		}
		f.Title = named.Title
		files = append(files, f)
	}
	if a["channel_id"] != "" {
		c := s.channelByID(a["channel_id"])
		if problem := usable(c); problem != "" {
			return refuse(problem)
		}
		m := &Message{Channel: c.ID, Text: a["initial_comment"], ThreadTS: a["thread_ts"]}
		if root := s.message(c.ID, m.ThreadTS); m.ThreadTS != "" && (root == nil || root.ThreadTS != "") {
			return refuse("thread_not_found")
		}
		for _, f := range files {
			f.Shared++
			m.Files = append(m.Files, f.ID)
		}
		m.TS = s.nextTS()
		s.messages = append(s.messages, m)
		s.changed = m
	}
	shown := []map[string]any{}
	for _, f := range files {
		shown = append(shown, map[string]any{"id": f.ID, "title": f.Title})
	}
	return map[string]any{"ok": true, "files": shown}
}
