package formats

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// eachSample runs test for every sample of the formats in testdata.
func eachSample(t testing.TB, formats []Format, test func(format Format, file string, data []byte)) {
	for _, format := range formats {
		files, err := filepath.Glob(filepath.Join("testdata", format.Name, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files for %s: %v", format.Name, err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".golden" {
				continue
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(format, file, data)
		}
	}
}

// wantGolden wants of each sample what stands beside it.
func wantGolden(t *testing.T, formats []Format, options Options) {
	eachSample(t, formats, func(format Format, file string, data []byte) {
		t.Run(file, func(t *testing.T) {
			var got transcript
			decodeInSteps(t, format.New(options), data, len(data), &got)
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	})
}

// wantSameInPieces wants that what is read does not depend on how a file is cut into
// calls.
func wantSameInPieces(t *testing.T, formats []Format, options Options) {
	eachSample(t, formats, func(format Format, file string, data []byte) {
		var want transcript
		decodeInSteps(t, format.New(options), data, len(data), &want)
		for _, step := range []int{1, 2, 7, 100, 1000} {
			var got transcript
			decodeInSteps(t, format.New(options), data, step, &got)
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Fatalf("%s in pieces of %d: -whole +pieces:\n%s", file, step, diff)
			}
		}
	})
}

// wantOwnFormat wants that every sample is claimed by its own format and by no other,
// whole or cut.
func wantOwnFormat(t *testing.T, formats []Format) {
	eachSample(t, formats, func(format Format, file string, data []byte) {
		for _, head := range [][]byte{data, data[:len(data)*2/3]} {
			head = head[:min(len(head), HeadSize)]
			got, why, ok := Detect(head)
			if !ok || got.Name != format.Name || why == "" {
				t.Errorf("%s (%d bytes) is detected as %q because %q", file, len(head), got.Name, why)
			}
			for _, other := range All() {
				if why := other.Detect(bytes.TrimPrefix(head, byteOrderMark)); other.Name != format.Name && why != "" {
					t.Errorf("%s is claimed as %s too: %s", file, other.Name, why)
				}
			}
		}
	})
}
