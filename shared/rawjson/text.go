package rawjson

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Errors of AppendUnquote, beside io.ErrUnexpectedEOF. None quotes the text.
var (
	ErrUTF8    = errors.New("invalid UTF-8 in a string")
	ErrControl = errors.New("a control character in a string")
	ErrEscape  = errors.New("an invalid escape in a string")
)

// special marks the bytes of w that end a plain stretch of a JSON string: quote,
// backslash and control characters. The lowest mark is exact; those above it may
// be wrong.
func special(w uint64) uint64 {
	quote, back := w^quotes, w^backslants
	return ((quote-ones)&^quote | (back-ones)&^back | (w-ones*0x20)&^w) & tops
}

// Plain is the length of the stretch at the start of s without quotes,
// backslashes and control characters.
func Plain(s []byte) int {
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

// AppendUnquote appends to dst the text of the JSON string whose opening quote
// stands just before s, and returns how much of s it took, closing quote
// included. One pass checks and unquotes, where jsontext takes two.
func AppendUnquote(dst, s []byte) (text []byte, n int, err error) {
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
				return dst, i, ErrUTF8
			}
			return out[:o], i + 1, nil
		case s[i] < 0x20:
			return dst, i, ErrControl
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
		return 0, 0, ErrEscape
	}
	return r, 12, nil
}

func hex4(s []byte) (rune, error) {
	if len(s) < 6 {
		return 0, io.ErrUnexpectedEOF
	}
	if s[0] != '\\' || s[1] != 'u' {
		return 0, ErrEscape
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, ErrEscape
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

func hasEscape(raw []byte) bool { return bytes.IndexByte(raw, '\\') >= 0 }

// Text is the text of a JSON string; false when v is none.
func Text(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	if end := Plain(v[1:]) + 1; end == len(v)-1 && v[end] == '"' && utf8.Valid(v) {
		return string(v[1:end]), true
	}
	text, n, err := AppendUnquote(nil, v[1:])
	if err != nil || n != len(v)-1 {
		return "", false
	}
	return string(text), true
}

// Scalar is what a caller meant by a scalar: the text of a string, the digits of
// a number, true or false, and "" for null and for what is no scalar.
func Scalar(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	switch v[0] {
	case '"':
		text, _ := Text(v)
		return text
	case 'n', '{', '[':
		return ""
	}
	return string(v)
}

// Int is a whole number, as a JSON number without fraction and exponent or the
// same digits in a string (warehouses send integers beyond 2^53 so).
func Int(v []byte) (int64, bool) {
	n, err := strconv.ParseInt(Scalar(v), 10, 64)
	return n, err == nil
}

// Bool is true or false; ok is false when v is neither.
func Bool(v []byte) (value, ok bool) {
	switch string(v) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}
