package row

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

func isASCII(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		if binary.LittleEndian.Uint64(s)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendFolded appends s by full case folding, in form D where composed is to
// follow: folding the composed letters would give another text.
func appendFolded(dst, s []byte, composed bool) []byte {
	if !isASCII(s) {
		if composed {
			s = norm.NFD.Bytes(s)
		}
		start := len(dst)
		dst = append(dst, cases.Fold().Bytes(s)...)
		foldCherokee(dst[start:])
		return dst
	}
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// foldCherokee gives Cherokee letters the one case that Unicode's CaseFolding.txt
// folds them to, upper; package cases swaps the two. Both have three bytes.
func foldCherokee(s []byte) {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		switch {
		case r >= 0xab70 && r <= 0xabbf:
			utf8.EncodeRune(s[i:], r-0xab70+0x13a0)
		case r >= 0x13f8 && r <= 0x13fd:
			utf8.EncodeRune(s[i:], r-8)
		}
		i += size
	}
}

// alike are letters that case alone turns into others, and what they are taken for, in
// lower case: all that StepPlain takes for one beside a letter's upper and lower case.
var alike = map[rune]string{'ß': "ss", 'ẞ': "ss", 'ς': "σ", 'µ': "μ", 'İ': "i\u0307"}

// appendLower appends s letter by letter in lower case.
func appendLower(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if text, there := alike[r]; there {
			dst = append(dst, text...)
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		i += size
	}
	return dst
}

// appendLetters appends s with each letter in lower case of which it is the upper case.
func appendLetters(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
		}
		if lower := unicode.ToLower(r); unicode.ToUpper(lower) == r {
			r = lower
		}
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

// blanks are ASCII's white space.
const blanks = " \t\r\n\f\v"

// trim takes outer white space off: all of it, or ASCII's alone.
func trim(s []byte, plain bool) []byte {
	if plain {
		return bytes.Trim(s, blanks)
	}
	return bytes.TrimSpace(s)
}

// appendSpaced appends s with each run of white space as one blank, outer ones
// included, but where they are to stay.
func appendSpaced(dst, s []byte, plain bool) []byte {
	if plain {
		inner := bytes.TrimSpace(s)
		if len(inner) == 0 {
			return append(dst, s...)
		}
		lead := len(s) - len(bytes.TrimLeftFunc(s, unicode.IsSpace))
		dst = appendSpaced(append(dst, s[:lead]...), inner, false)
		return append(dst, s[lead+len(inner):]...)
	}
	inside := false
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
		}
		if !unicode.IsSpace(r) {
			dst = append(dst, s[i:i+size]...)
			inside = false
		} else if !inside {
			dst = append(dst, ' ')
			inside = true
		}
		i += size
	}
	return dst
}

// The lengths of an id that is told apart by case, and of the one that is not: 15
// letters and digits, then three that say which of each five are upper case.
const (
	shortID = 15
	longID  = 18
)

const caseDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

// appendID18 appends an id's 18 character form. Of an 18 character id the last
// three say the case of the others, however these are written.
func appendID18(dst, s []byte) ([]byte, bool) {
	if len(s) != shortID && len(s) != longID {
		return dst, false
	}
	start := len(dst)
	for i, c := range s[:shortID] {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		default:
			return dst[:start], false
		}
		if len(s) == longID {
			var ok bool
			if c, ok = withCase(c, s[shortID+i/5], i%5); !ok {
				return dst[:start], false
			}
		}
		dst = append(dst, c)
	}
	for part := range longID - shortID {
		upper := 0
		for i, c := range dst[start+5*part : start+5*part+5] {
			if c >= 'A' && c <= 'Z' {
				upper |= 1 << i
			}
		}
		dst = append(dst, caseDigits[upper])
	}
	return dst, true
}

// withCase gives a character the case that bit n of a case digit says; false when
// the digit is none, or says that a figure is upper case.
func withCase(c, digit byte, n int) (byte, bool) {
	var bits int
	switch {
	case digit >= 'A' && digit <= 'Z':
		bits = int(digit - 'A')
	case digit >= 'a' && digit <= 'z':
		bits = int(digit - 'a')
	case digit >= '0' && digit <= '5':
		bits = int(digit-'0') + 26
	default:
		return c, false
	}
	upper, figure := bits>>n&1 == 1, c <= '9'
	if figure {
		return c, !upper
	}
	if upper {
		return c &^ 0x20, true
	}
	return c | 0x20, true
}
