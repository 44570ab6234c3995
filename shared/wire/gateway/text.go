package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bodies are JSON strings of megabytes in which every eighth byte or so is an
// escape. These loops look at eight bytes at a time and do in one pass what takes
// jsontext two (validate, then unquote); a fuzz test holds them equal to it.

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// special marks the bytes of w that end a plain stretch of a JSON string: quote,
// backslash and control characters. The lowest mark is exact; those above it may
// be wrong.
func special(w uint64) uint64 {
	quote, back := w^ones*'"', w^ones*'\\'
	return ((quote-ones)&^quote | (back-ones)&^back | (w-ones*0x20)&^w) & tops
}

var errUTF8 = errors.New("invalid UTF-8 in a string")

// stretch is the length of the plain stretch that s begins with.
func stretch(s []byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if m := special(binary.LittleEndian.Uint64(s[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(s) && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// escaped maps the letter after a backslash to the byte that it stands for.
var escaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unquote appends to dst the text of the JSON string whose opening quote stands
// just before s, and returns how much of s it took, closing quote included.
func unquote(dst, s []byte) (text []byte, n int, err error) {
	start := len(dst)
	dst = slices.Grow(dst, len(s)+8) // a text is never longer than its string; 8 for the last word
	out, o, i := dst[:cap(dst)], start, 0
	for {
		for i+8 <= len(s) {
			w := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(out[o:], w)
			if m := special(w); m != 0 {
				k := bits.TrailingZeros64(m) >> 3
				i, o = i+k, o+k
				break
			}
			i, o = i+8, o+8
		}
		for i < len(s) && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' {
			out[o] = s[i]
			i, o = i+1, o+1
		}
		switch {
		case i == len(s):
			return dst, i, io.ErrUnexpectedEOF
		case s[i] == '"':
			if !utf8.Valid(out[start:o]) {
				return dst, i, errUTF8
			}
			return out[:o], i + 1, nil
		case s[i] < 0x20:
			return dst, i, fmt.Errorf("control character %#02x in a string", s[i])
		case i+1 == len(s):
			return dst, i, io.ErrUnexpectedEOF
		}
		if c := escaped[s[i+1]]; c != 0 {
			out[o] = c
			i, o = i+2, o+1
			continue
		}
		r, size, err := unicodeEscape(s[i:])
		if err != nil {
			return dst, i, err
		}
		i += size
		o += utf8.EncodeRune(out[o:], r)
	}
}

// unicodeEscape reads \uXXXX, or two of them that make a surrogate pair.
func unicodeEscape(s []byte) (r rune, size int, err error) {
	r, err = hex4(s)
	if err != nil || !utf16.IsSurrogate(r) {
		return r, 6, err
	}
	low, err := hex4(s[6:])
	if err != nil {
		return 0, 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, 0, errors.New("half a surrogate pair in a string")
	}
	return r, 12, nil
}

func hex4(s []byte) (rune, error) {
	if len(s) < 6 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	if s[0] != '\\' || s[1] != 'u' || err != nil {
		return 0, errors.New("invalid escape in a string")
	}
	return rune(n), nil
}
