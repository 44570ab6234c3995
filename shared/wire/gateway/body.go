package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/penstock-data/penstock/shared/row"
)

// MaxBody is the largest plain body in bytes: the 10 MB that Snowflake puts into
// a batch and API Gateway takes, and a little more, because neither says exactly
// what it counts.
const MaxBody = 11 << 20

// body undoes base64 and compression.
func (d *Decoder) body(e envelope) ([]byte, error) {
	if e.body == nil {
		return nil, nil
	}
	b := e.body
	if e.base64 {
		var err error
		if d.decoded, err = base64.StdEncoding.AppendDecode(d.decoded[:0], b); err != nil {
			return nil, &row.Refusal{Message: "the event says that its body is base64, but it is not", Err: err}
		}
		b = d.decoded
	}
	return d.inflate.plain(b)
}

// An encoding is how a body is compressed.
type encoding string

const (
	identity   encoding = "identity"
	gzipped    encoding = "gzip"
	zlibbed    encoding = "deflate (zlib)"
	rawDeflate encoding = "deflate"
)

// sniff tells the encoding from the bytes. API Gateway may hand over a plain
// body with the Content-Encoding header still there, so headers say nothing.
func sniff(b []byte) encoding {
	switch {
	case len(b) >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8:
		return gzipped
	case len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && b[1]&0x20 == 0 && (int(b[0])<<8|int(b[1]))%31 == 0:
		return zlibbed
	}
	text := bytes.TrimLeft(b, " \t\r\n")
	if len(text) == 0 || bytes.IndexByte([]byte(`{["`), text[0]) >= 0 {
		return identity
	}
	return rawDeflate // it has no mark of its own: tried, and taken for text when that fails
}

// An inflater keeps the decompressors and the buffer that they fill.
type inflater struct {
	out   []byte
	src   bytes.Reader
	gzip  *gzip.Reader
	zlib  io.ReadCloser
	flate io.ReadCloser
}

var errTooLarge = errors.New("inflates beyond the limit")

// plain returns the inflated body, which is b itself when b is not compressed.
func (f *inflater) plain(b []byte) ([]byte, error) {
	enc := sniff(b)
	if enc == identity {
		return within(b)
	}
	r, err := f.reader(enc, b)
	if err == nil {
		err = f.readAll(r, hint(enc, b))
	}
	switch {
	case errors.Is(err, errTooLarge):
		return nil, tooLarge()
	case err == nil && (enc != rawDeflate || f.src.Len() == 0):
		return f.out, nil
	case enc == rawDeflate:
		return within(b) // no deflate after all; whoever reads the text will say what is wrong with it
	}
	return nil, &row.Refusal{Message: fmt.Sprintf("the request's body is broken %s; "+
		"send it again, or create the function with COMPRESSION = NONE", enc), Err: err}
}

func within(b []byte) ([]byte, error) {
	if len(b) > MaxBody {
		return nil, tooLarge()
	}
	return b, nil
}

func tooLarge() *row.Refusal {
	return &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request's body is over %d MB; "+
		"lower MAX_BATCH_ROWS of the external function, or push fewer columns", MaxBody>>20)}
}

// reader points the decompressor of enc at b.
func (f *inflater) reader(enc encoding, b []byte) (io.Reader, error) {
	f.src.Reset(b)
	switch enc {
	case gzipped:
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		return f.gzip, f.gzip.Reset(&f.src)
	case zlibbed:
		if f.zlib == nil {
			z, err := zlib.NewReader(&f.src)
			if err != nil {
				return nil, err
			}
			f.zlib = z
			return z, nil
		}
		return f.zlib, f.zlib.(zlib.Resetter).Reset(&f.src, nil)
	default:
		if f.flate == nil {
			f.flate = flate.NewReader(&f.src)
			return f.flate, nil
		}
		return f.flate, f.flate.(flate.Resetter).Reset(&f.src, nil)
	}
}

// hint is the size that a gzip trailer claims, never more than deflate could
// make of b (about 1,032 times) or than is allowed.
func hint(enc encoding, b []byte) int {
	size := 4 * len(b)
	if enc == gzipped && len(b) >= 18 {
		size = int(binary.LittleEndian.Uint32(b[len(b)-4:]))
	}
	return min(size, 1032*len(b), MaxBody) + 1 // one more to see the end without growing
}

// readAll fills f.out to the end of r, or fails with errTooLarge.
func (f *inflater) readAll(r io.Reader, size int) error {
	if cap(f.out) < size {
		f.out = make([]byte, 0, size)
	}
	f.out = f.out[:0]
	for {
		if len(f.out) == cap(f.out) {
			f.out = append(f.out, 0)[:len(f.out)]
		}
		n, err := r.Read(f.out[len(f.out):cap(f.out)])
		f.out = f.out[:len(f.out)+n]
		if len(f.out) > MaxBody {
			return errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
