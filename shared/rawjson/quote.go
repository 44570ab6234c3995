package rawjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendQuote appends s as a JSON string, the same bytes as jsontext makes.
// Broken UTF-8 becomes U+FFFD, because what is written has to be JSON whatever
// the text holds.
func AppendQuote[T string | []byte](dst []byte, s T) []byte {
	if b := []byte(s); utf8.Valid(b) {
		return quote(dst, b)
	}
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// AppendMember appends "name":"value", after a comma where one is due, into the
// object that was opened in dst.
func AppendMember(dst []byte, name, value string) []byte {
	return AppendQuote(AppendName(dst, name), value)
}

// AppendName appends "name": after a comma where one is due; a value follows.
func AppendName(dst []byte, name string) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' {
		dst = append(dst, ',')
	}
	return append(AppendQuote(dst, name), ':')
}

// letter holds the letters of the escapes that have one.
var letter = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// quote appends valid UTF-8 as a JSON string. Eight bytes are looked at in one step: a
// body of rows has a quote in most of them.
func quote(dst, s []byte) []byte {
	dst = append(slices.Grow(dst, len(s)+16), '"')
	i := 0
	for i+8 <= len(s) {
		w := binary.LittleEndian.Uint64(s[i:])
		dst = binary.LittleEndian.AppendUint64(dst, w)
		m := special(w)
		if m == 0 {
			i += 8
			continue
		}
		k := bits.TrailingZeros64(m) >> 3
		dst = escape(dst[:len(dst)-8+k], s[i+k])
		i += k + 1
	}
	for ; i < len(s); i++ {
		dst = escape(dst, s[i])
	}
	return append(dst, '"')
}

// escape appends one byte of a string's text.
func escape(dst []byte, c byte) []byte {
	switch {
	case letter[c] != 0:
		return append(dst, '\\', letter[c])
	case c < 0x20:
		const digits = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
	return append(dst, c)
}

// Escapes is how many bytes quoting adds to valid JSON text.
func Escapes(b []byte) int {
	n := bytes.Count(b, []byte{'"'}) + bytes.Count(b, []byte{'\\'})
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if w := binary.LittleEndian.Uint64(b); (w-ones*0x20)&^w&tops != 0 {
			n += controls(b[:8])
		}
	}
	return n + controls(b)
}

// controls is the same for control characters, which JSON text has between values.
func controls(b []byte) (n int) {
	for _, c := range b {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			n++
		case c < 0x20:
			n += 5 // \u001f; JSON text has none
		}
	}
	return n
}
