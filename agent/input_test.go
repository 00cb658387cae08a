package agent

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestForeignLinksAreTold(t *testing.T) {
	for _, c := range []struct {
		links        uint64
		file, folder uint32
		want         bool
	}{
		{1, 0, 1000, false},    // root's log in a user's folder, one name
		{2, 0, 1000, true},     // root's file linked into a user's folder
		{2, 1001, 1000, true},  // another user's
		{2, 1000, 1000, false}, // the user's own
		{2, 1000, 0, false},    // root made the folder and the link
	} {
		if got := isForeignLink(c.links, c.file, c.folder); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestSwappedLinksLeadNowhere reads a log while its name, and its folder's, are swapped
// for links to a secret outside.
func TestSwappedLinksLeadNowhere(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(os.Mkdir(filepath.Join(dir, "outside"), 0o700))
	must(os.WriteFile(secret, []byte("canary"), 0o600))
	must(os.WriteFile(filepath.Join(dir, "outside", "access.log"), []byte("canary"), 0o600))
	root := filepath.Join(dir, "logs")
	must(os.MkdirAll(filepath.Join(root, "day"), 0o700))
	must(os.WriteFile(filepath.Join(root, "day", "access.log"), []byte("good"), 0o600))
	must(os.Symlink(filepath.Join(dir, "outside"), filepath.Join(root, "folder-link")))
	must(os.Symlink(secret, filepath.Join(root, "file-link")))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		swap := func(a, b string) {
			a, b, aside := filepath.Join(root, a), filepath.Join(root, b), filepath.Join(root, "aside")
			must(os.Rename(a, aside))
			must(os.Rename(b, a))
			must(os.Rename(aside, b))
		}
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if n%4 < 2 {
				swap("day", "folder-link")
			} else {
				swap(filepath.Join("day", "access.log"), "file-link")
			}
		}
	}()
	good := 0
	for range 20_000 {
		f, _, err := openInside(root, filepath.Join("day", "access.log"))
		if err != nil {
			continue
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err == nil && strings.Contains(string(text), "canary") {
			t.Error("the secret outside was read")
			break
		}
		if string(text) == "good" {
			good++
		}
	}
	close(stop)
	<-stopped
	if good == 0 {
		t.Error("the log was never read")
	}
}
