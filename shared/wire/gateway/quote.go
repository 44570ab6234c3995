package gateway

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// appendQuote appends s as a JSON string, the same bytes as jsontext makes.
// Broken UTF-8 becomes U+FFFD, because the envelope has to be JSON whatever the
// text holds.
func appendQuote[T string | []byte](dst []byte, s T) []byte {
	if b := []byte(s); utf8.Valid(b) {
		return quote(dst, b)
	}
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// short holds the letters of the escapes that have one.
var short = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// quote appends valid UTF-8 as a JSON string.
func quote(dst, s []byte) []byte {
	dst = append(slices.Grow(dst, len(s)+16), '"')
	i := 0
	for i < len(s) {
		if i+8 <= len(s) {
			w := binary.LittleEndian.Uint64(s[i:])
			dst = binary.LittleEndian.AppendUint64(dst, w)
			m := special(w)
			if m == 0 {
				i += 8
				continue
			}
			k := bits.TrailingZeros64(m) >> 3
			dst = dst[:len(dst)-8+k]
			i += k
		}
		switch c := s[i]; {
		case short[c] != 0:
			dst = append(dst, '\\', short[c])
		case c < 0x20:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
