package run

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row/decimal"
)

// CursorType says how cursors of a column compare.
type CursorType string

// The types. A text is compared by its bytes, as SQL's binary collation does.
const (
	NumberCursor    CursorType = "number"
	TimestampCursor CursorType = "timestamp"
	TextCursor      CursorType = "text"
)

// maxCursor is the longest cursor in bytes: it is kept in several stored items.
const maxCursor = 1000

// A timestamp this far in the future is no moment at which a row can have changed:
// an hour for clocks that differ, and where it has no zone, what the easternmost
// zone is ahead.
const (
	ahead     = time.Hour
	aheadZone = 14 * time.Hour
)

// A Cursor is one row's value in the cursor column, read.
type Cursor struct {
	Type  CursorType
	raw   []byte // the JSON scalar
	zoned bool
	sec   int64 // Unix seconds; without a zone, as if in UTC
	nsec  int32
}

// ReadCursor reads a JSON scalar. False stands for what moves no watermark: null,
// a boolean, an object, not a number, infinity, a year before Christ, and what is
// longer than 1,000 bytes. The Cursor shares raw.
func ReadCursor[T ~string | ~[]byte](raw T) (Cursor, bool) {
	if len(raw) == 0 || len(raw) > maxCursor {
		return Cursor{}, false
	}
	c := Cursor{Type: NumberCursor, raw: []byte(raw)}
	switch first := raw[0]; {
	case first == '"':
	case first == '-' || first >= '0' && first <= '9':
		return c, true
	default:
		return Cursor{}, false
	}
	text := c.text()
	if len(text) == 0 {
		return Cursor{}, false
	}
	text = bytes.TrimSpace(text)
	if endless(text) {
		return Cursor{}, false
	}
	var ok bool
	if wide(text) {
		return c, true
	}
	c.Type = TextCursor
	if c.sec, c.nsec, c.zoned, ok = parseInstant(text); ok {
		c.Type = TimestampCursor
	}
	return c, true
}

// wide reports a number of which BigQuery's JSON makes a text, so that no digit is lost:
// one with a fraction, or an INT64 from 2^53 on, without needless zeros. Texts that spell
// other numbers, such as an id in hexadecimal whose digits happen to be decimal, are of a
// column of texts.
func wide(text []byte) bool {
	whole, fraction, point := bytes.Cut(bytes.TrimPrefix(text, []byte("-")), []byte("."))
	switch {
	case !digits(whole), len(whole) > 1 && whole[0] == '0':
		return false
	case point:
		return digits(fraction) && fraction[len(fraction)-1] != '0'
	}
	const bound, most = "9007199254740992", len("9223372036854775807")
	return len(whole) > len(bound) && len(whole) <= most || len(whole) == len(bound) && string(whole) >= bound
}

// digits reports a text of nothing else.
func digits(text []byte) bool {
	return len(text) > 0 && len(bytes.TrimLeft(text, "0123456789")) == 0
}

// endless reports the spellings of what is greater or less than all others.
func endless(text []byte) bool {
	if bytes.HasSuffix(text, []byte("(BC)")) || bytes.HasSuffix(text, []byte(" BC")) {
		return text[0] >= '0' && text[0] <= '9'
	}
	if len(text) > len("-infinity") {
		return false
	}
	switch strings.ToLower(strings.TrimLeft(string(text), "+-")) {
	case "infinity", "inf", "nan":
		return true
	}
	return false
}

// text is what the JSON scalar says.
func (c Cursor) text() []byte {
	if c.raw[0] != '"' {
		return c.raw
	}
	inner := c.raw[1:max(1, len(c.raw)-1)]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	plain, _ := jsontext.AppendUnquote(nil, c.raw) // as far as it can be read
	return plain
}

// Zoned reports whether it is a timestamp that says its zone.
func (c Cursor) Zoned() bool { return c.Type == TimestampCursor && c.zoned }

// String is the JSON scalar.
func (c Cursor) String() string { return string(c.raw) }

// Plausible reports whether a row can have changed then, as seen at now.
func (c Cursor) Plausible(now time.Time) bool {
	if c.Type != TimestampCursor {
		return true
	}
	most := aheadZone
	if c.zoned {
		most = ahead
	}
	return c.sec <= now.Add(most).Unix()
}

// Compare orders two cursors of one column: numbers by value, a number and a text
// that spells one alike, timestamps as instants, other texts by bytes. A number is
// less than a timestamp, and both are less than a text that spells none; see Comparable.
func (c Cursor) Compare(d Cursor) int {
	switch {
	case c.Type == TimestampCursor && d.Type == TimestampCursor:
		if c.sec != d.sec {
			return cmp.Compare(c.sec, d.sec)
		}
		return cmp.Compare(c.nsec, d.nsec)
	case c.Type == NumberCursor || d.Type == NumberCursor:
		return compareNumbers(c, d)
	case c.Type == TimestampCursor:
		return -1
	case d.Type == TimestampCursor:
		return 1
	}
	return bytes.Compare(c.text(), d.text())
}

// Comparable reports whether two cursors can be of one column.
func (c Cursor) Comparable(d Cursor) bool {
	switch {
	case c.Type == d.Type:
		return true
	case c.Type == TimestampCursor || d.Type == TimestampCursor:
		return false
	}
	return c.number() && d.number()
}

func (c Cursor) number() bool {
	var scratch [64]byte
	_, _, _, ok := decimal.Parse(c.text(), scratch[:0])
	return ok
}

func compareNumbers(c, d Cursor) int {
	var one, two [64]byte
	x, _, _, okX := decimal.Parse(c.text(), one[:0])
	y, _, _, okY := decimal.Parse(d.text(), two[:0])
	switch {
	case okX && okY:
		return x.Compare(&y)
	case okX:
		return -1
	case okY:
		return 1
	}
	return bytes.Compare(c.raw, d.raw)
}

// Greatest returns the greater of two stored cursors; "" is none. Beside a number or
// a timestamp a text that cannot be compared with it is none either.
func Greatest(a, b string) string { return extreme(a, b, 1) }

// Least returns the lesser of two stored cursors, of which the same is none.
func Least(a, b string) string { return extreme(a, b, -1) }

func extreme(a, b string, sign int) string {
	x, okX := ReadCursor(a)
	y, okY := ReadCursor(b)
	switch {
	case a == "" || okY && !okX:
		return b
	case b == "" || !okY:
		return a
	case x.Comparable(y) || x.Type != TextCursor && y.Type != TextCursor:
		if sign*x.Compare(y) >= 0 {
			return a
		}
		return b
	case x.Type == TextCursor:
		return b
	}
	return a
}

// compareStored is 0 where one of them is none.
func compareStored(a, b string) int {
	x, okX := ReadCursor(a)
	y, okY := ReadCursor(b)
	if !okX || !okY {
		return 0
	}
	return x.Compare(y)
}
