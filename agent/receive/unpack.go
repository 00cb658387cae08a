package receive

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// errUnpackedTooLong is what unpacks to more than it may.
var errUnpackedTooLong = errors.New("it unpacks to more than a message may have")

var gzipReaders, zlibReaders sync.Pool

// unpack returns a GELF message as it is, or unpacked if it is packed with gzip or zlib,
// to max bytes at most.
func unpack(message []byte, max int) ([]byte, error) {
	switch {
	case len(message) >= 2 && message[0] == 0x1f && message[1] == 0x8b:
		return unpackGzip(bytes.NewReader(message), int64(max))
	case len(message) >= 2 && message[0]&0x0f == 8 && (int(message[0])<<8|int(message[1]))%31 == 0:
		r, _ := zlibReaders.Get().(io.ReadCloser)
		var err error
		if r == nil {
			r, err = zlib.NewReader(bytes.NewReader(message))
		} else {
			err = r.(zlib.Resetter).Reset(bytes.NewReader(message), nil)
		}
		if err != nil {
			return nil, err
		}
		defer zlibReaders.Put(r)
		return readUpTo(r, int64(max))
	}
	if len(message) > max {
		return nil, errUnpackedTooLong
	}
	return message, nil
}

func unpackGzip(packed io.Reader, max int64) ([]byte, error) {
	r, _ := gzipReaders.Get().(*gzip.Reader)
	var err error
	if r == nil {
		r, err = gzip.NewReader(packed)
	} else {
		err = r.Reset(packed)
	}
	if err != nil {
		return nil, err
	}
	defer gzipReaders.Put(r)
	return readUpTo(r, max)
}

func readUpTo(r io.Reader, max int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, max+1))
	if err == nil && int64(len(data)) > max {
		err = errUnpackedTooLong
	}
	return data, err
}
