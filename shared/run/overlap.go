package run

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// ErrOverlap says that an overlap cannot be taken off a watermark. From Cursor.Minus.
var ErrOverlap = errors.New("the overlap does not fit the cursor")

// Minus is the cursor less an overlap, a JSON scalar: a length off a timestamp, or a
// number off a number. Anything else is ErrOverlap.
func (c Cursor) Minus(length time.Duration, number int64) (string, error) {
	switch {
	case c.Type == TimestampCursor && length > 0:
		return c.written(length), nil
	case c.Type == NumberCursor && number > 0:
		less, err := minusNumber(string(c.text()), number)
		if err == nil && c.raw[0] == '"' && wide([]byte(less)) {
			less = strconv.Quote(less)
		}
		return less, err
	case c.Type == TimestampCursor:
		return "", fmt.Errorf("%w: it is a number, and the cursor column holds times: write a duration such as 10m", ErrOverlap)
	case c.Type == NumberCursor:
		return "", fmt.Errorf("%w: it is a duration, and the cursor column holds numbers: write a whole number", ErrOverlap)
	}
	return "", fmt.Errorf("%w: the cursor column holds texts, of which nothing can be taken off: leave overlap out", ErrOverlap)
}

// Watermark is the cursor as it goes to SQL, a JSON scalar that every warehouse reads,
// whatever the spelling in its row: a timestamp in one form of writing, cut to
// microseconds, which selects at most more. A number that came as a text stays one: whoever
// sent it so reads it in JSON only so.
func (c Cursor) Watermark() string {
	if c.Type == TimestampCursor {
		return c.written(0)
	}
	return c.String()
}

// written is a timestamp less a length, in UTC where it says its zone.
func (c Cursor) written(length time.Duration) string {
	layout := "2006-01-02 15:04:05.999999"
	if c.zoned {
		layout = "2006-01-02T15:04:05.999999Z"
	}
	at := time.Unix(c.sec, int64(c.nsec)).UTC().Add(-length)
	if at.Year() < 1 {
		at = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return strconv.Quote(at.Format(layout))
}

// Reaches reports whether a row that was made then is at or above a mark, as the
// statements of penstock_run have it: a date stands for its whole day.
func (c Cursor) Reaches(mark Cursor) bool {
	if c.Type == TimestampCursor && mark.Type == TimestampCursor && len(bytes.TrimSpace(c.text())) <= len("2006-01-02")+2 {
		return c.sec >= mark.sec-(mark.sec%86400+86400)%86400
	}
	return c.Type == mark.Type && c.Compare(mark) >= 0
}

// minusNumber keeps all digits of a number that is written plainly; one with an
// exponent goes through a float, which may select a row too many.
func minusNumber(text string, number int64) (string, error) {
	if strings.ContainsAny(text, "eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "", fmt.Errorf("%w: the watermark is beyond what can be computed with", ErrOverlap)
		}
		return strconv.FormatFloat(f-float64(number), 'f', -1, 64), nil
	}
	digits := 0
	if _, fraction, ok := strings.Cut(text, "."); ok {
		digits = len(fraction)
	}
	value, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", fmt.Errorf("%w: the watermark is no number", ErrOverlap)
	}
	return value.Sub(value, new(big.Rat).SetInt64(number)).FloatString(digits), nil
}

// Floor is a cursor of the same type that is less than those that rows have, a JSON
// scalar.
func (c Cursor) Floor() string {
	switch {
	case c.Type == NumberCursor:
		return "-1e300"
	case c.Zoned():
		return `"0001-01-01T00:00:00Z"`
	case c.Type == TimestampCursor:
		return `"0001-01-01 00:00:00"`
	}
	return `" "`
}
